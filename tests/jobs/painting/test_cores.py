import pytest

from vidstyle.jobs.painting import cores as cores_module
from vidstyle.jobs.painting.cores import encoders, readers


def test_only_many_cores_and_much_memory_encode_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lanes(cores: int, gib: int, height: int, width: int) -> int:
        monkeypatch.setattr(cores_module, "available_cores", lambda: cores)
        monkeypatch.setattr(cores_module, "available_memory", lambda: gib * 2**30)
        return encoders(height, width, 64)

    assert [lanes(cores, 128, 1080, 1920) for cores in (1, 2, 7, 8, 16, 64)] == [1, 1, 1, 2, 4, 8]
    assert [lanes(16, gib, 1080, 1920) for gib in (0, 4, 8, 16, 32)] == [1, 1, 2, 4, 4]
    assert lanes(16, 16, 2160, 3840) == 1


def test_only_many_cores_read_in_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def threads(cores: int) -> int:
        monkeypatch.setattr(cores_module, "available_cores", lambda: cores)
        return readers()

    assert [threads(cores) for cores in (1, 2, 7, 8, 16, 64)] == [1, 1, 1, 2, 4, 8]

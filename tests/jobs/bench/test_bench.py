"""The whole benchmark, on a clip and a style as small as they come."""

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.errors import InputError, StyleError, UsageError
from vidstyle.jobs.bench import bench as job
from vidstyle.jobs.bench.bench import Step, bench, pace
from vidstyle.jobs.bench.config import BenchConfig
from vidstyle.jobs.bench.footage import make_footage
from vidstyle.jobs.bench.report import STAGES
from vidstyle.jobs.bench.whole import Painted, paint
from vidstyle.jobs.config import RunConfig

MakeClip = Callable[..., Path]


@pytest.mark.timeout(900)  # it starts four processes, each of which loads everything anew
def test_a_benchmark_measures_everything(
    tiny_style: str, make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    steps: list[Step] = []
    config = BenchConfig(
        tiny_style,
        input=make_clip(frames=20, rate=50),
        devices=("cpu",),
        engines=("torch",),
        against="baseline",
        frames=16,
        rounds=1,
    )
    report = bench(config, on_step=steps.append)
    (row,) = report.rows
    assert (row.style, row.tier, row.width, row.height) == (tiny_style, "fast", 64, 48)
    assert (row.frames, row.rate, row.on_gpu) == (16, 50, False)
    assert row.engine.startswith("torch cpu")
    assert tuple(row.stages) == STAGES
    assert 0 < row.stages["to_yuv"].median < row.stages["stylize"].median
    assert row.fps.median > 0
    assert row.ratio is not None
    assert row.ratio > 0
    assert 0 < row.load_s < row.first_frame_s
    assert 10 < row.libraries_mib < row.memory_mib
    assert row.gpu_memory_mib is None
    assert [step.done for step in steps] == list(range(steps[-1].of))
    assert not list((tmp_path / "temporary").iterdir())


def test_rounds_end_early_where_they_take_long_unless_their_number_is_given(
    tiny_style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round lasts 30 s by this clock: it is looked at before the first and the others."""
    footage = make_footage(tmp_path / "clip.nut", (64, 64), 16, None)
    for rounds, expected in ((None, 2), (5, 5), (1, 1)):
        clock = count(0, 30)
        monkeypatch.setattr(job, "monotonic", lambda: float(next(clock)))  # noqa: B023
        config = BenchConfig(tiny_style, sizes=((64, 64),), rounds=rounds)
        (case,) = job._cases(config)
        measurement = job._Measurement(config, case, tmp_path, lambda _: None, {})
        ours, theirs = measurement._rounds(footage, lambda _, run: clip_of(run), None)  # type: ignore[arg-type]
        assert (len(ours), theirs) == (expected, [])
        assert ours[0] == pytest.approx(10)


def clip_of(config: RunConfig) -> Painted:
    """Paints ten frames a second, and takes a second to begin."""
    assert config.duration is not None
    frames = int(config.duration * 25)
    return painted(frames, 1 + frames / 10)


@given(st.floats(0.001, 10), st.floats(0, 100), st.integers(1, 50), st.integers(1, 50))
def test_what_beginning_and_ending_take_cancels_out(
    seconds: float, extra: float, part: int, more: int
) -> None:
    short, long = (painted(n, extra + n * seconds) for n in (part, part + more))
    assert pace(short, long) == pytest.approx(1 / seconds, rel=1e-6)


def test_a_disturbed_round_has_a_speed_all_the_same() -> None:
    assert pace(painted(4, 9.0), painted(16, 8.0)) == 2
    assert pace(painted(16, 7.0), painted(16, 8.0)) == 2


def painted(frames: int, seconds: float) -> Painted:
    return Painted(frames, seconds, 0.0, "tiny", "fast", "torch", ())


def test_a_style_is_loaded_once_for_all_rounds(
    tiny_style: str, make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidstyle.jobs import style as style_module

    opened = []
    open_engine = style_module.open_engine
    monkeypatch.setattr(
        style_module, "open_engine", lambda *a, **k: opened.append(1) or open_engine(*a, **k)
    )
    config = RunConfig(
        (make_clip(frames=3),),
        tiny_style,
        tmp_path / "out.mp4",
        device="cpu",
        engine="torch",
        overwrite=True,
    )
    first, second = paint(config), paint(config)
    assert len(opened) == 1
    assert (first.frames, second.frames) == (3, 3)
    assert first.engine == second.engine


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"engines": ("steam",)}, UsageError, "steam"),
        ({"engines": ("auto", "openvino"), "devices": ("gpu",)}, UsageError, "not on gpu"),
        ({"style": "no-such-style"}, StyleError, "no-such-style"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_measured(
    tiny_style: str,
    values: dict[str, object],
    error: type[Exception],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job, "Child", None)
    for module in ("jobs.bench.bench", "jobs.style", "stylizers.engine"):
        monkeypatch.setattr(f"vidstyle.{module}.choose_device", str)
    with pytest.raises(error, match=words):
        bench(BenchConfig(**{"style": tiny_style, **values}))  # type: ignore[arg-type]


def test_a_clip_that_is_too_short_is_refused(
    tiny_style: str, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "Child", None)
    clip = make_clip(frames=9)
    with pytest.raises(InputError, match=r"clip\.mp4: has 9 frames"):
        bench(BenchConfig(tiny_style, devices=("cpu",), input=clip))


def test_busy_neighbours_are_mentioned(
    tiny_style: str, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_cases", lambda _: iter(()))
    monkeypatch.setattr(job, "busy_cores", lambda: 1.5)
    (note,) = bench(BenchConfig(tiny_style)).notes
    assert "1.5 cores" in note
    monkeypatch.setattr(job, "busy_cores", lambda: 0.1)
    assert bench(BenchConfig(tiny_style)).notes == ()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sizes": ((848, 20),)}, "848x20"),
        ({"sizes": ((848, 480), (9000, 480))}, "9000x480"),
        ({"frames": 15}, "frames"),
        ({"rounds": 0}, "rounds"),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        BenchConfig(**values)  # type: ignore[arg-type]

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from vidstyle.video.matroska import is_intact

Make = Callable[..., Path]


@pytest.mark.parametrize("name", ["clip.mkv", "clip.webm"])
@pytest.mark.parametrize("live", ["0", "1"])
def test_whole_files_are_intact_live_ones_too(make_media: Make, name: str, live: str) -> None:
    codec = {"codec": "libvpx-vp9", "options": {}} if name == "clip.webm" else {}
    sounds = [{"codec": "libopus", "seconds": Fraction(2)}]
    clip = make_media(
        name,
        pts=range(50),
        sounds=sounds,
        chapters=[(0, 200, "Bank")],
        tags={"title": "Pond"},
        container_options={"live": live, "cluster_time_limit": "300"},
        **codec,
    )
    assert is_intact(clip)


def test_no_cut_and_no_hole_in_a_header_goes_unseen(make_media: Make) -> None:
    clip = make_media("clip.mkv", pts=range(20), size=(16, 16))
    content = clip.read_bytes()
    for end in (len(content) - 1, len(content) // 2, 100, 3):
        clip.write_bytes(content[:end])
        assert not is_intact(clip)
    for filler in (0, 255):
        clip.write_bytes(content[: len(content) // 2] + bytes([filler]) * (len(content) // 2))
        assert not is_intact(clip)

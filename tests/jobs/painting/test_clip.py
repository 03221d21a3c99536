"""What is said of a clip that was painted."""

from typing import Any

import pytest

from vidstyle.jobs.painting.clip import _losses
from vidstyle.video.read import ReadReport


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ({}, []),
        (
            {"gave_up": True},
            ["ends early: painted 8 of 10 frames; the file is cut off or damaged"],
        ),
        (
            {"cut_short": True, "skipped": 3},
            ["ends early: painted 8 of 10 frames; the file is cut off or damaged"],
        ),
        ({"skipped": 1}, ["is damaged: 1 unreadable packet left out"]),
        (
            {"has_holes": True},
            ["is damaged: painted 8 of 10 frames, the others cannot be read"],
        ),
        ({"resized": 1}, ["changes its size on the way; 1 frame scaled to the first one's"]),
    ],
)
def test_no_loss_goes_unsaid_nor_is_said_twice(read: dict[str, Any], said: list[str]) -> None:
    report = ReadReport(frames=8, expected_frames=10, **read)
    assert list(_losses(report, nudged=0)) == said

"""Where a painted track is cut into segments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.jobs.painting.segments import segment_length


@pytest.mark.parametrize(
    ("size", "frames"), [((48, 64), 240), ((480, 848), 147), ((720, 1280), 65), ((2160, 3840), 64)]
)
def test_large_frames_make_shorter_segments(size: tuple[int, int], frames: int) -> None:
    assert segment_length(*size, 1) == frames


@given(st.integers(1, 4320), st.integers(1, 7680), st.integers(1, 500))
def test_a_segment_is_made_of_whole_batches(height: int, width: int, batch: int) -> None:
    """So that a new try paints the same batches, wherever the one before it stopped."""
    frames = segment_length(height, width, batch)
    assert frames % batch == 0
    assert 0 < frames <= max(240, batch)

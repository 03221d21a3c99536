"""Pictures of other sizes: averaged when they shrink, smooth when they grow."""

import numpy as np

from vidstyle.motion.scale import scaled


def test_the_finest_stripes_become_grey_when_they_shrink() -> None:
    columns = np.where(np.arange(64) % 2, 255, 0)
    stripes = np.broadcast_to(columns[None, :, None], (64, 64, 3)).astype(np.uint8)
    assert np.abs(scaled(stripes, 32, 32).astype(int) - 127).max() <= 1


def test_a_ramp_has_no_stairs_when_it_grows() -> None:
    ramp = np.broadcast_to((8 * np.arange(32))[None, :, None], (32, 32, 3)).astype(np.uint8)
    grown = scaled(ramp, 64, 128)
    assert grown.shape == (64, 128, 3)
    assert np.abs(np.diff(grown.astype(int), axis=1)).max() <= 3

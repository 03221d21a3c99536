"""Whether a clip moves with its source: 1 when it does, -1 when it stands still."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.metrics.following import followed, moving, stands_still
from vidstyle.metrics.steadiness import SourceMotion

Image = NDArray[np.uint8]
Texture = Callable[..., Image]
Motion = Callable[..., SourceMotion]


def pair(texture: Texture, seed: int = 0) -> tuple[Image, Image]:
    """What is at p in the first is at p + 4 in the second."""
    wide = texture(seed, 164)
    return wide[:, 4:].copy(), wide[:, :160].copy()


def test_what_moves_with_the_source_follows_it(texture: Texture, motion: Motion) -> None:
    first, second = pair(texture)
    mask = moving(motion(4))
    assert mask is not None
    assert followed(first, second, motion(4), mask) == 1
    assert not stands_still(first, second, (first, second), mask)


def test_a_frozen_picture_does_not(texture: Texture, motion: Motion) -> None:
    source, mask = pair(texture), moving(motion(4))
    assert mask is not None
    still = texture(3)
    assert followed(still, still, motion(4), mask) == -1
    assert stands_still(still, still, source, mask)


def test_pictures_that_have_nothing_in_common_neither_follow_nor_stand(
    texture: Texture, motion: Motion
) -> None:
    mask = moving(motion(4))
    assert mask is not None
    assert followed(texture(1), texture(2), motion(4), mask) == pytest.approx(0, abs=0.1)
    flat = np.full((120, 160, 3), 50, np.uint8)
    assert followed(flat, flat, motion(4), mask) is None


def test_only_trusted_pixels_that_move_are_asked(motion: Motion) -> None:
    assert moving(motion(0)) is None
    blind = motion(4)
    blind.trusted[:] = False
    assert moving(blind) is None
    blind.trusted[:30] = True
    mask = moving(blind)
    assert mask is not None
    assert mask.sum() == 30 * 160

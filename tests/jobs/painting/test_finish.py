"""What comes back of the picture when it has been painted: a share of it, or its colours."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from vidstyle.jobs.painting.finish import Finish, mix, paintable, recolour, without_ground

Image = NDArray[np.uint8]
PICTURES = arrays.arrays(np.uint8, (2, 2, 3))


def luma(picture: Image) -> NDArray[np.float64]:
    return picture @ np.array([0.299, 0.587, 0.114])


@given(arrays.arrays(np.uint8, (2, 2, 3)), arrays.arrays(np.uint8, (2, 2, 3)), st.floats(0, 1))
def test_mix_lies_between_its_ends(image: Image, painting: Image, strength: float) -> None:
    mixed = mix(image, painting, strength).astype(float)
    exact = (1 - strength) * image.astype(float) + strength * painting.astype(float)
    assert np.abs(mixed - exact).max() <= 0.5 + 255 / 512
    assert (mixed >= np.minimum(image, painting)).all()
    assert (mixed <= np.maximum(image, painting)).all()


def test_the_ends_of_mix_are_exact() -> None:
    image, painting = np.arange(256, dtype=np.uint8), np.arange(255, -1, -1, dtype=np.uint8)
    assert (mix(image, painting, 0.0) == image).all()
    assert (mix(image, painting, 1.0) == painting).all()


@given(PICTURES, PICTURES)
def test_light_is_the_paintings_and_colour_the_pictures(painting: Image, image: Image) -> None:
    """As far as the range goes: chroma is red and blue less luma."""
    out = recolour(painting, image)
    whole = ((out > 0) & (out < 255)).all(axis=-1)
    np.testing.assert_allclose(luma(out)[whole], luma(painting)[whole], atol=1)
    for channel in (0, 2):
        chroma = [picture[..., channel] - luma(picture) for picture in (out, image)]
        np.testing.assert_allclose(chroma[0][whole], chroma[1][whole], atol=1e-9)


@given(PICTURES)
def test_what_is_painted_as_it_is_stays_as_it_is(image: Image) -> None:
    np.testing.assert_array_equal(recolour(image, image), image)


@pytest.mark.parametrize(("light", "expected"), [(255, [255, 251, 231]), (0, [16, 0, 0])])
def test_what_leaves_the_range_is_cut_off(light: int, expected: list[int]) -> None:
    image = np.full((1, 1, 3), [60, 40, 20], np.uint8)  # its luma is 44
    out = recolour(np.full_like(image, light), image)
    assert out[0, 0].tolist() == expected


def test_colours_are_kept_before_the_picture_is_mixed_in() -> None:
    image = np.array([[[60, 40, 20], [200, 200, 200]]], np.uint8)
    painting = np.full_like(image, 144)  # a luma of 100 above the picture's
    assert Finish(0.5, keep_colours=True)(image, painting)[0, 0].tolist() == [110, 90, 70]
    assert Finish(0.5)(image, painting)[0, 0].tolist() == [102, 92, 82]


def scene(light: float = 1.0, fog: float = 0.0) -> Image:
    """A scene of all tones, darkened or under fog."""
    levels = np.random.default_rng(0).integers(20, 236, (90, 120, 1)) * light
    return np.repeat(levels * (1 - fog) + 255 * fog, 3, axis=2).astype(np.uint8)


def test_most_pictures_are_painted_whole() -> None:
    asphalt = np.random.default_rng(0).normal(110, 12, (90, 120, 1)).clip(0, 255)
    for picture in (scene(), scene(light=0.5), scene(fog=0.5), np.repeat(asphalt, 3, axis=2)):
        assert paintable(picture.astype(np.uint8)) == 1
        shown = picture.astype(np.uint8)
        assert (without_ground(shown, 255 - shown) == 255 - shown).all()


def credits(ink: Sequence[int] = (235, 235, 235), ground: float = 0.0, noise: float = 0.0) -> Image:
    """Lines of letters."""
    picture = np.full((96, 160, 3), float(ground))
    picture += np.random.default_rng(0).normal(0, noise, (96, 160, 1))
    for row in range(20, 80, 20):
        picture[row : row + 8, 40:120] = ink
    return picture.round().clip(0, 255).astype(np.uint8)


PAINT = np.full((96, 160, 3), 110, np.uint8)


@pytest.mark.parametrize("ink", [(235, 235, 235), (200, 0, 0), (0, 0, 255), (70, 70, 70)])
@pytest.mark.parametrize(("ground", "noise"), [(0, 0), (3, 0), (8, 0), (5, 1)])
def test_what_lies_behind_credits_stays_black(
    ink: Sequence[int], ground: int, noise: float
) -> None:
    """And the letters are painted, but for their edges."""
    image = credits(ink, ground, noise)
    finished = without_ground(image, PAINT)
    assert (finished[22:26, 44:116] == 110).all()
    outside = np.ones((96, 160), bool)
    for row in range(20, 80, 20):
        outside[row - 1 : row + 9, 39:121] = False
    np.testing.assert_array_equal(finished[outside], image[outside])


def test_credits_that_fade_keep_their_ground() -> None:
    for light in np.linspace(0, 1, 41):
        image = (credits() * light).astype(np.uint8)
        assert (Finish()(image, PAINT)[0] == 0).all(), light


def test_a_ground_that_is_lit_is_painted_by_degrees() -> None:
    """A level of light is a few of paint, so that light which flickers does not strobe."""
    grounds = [int(without_ground(credits(ground=n), PAINT)[0, 0, 0]) for n in range(60)]
    assert grounds[:9] == list(range(9))
    assert grounds[24:] == [110] * 36
    assert (np.diff(grounds) >= 0).all()
    assert np.diff(grounds).max() <= 9


def test_a_night_with_something_in_its_dark_is_painted_whole() -> None:
    rng = np.random.default_rng(0)
    night = credits(noise=3.0)
    hall = credits()
    hall[rng.random((96, 160)) < 0.2] = 6
    ramp = credits()
    ramp[:20] = np.linspace(0, 200, 160).astype(np.uint8)[:, None]
    for picture in (night, hall, ramp):
        assert (without_ground(picture, PAINT) == PAINT).all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_frame_stays_as_it_is(level: int) -> None:
    """Its encoder's noise is no reason to paint it."""
    noise = np.random.default_rng(0).normal(level, 1.5, (90, 120, 3)).clip(0, 255)
    image = noise.astype(np.uint8)
    assert paintable(image) == 0
    np.testing.assert_array_equal(Finish()(image, np.full_like(image, 140)), image)


@pytest.mark.parametrize("fading", ["light", "fog"])
def test_what_fades_is_painted_less_and_less(fading: str) -> None:
    shares = [
        paintable(scene(**{fading: 1 - share if fading == "light" else share}))
        for share in np.linspace(0, 1, 81)
    ]
    assert shares[0] == 1
    assert shares[-1] == 0
    assert all(a >= b > a - 0.2 for a, b in itertools.pairwise(shares))


def test_a_fade_is_seen_while_a_third_of_the_light_is_left() -> None:
    assert 0.5 < paintable(scene(light=1 / 3)) < 0.9


def test_small_lights_in_the_night_are_painted_by_halves() -> None:
    """Neither by what is dark around them alone, nor as a frame that is lit."""
    night = np.full((90, 120, 3), 4, np.uint8)
    night[40:42, 60:62] = 250
    assert 0.2 < paintable(night) < 0.8

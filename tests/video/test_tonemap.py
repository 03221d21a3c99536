from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.video.tonemap import ToneMapper

MAPPERS = {kind: ToneMapper(kind) for kind in ("PQ", "HLG")}


def pq(nits: float) -> int:
    """SMPTE ST 2084, equation 5.2: cd/m2 to a code of 16 bits."""
    power = (nits / 10_000) ** (2610 / 16_384)
    code = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    return round(code * 65_535)


def grey(kind: str, code: int) -> int:
    pixel = MAPPERS[kind].map(np.full((1, 1, 3), code, np.uint16))[0, 0]
    assert np.ptp(pixel) <= 1
    return int(pixel[1])


@pytest.mark.parametrize("nits", [0, 0.5, 5, 20, 60])
def test_below_the_knee_light_is_what_it_was(nits: float) -> None:
    assert abs(grey("PQ", pq(nits)) - 255 * (nits / 203) ** (1 / 2.4)) <= 1.5


def test_paper_stays_bright_and_highlights_keep_apart() -> None:
    levels = [grey("PQ", pq(nits)) for nits in (100, 203, 300, 450, 1000)]
    assert 215 < levels[1] < 240
    assert all(a < b for a, b in pairwise(levels))
    assert levels[-1] == grey("PQ", 65_535) == 255


@pytest.mark.parametrize("kind", MAPPERS)
@settings(deadline=None)
@given(codes=st.lists(st.integers(0, 65_535), min_size=2, max_size=50))
def test_brighter_stays_brighter(kind: str, codes: list[int]) -> None:
    levels = [grey(kind, code) for code in sorted(codes)]
    assert levels == sorted(levels)


def test_hlg_has_its_white_where_pq_has_it() -> None:
    """Reference white is 75 % of HLG's signal and 203 cd/m2 (ITU-R BT.2408)."""
    assert abs(grey("HLG", round(0.75 * 65_535)) - grey("PQ", pq(203))) <= 2
    assert (grey("HLG", 0), grey("HLG", 65_535)) == (0, 255)


def mapped(*rgb: float) -> Any:
    """A colour in cd/m2 of BT.2020."""
    codes = np.array([[[pq(value) for value in rgb]]], np.uint16)
    return MAPPERS["PQ"].map(codes)[0, 0].astype(int)


def test_primaries_become_those_of_bt_709() -> None:
    # The red of BT.709 in BT.2020 (ITU-R BT.2087): it must come back as itself.
    red = mapped(60 * 0.6274, 60 * 0.0691, 60 * 0.0164)
    assert np.abs(red - [255 * (60 / 203) ** (1 / 2.4), 0, 0]).max() <= 6
    assert mapped(0, 50, 0).tolist()[::2] == [0, 0]  # out of gamut: as green as can be


def test_any_shape_and_size() -> None:
    image = np.zeros((3, 5, 3), np.uint16)
    assert (MAPPERS["HLG"].map(image).shape, MAPPERS["HLG"].map(image).dtype) == (
        (3, 5, 3),
        np.uint8,
    )

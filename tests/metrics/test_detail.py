"""Detail: closed forms of checkerboards, waves and ramps."""

import numpy as np
import pytest

from vidstyle.metrics.detail import detail, high_band


def grey(levels: np.ndarray) -> np.ndarray:
    return np.dstack([np.round(levels).astype(np.uint8)] * 3)


def wave(cycles_a_pixel: float, amplitude: float = 60) -> np.ndarray:
    column = np.arange(256)[None] + np.zeros((128, 1))
    return grey(128 + amplitude * np.sin(2 * np.pi * cycles_a_pixel * column))


def test_detail_of_a_checkerboard_is_its_closed_form_and_of_a_ramp_nothing() -> None:
    """Steps of 10 levels: the Laplacian is +-4 * 10 everywhere."""
    rows, columns = np.mgrid[:20, :20]
    assert detail(grey(100 + 10 * ((rows + columns) % 2))) == pytest.approx(40**2, rel=1e-3)
    assert detail(grey(5 * columns)) == pytest.approx(0, abs=1e-3)


def test_the_high_band_holds_fine_waves_whole_and_coarse_ones_not_at_all() -> None:
    """The energy of a wave is half the square of its amplitude."""
    assert high_band(wave(0.375)) == pytest.approx(60**2 / 2, rel=0.02)
    assert high_band(wave(0.375).transpose(1, 0, 2)) == pytest.approx(60**2 / 2, rel=0.02)
    assert high_band(wave(0.125)) < 0.001 * 60**2 / 2


def test_the_high_band_holds_the_finest_wave_whole() -> None:
    """It goes up and down from pixel to pixel; its energy is the square of its amplitude."""
    columns = np.arange(256)[None] + np.zeros((128, 1))
    picture = grey(128 + 60 * (-1) ** columns)
    assert high_band(picture) == pytest.approx(60**2, rel=0.02)
    assert high_band(picture.transpose(1, 0, 2)) == pytest.approx(60**2, rel=0.02)


def test_the_high_band_of_white_noise_is_its_share_of_the_spectrum() -> None:
    """All but the disc of radius 1/4 in the unit square of frequencies."""
    noise = np.random.default_rng(0).normal(128, 20, (240, 320))
    assert high_band(grey(noise)) == pytest.approx((1 - np.pi / 16) * 400, rel=0.03)


def test_a_flat_picture_has_no_detail() -> None:
    flat = grey(np.full((32, 48), 99.0))
    assert high_band(flat) == detail(flat) == pytest.approx(0, abs=1e-6)

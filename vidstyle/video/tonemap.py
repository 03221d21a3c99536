"""HDR pictures to SDR: what is as bright as paper stays, what shines is compressed, not cut off.

Light is decoded as ITU-R BT.2100 says, its reference white of 203 cd/m2 (ITU-R BT.2408) becomes SDR
white, highlights up to 1000 cd/m2 are rolled off by the curve of ITU-R BT.2390, section 5.4.1, and
colours go from BT.2020 to BT.709 primaries (ITU-R BT.2087) and the gamma of ITU-R BT.1886.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidstyle.types import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Light = NDArray[np.float32]

_PEAK, _WHITE, _PQ_PEAK = 1000.0, 203.0, 10_000.0
# 12 bits: no video has more, and tables of this size stay in the processor's cache.
_STEPS = 4096
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)


class ToneMapper:
    """Maps the pictures of one track; everything that does not depend on the picture is a table."""

    def __init__(self, kind: str) -> None:
        """Make the tables for "PQ" or "HLG"."""
        codes = np.linspace(0, 1, _STEPS)
        self._is_hlg = kind == "HLG"
        self._light = (_hlg_scene(codes) if self._is_hlg else _pq_light(codes)).astype(np.float32)
        # Both are looked up by the square root of light, which spends its steps on the dark.
        light = np.linspace(0, 1, _STEPS) ** 2
        nits = np.maximum(light * _PQ_PEAK, 1e-6)
        self._gain = (_rolled_off(nits) / nits / _WHITE).astype(np.float32)
        self._gamma = np.rint(255 * light ** (1 / 2.4)).astype(np.uint8)

    def map(self, image: NDArray[np.uint16]) -> Picture:
        """(H, W, 3) RGB in BT.2020, coded with 16 bits, to 8 bits in BT.709; full range both."""
        light = self._light.take(image >> 4)
        if self._is_hlg:  # the system's gamma of 1.2, for a display of 1000 cd/m2
            light *= _PEAK * (light @ _LUMINANCE)[..., None] ** np.float32(0.2)
        brightest = light.max(axis=2)
        light *= self._gain.take(_root(brightest / np.float32(_PQ_PEAK)))[..., None]
        return self._gamma.take(_root(light @ _TO_709.T))


def _root(light: Light) -> NDArray[np.uint16]:
    """Square roots of 0 to 1, clipped, in steps of the tables."""
    steps = np.sqrt(light.clip(0, 1), dtype=np.float32) * np.float32(_STEPS - 1)
    return np.asarray(steps + np.float32(0.5)).astype(np.uint16)


def _pq_light(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """The PQ EOTF (SMPTE ST 2084): code 0 to 1 to cd/m2."""
    power = code ** (1 / 78.84375)
    ratio = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return np.asarray(_PQ_PEAK * ratio ** (1 / 0.1593017578125))


def _pq_code(nits: NDArray[np.float64] | float) -> NDArray[np.float64]:
    power = (np.asarray(nits) / _PQ_PEAK) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def _hlg_scene(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse HLG OETF (ARIB STD-B67): code 0 to 1 to scene light 0 to 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)


def _rolled_off(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """cd/m2 up to the source's peak to cd/m2 up to SDR white: straight, then a Hermite spline."""
    peak = _pq_code(_PEAK)
    most = _pq_code(_WHITE) / peak
    knee = 1.5 * most - 0.5
    code = np.minimum(_pq_code(nits) / peak, 1)
    t = np.maximum(code - knee, 0) / (1 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (3 * t**2 - 2 * t**3) * most
    )
    return _pq_light(np.where(code < knee, code, spline) * peak)

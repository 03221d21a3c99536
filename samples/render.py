"""Renders the sample clip, and knows its true optical flow: python samples/render.py [output]."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
import cv2
import harbour
import lake
import numpy as np
import sound
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from layers import Array, Layer, Screen
from numpy.typing import NDArray

RATE = 24
"""Frames a second."""


def develop(light: Array) -> NDArray[np.uint8]:
    """(H, W, 3) display values to 8 bits: bright things glow a little, contrast as on film."""
    glow = cv2.GaussianBlur(np.clip(light - 0.75, 0, 1), (0, 0), light.shape[0] / 45)
    light = np.clip(light + 0.5 * glow, 0, 1)
    curve = light * light * (3 - 2 * light)
    return np.round(255 * (0.72 * light + 0.28 * curve)).astype(np.uint8)


def picture_of(image: NDArray[np.uint8], t: int) -> av.VideoFrame:
    """Frame t as the encoder wants it: BT.709, limited range."""
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )
    frame.pts, frame.time_base = t, Fraction(1, RATE)
    return frame


class Sample:
    """The clip at `size` times 640x360; its frames can be asked for in any order."""

    cut_at = lake.FRAMES
    """The first frame after the hard cut."""
    frame_count = lake.FRAMES + harbour.FRAMES

    def __init__(self, size: float = 1.0) -> None:
        self.screen = Screen(size)

    @cached_property
    def _lake(self) -> list[Layer]:
        return self._fitted(lake.paint)

    @cached_property
    def _harbour(self) -> list[Layer]:
        return self._fitted(harbour.paint)

    def _fitted(self, paint: Callable[[float], list[Layer]]) -> list[Layer]:
        """Two texels a pixel, but painted no coarser than at full size: strokes would thicken."""
        density = 2 * self.screen.size
        return [layer.reduced(density) for layer in paint(max(density, 2.0))]

    def _scene(self, t: int) -> tuple[list[Layer], int]:
        if not 0 <= t < self.frame_count:
            raise IndexError(f"frame {t}: the clip has frames 0 to {self.frame_count - 1}")
        return (self._lake, 0) if t < self.cut_at else (self._harbour, self.cut_at)

    def frame(self, t: int) -> NDArray[np.uint8]:
        """(H, W, 3) RGB of frame t."""
        layers, start = self._scene(t)
        return develop(self.screen.compose(layers, t - start))

    def flow(self, t: int, step: int = 1) -> tuple[Array, NDArray[np.bool_]]:
        """Where each pixel of frame t lies in frame t + step: (H, W, 2) pixels, x before y.

        The (H, W) mask is True where that cannot be seen: the point is hidden then, or out of the
        frame, or mixed from several layers. Across the cut nothing can be seen. IndexError where
        there is no such frame.
        """
        (layers, start), (others, _) = self._scene(t), self._scene(t + step)
        if layers is not others:
            shape = self.screen.shape
            return np.zeros((*shape, 2), np.float32), np.ones(shape, np.bool_)
        return self.screen.flow(layers, t - start, t + step - start)

    def render(self, path: Path) -> None:
        """Write the whole clip with its sound: H.264 and AAC in MP4, BT.709."""
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as clip:
            picture = clip.add_stream("libx264", rate=RATE, options={"crf": "17", "preset": "slow"})
            picture.height, picture.width = self.screen.shape
            picture.pix_fmt, context = "yuv420p", picture.codec_context
            context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
            context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
            tone = clip.add_stream("aac", rate=sound.RATE, layout="stereo", bit_rate=128_000)
            for t in range(self.frame_count):
                clip.mux(picture.encode(picture_of(self.frame(t), t)))
            clip.mux(picture.encode(None))
            wave = av.AudioFrame.from_ndarray(self.sound().T.copy(), format="fltp", layout="stereo")
            wave.sample_rate, wave.pts, wave.time_base = sound.RATE, 0, Fraction(1, sound.RATE)
            clip.mux(tone.encode(wave))
            clip.mux(tone.encode(None))

    def sound(self) -> Array:
        """(samples, 2) stereo at `sound.RATE`, within -1 to 1, as long as the picture."""
        return sound.compose(self.frame_count / RATE, self.cut_at / RATE)


if __name__ == "__main__":
    here = Path(__file__).parent / "sample.mp4"
    Sample().render(Path(sys.argv[1]) if len(sys.argv) > 1 else here)

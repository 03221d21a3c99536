"""YUV to RGB and back with the matrix and the range always said, never guessed by swscale.

The codes are those of ITU-T H.273, which FFmpeg shares; the names are FFmpeg's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from vidstyle.types import Colour, Picture
from vidstyle.video.tonemap import ToneMapper

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from numpy.typing import NDArray

UNSPECIFIED = 2
MATRICES = {0: "rgb", 1: "bt709", 5: "smpte170m", 6: "smpte170m", 9: "bt2020nc", 10: "bt2020nc"}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
_MATRIX_CODES = {"rgb": 0, "bt709": 1, "smpte170m": 6, "bt2020nc": 9}
_SWS_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
# Table 4 of H.273.
_KR_KB = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
_HD_HEIGHT = 720
_YUV_OF_GREY = {"gray": "yuv420p"} | {
    f"gray{bits}le": f"yuv420p{bits}le" for bits in (9, 10, 12, 14, 16)
}

# Without these two flags swscale takes a shortcut that darkens every picture by 1.2 levels.
_EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_TO_RGB = Interpolation.BILINEAR | _EXACT
_TO_YUV = Interpolation.BICUBIC | _EXACT


def colour_of(frame: av.VideoFrame) -> Colour:
    """How a decoded frame's samples are to be read; what its file leaves open is filled in.

    An unspecified matrix is BT.709 from 720 lines on and BT.601 below, as players take it.
    """
    if _is_rgb(frame):
        matrix, full = "rgb", True
    else:
        guess = "bt709" if frame.height >= _HD_HEIGHT else "smpte170m"
        # A rare matrix (FCC, SMPTE 240M, ICtCp) is read as what it is and written as BT.709.
        known = frame.colorspace != UNSPECIFIED
        matrix = MATRICES.get(frame.colorspace, "bt709") if known else guess
        full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return Colour(
        matrix,
        full,
        PRIMARIES.get(frame.color_primaries, "unknown"),
        TRANSFERS.get(frame.color_trc, "unknown"),
    )


def output_colour(source: Colour, pixel_format: str) -> Colour:
    """How the painted track is coded: with its source's matrix, RGB sources as BT.709.

    In limited range, also where the source has the full one, for every player reads it right. The
    full range is for those who want every colour back, 4:4:4 (its finer steps keep all of RGB to
    one level), and for the "yuvj" formats, which ask for it by name. Primaries and transfer are
    tags of the RGB values themselves, which painting leaves where they are; HDR has been mapped to
    BT.709.
    """
    primaries, transfer = source.primaries, source.transfer
    matrix = "bt709" if source.matrix == "rgb" else source.matrix
    if source.hdr:
        matrix = primaries = transfer = "bt709"
    if av.VideoFormat(pixel_format).is_rgb:
        return Colour("rgb", True, primaries, transfer)
    full = pixel_format == "yuv444p" or pixel_format.startswith("yuvj")
    return Colour(matrix, full, primaries, transfer)


class RgbReader:
    """Turns decoded frames of one track into packed RGB of one size; keep one for a whole track."""

    def __init__(self, width: int, height: int, fallback: Colour, threads: int = 1) -> None:
        self._width, self._height = width, height
        self._threads = threads
        self._fallback = Colorspace.ITU709
        if fallback.matrix != "rgb":
            self._fallback = _SWS_MATRICES[_MATRIX_CODES[fallback.matrix]]
        self._full = fallback.full_range
        self._reformatter = VideoReformatter()
        self._tone = ToneMapper(fallback.hdr) if fallback.hdr else None
        self.see_through = 0
        """Frames with a pixel that was not solid."""

    def read(self, frame: av.VideoFrame) -> Picture:
        """(H, W, 3) uint8 RGB, as stored: not yet rotated. HDR becomes SDR, see-through black."""
        if self._tone is not None:
            return self._tone.map(np.asarray(self._convert(frame, "rgb48le"), np.uint16))
        if not any(component.is_alpha for component in frame.format.components):
            return np.asarray(self._convert(frame, "rgb24"), np.uint8)
        layer = np.asarray(self._convert(frame, "rgba"), np.uint16)
        self.see_through += bool((layer[..., 3] < 255).any())
        return ((layer[..., :3] * layer[..., 3:] + 127) // 255).astype(np.uint8)

    def _convert(self, frame: av.VideoFrame, pixel_format: str) -> NDArray[Any]:
        colour_range = self._range(frame)
        if frame.color_range == ColorRange.MPEG and frame.format.name in _YUV_OF_GREY:
            frame = _of_same_luma(frame, _YUV_OF_GREY[frame.format.name])
        converted = self._reformatter.reformat(
            frame,
            self._width,
            self._height,
            pixel_format,
            src_colorspace=_SWS_MATRICES.get(frame.colorspace, self._fallback),
            src_color_range=colour_range,
            dst_color_range=ColorRange.JPEG,
            interpolation=_TO_RGB,
            threads=self._threads,
        )
        return converted.to_ndarray()

    def _range(self, frame: av.VideoFrame) -> ColorRange:
        if frame.color_range != ColorRange.UNSPECIFIED:
            return ColorRange(frame.color_range)
        full = frame.format.name.startswith("yuvj") or _is_rgb(frame) or self._full
        return ColorRange.JPEG if full else ColorRange.MPEG


class YuvWriter:
    """Turns packed RGB into an encoder's frames; keep one for a whole track."""

    def __init__(self, colour: Colour, pixel_format: str) -> None:
        self._pixel_format = pixel_format
        self._is_limited_grey = pixel_format in _YUV_OF_GREY and not colour.full_range
        self._weights = _weights(colour) if colour.full_range and colour.matrix != "rgb" else None
        self._matrix = _SWS_MATRICES.get(_MATRIX_CODES[colour.matrix], Colorspace.ITU709)
        self._range = ColorRange.JPEG if colour.full_range else ColorRange.MPEG
        self._reformatter = VideoReformatter()

    def write(self, image: Picture) -> av.VideoFrame:
        """A frame of the chosen pixel format from (H, W, 3) uint8 RGB."""
        if self._weights is None:
            frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(image), "rgb24")
        else:  # swscale would write full-range chroma half a step too low
            samples = image.reshape(-1, 3).astype(np.float32) @ self._weights.T
            samples += np.array([0, 128, 128], np.float32)
            planes = np.rint(samples).clip(0, 255).astype(np.uint8).T.reshape(3, *image.shape[:2])
            frame = av.VideoFrame.from_ndarray(planes, "yuv444p")
        if self._is_limited_grey:
            yuv = self._reformat(frame, _YUV_OF_GREY[self._pixel_format])
            grey = _of_same_luma(yuv, self._pixel_format)
            grey.color_range = self._range
            return grey
        return self._reformat(frame, self._pixel_format)

    def _reformat(self, frame: av.VideoFrame, pixel_format: str) -> av.VideoFrame:
        return self._reformatter.reformat(
            frame,
            format=pixel_format,
            src_colorspace=self._matrix,
            src_color_range=ColorRange.JPEG,
            dst_colorspace=self._matrix,
            dst_color_range=self._range,
            interpolation=_TO_YUV,
            threads=1,
        )


def tag(context: VideoCodecContext, colour: Colour) -> None:
    """Write `colour` into an encoder's header, before it is opened."""
    context.colorspace = _MATRIX_CODES[colour.matrix]
    context.color_range = ColorRange.JPEG if colour.full_range else ColorRange.MPEG
    context.color_primaries = _code(PRIMARIES, colour.primaries)
    context.color_trc = _code(TRANSFERS, colour.transfer)


def _weights(colour: Colour) -> NDArray[np.float32]:
    """The rows of ITU-T H.273, equations 38 to 40: full-range RGB to Y, Cb and Cr."""
    red, blue = _KR_KB[colour.matrix]
    y = np.array([red, 1 - red - blue, blue])
    cb = (np.array([0, 0, 1]) - y) / (2 * (1 - blue))
    cr = (np.array([1, 0, 0]) - y) / (2 * (1 - red))
    return np.stack([y, cb, cr]).astype(np.float32)


def _of_same_luma(frame: av.VideoFrame, pixel_format: str) -> av.VideoFrame:
    """From grey to its twin with chroma, or back: of grey swscale takes the full range for granted.

    Told that both have it, it leaves the luma as it is.
    """
    return frame.reformat(
        format=pixel_format, src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.JPEG
    )


def _is_rgb(frame: av.VideoFrame) -> bool:
    return frame.format.is_rgb or frame.format.has_palette


def _code(names: dict[int, str], name: str) -> int:
    return next((code for code, known in names.items() if known == name), UNSPECIFIED)

"""What most people run today: a Johnson network in eager torch, frame by frame, OpenCV in and out.

It stands on its own, so that nothing that makes vidstyle faster makes the baseline faster, too. It
runs in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from time import perf_counter

import cv2
import torch
from torch import Tensor, nn

from vidstyle.errors import InputError, ResourceError
from vidstyle.stylizers.device import choose_device
from vidstyle.types import Picture

_SECONDS = 2.0
"""How long a round goes on, at least; whole frames are painted."""
_WARM_UP = 2


class JohnsonNetwork(nn.Module):
    """The image transformation network of Johnson et al. (ECCV 2016), as it is used since.

    9x9 to 32 channels, two strided 3x3 to 64 and 128, five residual blocks, back up to 64 and 32,
    9x9 to 3 and a scaled tanh, as in their supplementary material; with instance norm (Ulyanov et
    al. 2016), reflected borders, and upsampling by repetition (Odena et al. 2016). The weights are
    random: they cost as much as trained ones.
    """

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            *_layer(3, 32, 9),
            *_layer(32, 64, 3, stride=2),
            *_layer(64, 128, 3, stride=2),
            *(_Residual(128) for _ in range(5)),
            nn.Upsample(scale_factor=2),
            *_layer(128, 64, 3),
            nn.Upsample(scale_factor=2),
            *_layer(64, 32, 3),
            _convolution(32, 3, 9),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Paint (N, 3, H, W), 0 to 255; height and width are rounded up to multiples of 4."""
        return 127.5 * (1 + torch.tanh(self.layers(x)))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = _layer(width, width, 3), _layer(width, width, 3)
        self.layers = nn.Sequential(*first, *second[:-1])

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.layers(x)
        return x + change


def _layer(inputs: int, outputs: int, size: int, stride: int = 1) -> tuple[nn.Module, ...]:
    norm = nn.InstanceNorm2d(outputs, affine=True)
    return _convolution(inputs, outputs, size, stride), norm, nn.ReLU()


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, padding_mode="reflect")


def paint_baseline(source: Path, output: Path, device: str) -> float:
    """Paint the beginning of a clip without sound, and return the seconds that a frame took.

    Two frames go first that do not count; then as many as take two seconds, one at least.

    Raises:
        InputError: OpenCV cannot read the clip, or finds no third frame in it.
        ResourceError: OpenCV cannot write, or the device is not there.
    """
    paint = _painter(device)
    frames = _read(source)
    first = next(frames, None)
    if first is None:
        raise InputError(f"{source}: OpenCV cannot read it, so there is no baseline")
    write = _writer(output, first)
    for frame in (first, *islice(frames, _WARM_UP - 1)):
        write(paint(frame))
    count, since = 0, perf_counter()
    for frame in frames:
        write(paint(frame))
        count += 1
        if perf_counter() - since >= _SECONDS:
            break
    if not count:
        raise InputError(f"{source}: is too short for the baseline")
    return (perf_counter() - since) / count


@lru_cache(maxsize=1)
def _painter(device: str) -> Callable[[Picture], Picture]:
    """Paints (H, W, 3) BGR frames."""
    where = choose_device(device)
    network = JohnsonNetwork().eval().to(where)

    @torch.inference_mode()
    def paint(frame: Picture) -> Picture:
        height, width = frame.shape[:2]
        rgb = torch.from_numpy(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)).to(where)
        painted = network(rgb.permute(2, 0, 1)[None].float())[0, :, :height, :width]
        pixels = painted.clamp(0, 255).permute(1, 2, 0).byte().cpu().numpy()
        return cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)

    return paint


def _read(source: Path) -> Iterator[Picture]:
    capture = cv2.VideoCapture(str(source))
    try:
        while True:
            there, frame = capture.read()
            if not there:
                return
            yield frame
    finally:
        capture.release()


def _writer(output: Path, first: Picture) -> Callable[[Picture], None]:
    """Writes frames of the size of `first` as MPEG-4, which every build of OpenCV can."""
    size = first.shape[1], first.shape[0]
    writer = cv2.VideoWriter(str(output), cv2.VideoWriter_fourcc(*"mp4v"), 25, size)
    if not writer.isOpened():
        raise ResourceError(f"{output}: OpenCV cannot write video here, so there is no baseline")
    return writer.write

"""VGG19 features relu1_1 ... relu5_1 (Simonyan & Zisserman 2014), from VGG19 or a small stand-in.

Three kinds of file are understood, told apart by their tensors: VGG19 itself; VGG19 in low rank, a
3x3 convolution between a 1x1 `reduce` and a 1x1 `expand` (Kim et al. 2016, "Compression of deep
convolutional neural networks"), which is what comes with vidstyle; and a VGG19 with fewer channels
whose 1x1 `aux` layers map its features to VGG19's (Wang et al. 2020, "Collaborative distillation
for ultra-resolution universal style transfer").
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from vidstyle.errors import InputError

CONVOLUTIONS: Final = (
    *("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv3_4"),
    *("conv4_1", "conv4_2", "conv4_3", "conv4_4", "conv5_1"),
)
POOLED_AFTER: Final = frozenset(("conv1_2", "conv2_2", "conv3_4", "conv4_4"))
TAPS: Final = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
RELU1_1, RELU2_1, RELU3_1, RELU4_1, RELU5_1 = range(5)
"""Where these layers are among the features: they follow TAPS."""
TORCHVISION_INDICES: Final = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28)
"""Where torchvision's `vgg19().features` holds CONVOLUTIONS."""

LEAST_SIDE: Final = 32
"""Of pictures that are looked at, in pixels."""

_NEITHER: Final = "is neither VGG19 nor a stand-in for it"
Padding = Literal["zeros", "reflect"]
VGG19: Final = Path("vgg19")
"""Stands for torchvision's VGG19, wherever a file can be named."""
OXFORD_MEAN: Final = (103.939, 116.779, 123.68)
"""Mean blue, green and red, 0-255, of the original weights' training pictures."""


class PerceptualNetwork(nn.Module):
    """Five feature maps of pictures in [0, 1], frozen.

    Attributes:
        description: what network this is, for a style's card.
    """

    def __init__(
        self,
        tensors: dict[str, Tensor],
        preprocess: nn.Module,
        description: str,
        *,
        padding_mode: Padding = "zeros",
    ) -> None:
        super().__init__()
        self.description = description
        self.preprocess = preprocess
        parts = [part for name in CONVOLUTIONS for part in _parts(name)]
        self.convolutions = nn.ModuleDict(
            {p: _conv(tensors, p, padding_mode) for p in parts if f"{p}.weight" in tensors}
        )
        self.requires_grad_(False).eval()

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features relu1_1 ... relu5_1 of (N, 3, H, W) RGB in [0, 1]; sides from LEAST_SIDE on."""
        features = []
        y = self.preprocess(x)
        for name in CONVOLUTIONS:
            *layer, aux = _parts(name)
            for part in layer:
                y = self.convolutions[part](y) if part in self.convolutions else y
            y = F.relu(y)
            if name in TAPS:
                features.append(
                    F.relu(self.convolutions[aux](y)) if aux in self.convolutions else y
                )
            if name in POOLED_AFTER:
                y = F.max_pool2d(y, 2)
        return features


class OxfordPreprocess(nn.Module):
    """RGB in [0, 1] to the mean-free BGR 0-255 that the original weights expect."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(OXFORD_MEAN).view(1, 3, 1, 1))
        self.mean: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to the same."""
        return x.flip(1) * 255.0 - self.mean


class TorchvisionPreprocess(nn.Module):
    """RGB in [0, 1] to the ImageNet-normalised RGB that torchvision's weights expect."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1))
        self.mean: Tensor
        self.std: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to the same."""
        return (x - self.mean) / self.std


def load_perceptual(path: Path) -> PerceptualNetwork:
    """Load a perceptual network from a safetensors file; "vgg19" is torchvision's, downloaded once.

    Raises:
        InputError: the file is missing or no such network, or the download failed.
    """
    return _download() if path == VGG19 else _load_file(path)


def _load_file(path: Path) -> PerceptualNetwork:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; name one that holds VGG19")
    try:
        tensors = {name: t.float() for name, t in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: no readable safetensors file ({error})") from error
    missing = [
        n for n in CONVOLUTIONS if f"{n}.weight" not in tensors or f"{n}.bias" not in tensors
    ]
    if missing:
        raise InputError(
            f"{path}: not VGG19 up to conv5_1 ({missing[0]} is missing); "
            "give a file with conv1_1 ... conv5_1"
        )
    try:
        network = _network(tensors, path.name)
        network(torch.zeros(1, 3, LEAST_SIDE, LEAST_SIDE))  # layers may not fit one another
    except KeyError as error:
        raise InputError(f"{path}: {_NEITHER} ({error.args[0]} is missing)") from error
    except (ValueError, RuntimeError) as error:
        reason = next(iter(str(error).splitlines()), "")
        raise InputError(f"{path}: {_NEITHER} ({reason})") from error
    return network


def _network(tensors: dict[str, Tensor], name: str) -> PerceptualNetwork:
    if "preprocess.weight" in tensors:
        preprocess = _conv(tensors, "preprocess", "zeros")
        return PerceptualNetwork(tensors, preprocess, name, padding_mode="reflect")
    return PerceptualNetwork(tensors, OxfordPreprocess(), name)


def _download() -> PerceptualNetwork:
    from torchvision.models import VGG19_Weights

    try:
        # Not the whole network: its classifier is seven times as large as what is used here. The
        # library announces its download on standard output, where reports go.
        with redirect_stdout(sys.stderr):
            state = VGG19_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"VGG19 could not be downloaded ({type(error).__name__}); "
            "name a local file with --perceptual PATH"
        ) from error
    tensors = {
        f"{name}.{kind}": state[f"features.{index}.{kind}"]
        for name, index in zip(CONVOLUTIONS, TORCHVISION_INDICES, strict=True)
        for kind in ("weight", "bias")
    }
    return PerceptualNetwork(tensors, TorchvisionPreprocess(), "torchvision VGG19 IMAGENET1K_V1")


def _parts(name: str) -> tuple[str, str, str, str]:
    """What may stand for one convolution, in order; all but the second are 1x1 and optional."""
    return f"{name}_reduce", name, f"{name}_expand", f"{name}_aux"


def _conv(tensors: dict[str, Tensor], name: str, padding_mode: Padding) -> nn.Conv2d:
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    outputs, inputs, size, _ = weight.shape
    layer = nn.Conv2d(inputs, outputs, size, padding=size // 2, padding_mode=padding_mode)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer

"""The networks that paint, one class a tier. Input and output are RGB in [0, 1], or nearly.

Both upsample without leaving a grid: whatever a flat input turns into, it is flat. `FastNet`
shuffles channels into pixels, which is cheap, and smooths away the phases that this leaves;
`BestNet` repeats pixels before it convolves (Odena et al. 2016, "Deconvolution and checkerboard
artifacts").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vidstyle.types import StyleCard, Tier


class InstanceNorm(nn.InstanceNorm2d):
    """Instance norm (Ulyanov et al. 2016) whose statistics are taken in fp32 whatever x is.

    Its epsilon is a hundred times the usual one, so that a fade to black, whose variance is all
    noise, is not normalised into a storm.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-3, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W) over H and W; half precision overflows in the variance."""
        with torch.autocast(x.device.type, enabled=False):
            scale, shift = self.scale_and_shift()
            return F.instance_norm(x.float(), weight=scale, bias=shift, eps=self.eps).to(x.dtype)

    def scale_and_shift(self) -> tuple[Tensor, Tensor]:
        """What each channel is multiplied with once it is normalised, and what is added; (C,)."""
        return self.weight, self.bias


class ConditionalNorm(InstanceNorm):
    """Instance norm with scales and shifts of their own for each of several styles.

    Dumoulin et al. (2017), "A learned representation for artistic style": all styles share the
    convolutions, and what lies between two styles' scales and shifts paints between the styles.
    """

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__(channels)
        self.weight = nn.Parameter(torch.ones(styles, channels))
        self.bias = nn.Parameter(torch.zeros(styles, channels))
        self.shares = torch.zeros(styles)
        """Of each style in what is painted."""

    def scale_and_shift(self) -> tuple[Tensor, Tensor]:
        """As much of each style's as its share says."""
        return self.shares @ self.weight, self.shares @ self.bias


def convolution(inputs: int, outputs: int, size: int = 3, *, stride: int = 1) -> nn.Conv2d:
    """Build a convolution that keeps height and width, up to its stride.

    Zero padding paints frames around the picture, so the border is reflected.
    """
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, padding_mode="reflect")


class ResidualBlock(nn.Module):
    """Two normalised 3x3 convolutions around a short cut (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.first_norm = InstanceNorm(width)
        self.second = convolution(width, width)
        self.second_norm = InstanceNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        y = F.relu(self.first_norm(self.first(x)))
        change: Tensor = self.second_norm(self.second(y))
        return x + change


def binomial(channels: int) -> Tensor:
    """Build the 3x3 binomial filter for (N, channels, H, W), as (channels, 1, 3, 3)."""
    # On a meta device this product would load half of torch, a second of everyone's time.
    row = torch.tensor([0.25, 0.5, 0.25], device="cpu")
    return (row[:, None] * row).expand(channels, 1, 3, 3).contiguous()


class SmoothShuffle(nn.Module):
    """Sub-pixel upsampling by two, and a 3x3 binomial filter that makes its four phases agree.

    The filter is zero at the period-2 frequencies, where differences between the phases live, so no
    choice of weights leaves a grid on a flat area.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = convolution(inputs, 4 * outputs)
        self.register_buffer("kernel", binomial(outputs), persistent=False)
        self.kernel: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, outputs, 2H, 2W)."""
        y = F.pixel_shuffle(self.convolution(x), 2)
        y = F.pad(y, (1, 1, 1, 1), mode="reflect")  # goes on with the phases where they left off
        return F.conv2d(y, self.kernel.to(y.dtype), groups=self.kernel.shape[0])


class SmoothColour(nn.Module):
    """Sub-pixel upsampling by two, the binomial filter, and a 3x3 convolution to RGB, all in one.

    All three are linear, so together they are one 3x3 convolution at the small size: a third of the
    time of doing them in turn at the full one.
    """

    def __init__(self, features: int) -> None:
        """Take `features` maps at full size, which are four times as many at half of it."""
        super().__init__()
        self.colour = nn.Conv2d(features, 3, 3)
        self.register_buffer("kernel", binomial(1), persistent=False)
        self.kernel: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """(N, 4 features, H, W) to (N, 3, 2H, 2W)."""
        bias = self.colour.bias.repeat_interleave(4)  # type: ignore[union-attr]
        y = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.pixel_shuffle(F.conv2d(y, self.weight(), bias), 2)

    def weight(self) -> Tensor:
        """Compose the (12, 4 features, 3, 3) kernel at half size."""
        weight = self.colour.weight
        taps = F.conv2d(weight.reshape(-1, 1, 3, 3), self.kernel.to(weight.dtype), padding=2)
        taps = taps.reshape(3, 1, -1, 5, 5)
        return F.pixel_unshuffle(torch.cat(phases(taps), dim=1).flatten(0, 1), 2)


def phases(kernel: Tensor) -> list[Tensor]:
    """Make of a kernel (..., k, k) the four (..., k + 1, k + 1) of the pixels in each 2x2 square.

    The one of the pixel (a, b) begins a rows and b columns into what the four may see.
    """
    return [F.pad(kernel, (b, 1 - b, a, 1 - a)) for a in (0, 1) for b in (0, 1)]


class RepeatedPixels(nn.Conv2d):
    """Pixels repeated to twice the size, and a 3x3 convolution, in one.

    Repeating is a transposed convolution with four ones. With the other it is one of 4x4: less than
    half of the operations, and no picture of the larger size in between.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, 2H, 2W)."""
        kernel = torch.stack(phases(self.weight.flip(2, 3))).sum(0).transpose(0, 1)
        # Repeated pixels, reflected at the border, are the border's repeated once more.
        y = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.conv_transpose2d(y, kernel, self.bias, stride=2, padding=3)


class WideColour(nn.Conv2d):
    """A wide convolution to RGB, of four pixels at once.

    Matrix units compute 16 outputs at the price of 3, so 12 at once take less than half the time.
    """

    def __init__(self, features: int, size: int) -> None:
        super().__init__(features, 3, size)

    def forward(self, x: Tensor) -> Tensor:
        """(N, features, H, W) to (N, 3, H, W), both even."""
        reach = self.kernel_size[0] // 2
        kernels = torch.stack(phases(self.weight), dim=1).flatten(0, 1)
        bias = self.bias.repeat_interleave(4)  # type: ignore[union-attr]
        y = F.pad(x, (reach,) * 4, mode="reflect")
        return F.pixel_shuffle(F.conv2d(y, kernels, bias, stride=2), 2)


BORDER: Final = 8
"""What a discriminator sees at the border of a picture differs from what it sees inside, and
teaches painters a frame as wide as this."""


def begin_with_nothing(layer: nn.Conv2d) -> None:
    """Let a last layer give 0 until it learns otherwise."""
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


class StyleNetwork(nn.Module):
    """What every painter has: pictures in, pictures of the same size out.

    A residual one changes the picture instead of painting it anew, and begins with no change: what
    normalisation takes away, light and contrast of the whole, stays. What it gives may leave
    [0, 1]: cut off there, it would not learn to come back.
    """

    multiple: Final = 4
    """Height and width must be multiples of this."""
    least: Final = 20
    """Least height and width: a reflected border is narrower than what it reflects."""

    def __init__(self, *, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual

    @property
    def border(self) -> int:
        """Pixels around a picture to be painted with it and cut off again."""
        return BORDER if self.residual else 0

    def forward(self, x: Tensor) -> Tensor:
        """Paint (N, 3, H, W)."""
        painted = self.decode(self.encode(x))
        return x + (2 * painted - 1) if self.residual else painted

    def encode(self, x: Tensor) -> Tensor:
        """See what (N, 3, H, W) shows: features (N, C, H / 4, W / 4)."""
        raise NotImplementedError

    def decode(self, features: Tensor) -> Tensor:
        """Paint what `encode` saw."""
        raise NotImplementedError


class FastNet(StyleNetwork):
    """The `fast` tier: most of it runs at a quarter of the size, and nothing at the full one.

    A pixel-unshuffle stem (Shi et al. 2016, reversed) folds 4x4 pixels into channels, residual
    blocks see 92 pixels across, and two smoothed sub-pixel steps return to full size. Dilated
    blocks would see farther, but paint a lattice of dots into textures.
    """

    def __init__(
        self,
        width: int = 32,
        half_width: int = 16,
        full_width: int = 8,
        blocks: int = 5,
        *,
        residual: bool = False,
    ) -> None:
        super().__init__(residual=residual)
        self.stem = convolution(3 * 4 * 4, width)
        self.stem_norm = InstanceNorm(width)
        self.trunk = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.to_half = SmoothShuffle(width, half_width)
        self.half_norm = InstanceNorm(half_width)
        self.phases = convolution(half_width, 4 * full_width)
        self.phases_norm = InstanceNorm(4 * full_width)
        self.to_full = SmoothColour(full_width)
        if residual:
            begin_with_nothing(self.to_full.colour)

    def encode(self, x: Tensor) -> Tensor:
        """See StyleNetwork."""
        y: Tensor = self.trunk(F.relu(self.stem_norm(self.stem(F.pixel_unshuffle(x - 0.5, 4)))))
        return y

    def decode(self, features: Tensor) -> Tensor:
        """See StyleNetwork."""
        y = F.relu(self.half_norm(self.to_half(features)))
        y = F.relu(self.phases_norm(self.phases(y)))
        return torch.sigmoid(self.to_full(y))


class BestNet(StyleNetwork):
    """The `best` tier: the residual network of Johnson et al. (2016), upsampling by repetition.

    With 9 blocks and ends of 7 pixels it is the generator of CycleGAN (Zhu et al. 2017).
    """

    def __init__(
        self, width: int = 24, blocks: int = 5, ends: int = 9, *, residual: bool = False
    ) -> None:
        """Build it with first and last filters of `ends` x `ends` pixels."""
        super().__init__(residual=residual)
        one, two, four = width, 2 * width, 4 * width
        self.encoder = nn.ModuleList(
            (
                convolution(3, one, ends),
                convolution(one, two, stride=2),
                convolution(two, four, stride=2),
            )
        )
        self.encoder_norms = nn.ModuleList(InstanceNorm(n) for n in (one, two, four))
        self.trunk = nn.Sequential(*(ResidualBlock(four) for _ in range(blocks)))
        self.decoder = nn.ModuleList((RepeatedPixels(four, two), RepeatedPixels(two, one)))
        self.decoder_norms = nn.ModuleList(InstanceNorm(n) for n in (two, one))
        self.colour = WideColour(one, ends)
        if residual:
            begin_with_nothing(self.colour)

    def encode(self, x: Tensor) -> Tensor:
        """See StyleNetwork."""
        y = x - 0.5
        for layer, norm in zip(self.encoder, self.encoder_norms, strict=True):
            y = F.relu(norm(layer(y)))
        features: Tensor = self.trunk(y)
        return features

    def decode(self, features: Tensor) -> Tensor:
        """See StyleNetwork."""
        y = features
        for layer, norm in zip(self.decoder, self.decoder_norms, strict=True):
            y = F.relu(norm(layer(y)))
        return torch.sigmoid(self.colour(y))


def norms(network: nn.Module) -> dict[str, InstanceNorm]:
    """Every norm of a network by its name."""
    return {name: m for name, m in network.named_modules() if isinstance(m, InstanceNorm)}


def make_conditional(network: StyleNetwork, styles: int) -> StyleNetwork:
    """Give a network's norms parameters for several styles; the rest they share."""
    for name, norm in norms(network).items():
        conditional = ConditionalNorm(norm.num_features, styles)
        network.set_submodule(name, conditional.to(norm.weight.device))
    return network


def own_weights(network: nn.Module) -> list[str]:
    """Names of all that a style has to itself where several share a network."""
    return [f"{norm}.{kind}" for norm in norms(network) for kind in ("weight", "bias")]


def choose_shares(network: nn.Module, shares: Tensor) -> None:
    """Let a conditional network paint the styles in `shares` (S,), together 1."""
    for module in network.modules():
        if isinstance(module, ConditionalNorm):
            module.shares = shares


NETWORKS: Final[dict[str, Callable[..., StyleNetwork]]] = {"FastNet": FastNet, "BestNet": BestNet}
"""Networks that a style's card may name."""

TIER_NETWORK: Final[dict[Tier, str]] = {"fast": "FastNet", "best": "BestNet"}
"""The network that each tier is trained with."""


def build(card: StyleCard) -> StyleNetwork:
    """Build the network that a card describes, with random weights.

    Raises:
        TypeError: the card gives a parameter that the network does not have.
    """
    return NETWORKS[card.network](**card.parameters)

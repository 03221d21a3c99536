"""The networks: sizes, flatness without a grid, norms in fp32."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from vidstyle.stylizers.card import NETWORK_NAMES
from vidstyle.stylizers.networks import (
    NETWORKS,
    InstanceNorm,
    RepeatedPixels,
    SmoothColour,
    SmoothShuffle,
    StyleNetwork,
    WideColour,
    binomial,
)


@pytest.fixture(params=sorted(NETWORKS))
def network(request: pytest.FixtureRequest) -> StyleNetwork:
    torch.manual_seed(0)
    small = {"FastNet": {}, "BestNet": {"width": 8, "blocks": 2}}[request.param]
    return NETWORKS[request.param](**small).eval()


@torch.no_grad()
def test_keeps_size_and_range(network: StyleNetwork) -> None:
    painted = network(torch.rand(2, 3, 24, 36))
    assert painted.shape == (2, 3, 24, 36)
    assert painted.min() >= 0
    assert painted.max() <= 1


@torch.no_grad()
def test_a_flat_picture_is_painted_flat_to_its_very_border(network: StyleNetwork) -> None:
    """A grid of the upsampling or a frame of the padding would show here with any weights."""
    painted = network(torch.full((1, 3, 48, 64), 0.3))
    assert (painted - painted[..., 24:25, 32:33]).abs().max() < 1e-4


@torch.no_grad()
def test_a_residual_network_begins_with_no_change_and_learns_to_make_one(
    network: StyleNetwork,
) -> None:
    residual = type(network)(residual=True)
    picture = torch.rand(1, 3, 24, 36)
    assert torch.equal(residual(picture), picture)
    for parameter in residual.parameters():
        parameter.add_(0.01)
    assert torch.allclose(
        residual(picture) - picture, 2 * residual.decode(residual.encode(picture)) - 1
    )
    assert not torch.allclose(residual(picture), picture)


@torch.no_grad()
def test_the_least_size_is_painted(network: StyleNetwork) -> None:
    assert network(torch.rand(1, 3, network.least, network.least)).isfinite().all()


@torch.no_grad()
def test_smooth_shuffle_makes_the_four_phases_agree() -> None:
    torch.manual_seed(0)
    up = SmoothShuffle(3, 2)(torch.full((1, 3, 8, 8), 0.7))
    assert (up - up[..., :1, :1]).abs().max() < 1e-6


@torch.no_grad()
def test_smooth_colour_is_shuffle_filter_and_convolution_in_one() -> None:
    torch.manual_seed(0)
    layer = SmoothColour(2)
    x = torch.randn(1, 8, 6, 7)
    full = F.conv2d(F.pixel_shuffle(x, 2), binomial(2), padding=1, groups=2)
    apart = F.conv2d(full, layer.colour.weight, layer.colour.bias, padding=1)
    assert torch.allclose(layer(x)[..., 2:-2, 2:-2], apart[..., 2:-2, 2:-2], atol=1e-6)


@torch.no_grad()
@given(st.integers(2, 9), st.integers(2, 9))
def test_repeated_pixels_are_repetition_and_convolution_in_one(height: int, width: int) -> None:
    torch.manual_seed(0)
    layer = RepeatedPixels(3, 2)
    x = torch.randn(1, 3, height, width)
    repeated = F.pad(F.interpolate(x, scale_factor=2.0, mode="nearest"), (1,) * 4, mode="reflect")
    assert torch.allclose(layer(x), F.conv2d(repeated, layer.weight, layer.bias), atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("size", [3, 7, 9])
def test_wide_colour_is_one_reflected_convolution(size: int) -> None:
    torch.manual_seed(0)
    layer = WideColour(4, size)
    x = torch.randn(2, 4, 10, 12)
    reflected = F.pad(x, (size // 2,) * 4, mode="reflect")
    assert torch.allclose(layer(x), F.conv2d(reflected, layer.weight, layer.bias), atol=1e-5)


def test_a_card_may_name_every_network_there_is() -> None:
    assert set(NETWORKS) == NETWORK_NAMES


def test_norm_statistics_are_taken_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    """On GPUs, squares of such values would overflow; CPUs sum in fp32 anyway."""
    x, seen = torch.randn(1, 2, 16, 16).half() * 3000, []
    instance_norm = F.instance_norm

    def watched(values: torch.Tensor, **rest: object) -> torch.Tensor:
        seen.append(values.dtype)
        return instance_norm(values, **rest)

    monkeypatch.setattr(F, "instance_norm", watched)
    normed = InstanceNorm(2)(x)
    assert (seen, normed.dtype) == ([torch.float32], torch.float16)
    assert normed.isfinite().all()


def test_parameter_counts_stay_in_budget() -> None:
    sizes = {name: sum(p.numel() for p in net().parameters()) for name, net in NETWORKS.items()}
    assert sizes["FastNet"] < 140_000
    assert sizes["BestNet"] < 1_000_000


def test_a_network_without_memory_has_every_shape_and_no_price() -> None:
    """Arithmetic on a meta device would import 900 modules, a second at every start."""
    with torch.device("meta"):
        network = NETWORKS["FastNet"](width=8, half_width=4, full_width=4, blocks=1)
    assert {tensor.device.type for tensor in network.state_dict().values()} == {"meta"}
    assert {tensor.device.type for tensor in network.buffers()} == {"cpu"}

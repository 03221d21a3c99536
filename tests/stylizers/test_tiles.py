"""Tiles paint what the whole network paints."""

import pytest
import torch

from vidstyle.stylizers.networks import (
    NETWORKS,
    StyleNetwork,
    choose_shares,
    make_conditional,
    norms,
)
from vidstyle.stylizers.tiles import TiledNetwork

SMALL = {
    "FastNet": {"width": 16, "half_width": 8, "full_width": 4},
    "BestNet": {"width": 4, "blocks": 2},
}


def network(name: str) -> StyleNetwork:
    """Random weights, with norms that do something."""
    torch.manual_seed(1)
    made = NETWORKS[name](**SMALL[name]).eval().requires_grad_(False)
    for parameter in made.parameters():
        if parameter.ndim == 1:
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


def view(height: int, width: int) -> torch.Tensor:
    """Half of it is bright and rough, half dark and smooth: no tile is like the whole."""
    picture = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(2))
    picture[..., : width // 2] = 0.1 + 0.05 * picture[..., : width // 2]
    return picture


@pytest.mark.parametrize("name", ["FastNet", "BestNet"])
@pytest.mark.parametrize("size", [(224, 320), (388, 220), (132, 20), (64, 64)])
def test_seams_cannot_be_seen(name: str, size: tuple[int, int]) -> None:
    whole = network(name)
    picture = view(*size)
    difference = (TiledNetwork(whole, 64)(picture) - whole(picture)).abs().max()
    assert float(difference) * 255 < 0.1


@pytest.mark.parametrize("name", ["FastNet", "BestNet"])
def test_a_second_frame_has_statistics_of_its_own(name: str) -> None:
    whole = network(name)
    tiled = TiledNetwork(whole, 64)
    tiled(view(96, 128))
    other = 1 - view(96, 128)
    assert float((tiled(other) - whole(other)).abs().max()) * 255 < 0.1


def test_a_mixture_in_half_precision_is_weighed_in_full() -> None:
    whole = network("FastNet")
    make_conditional(whole, 2)
    whole.requires_grad_(False)
    generator = torch.Generator().manual_seed(4)
    for norm in norms(whole).values():
        norm.weight.add_(torch.randn(norm.weight.shape, generator=generator))
    choose_shares(whole, torch.tensor((0.3, 0.7)))
    picture = view(96, 128)
    with torch.autocast("cpu", torch.bfloat16):
        tiled = TiledNetwork(whole, 64)(picture).float()
        difference = (tiled - whole(picture).float()).abs()
        weighed = [norm.scale_and_shift()[0] for norm in norms(whole).values()]
    assert all(scale.dtype == torch.bfloat16 for scale in weighed), "what must be kept out"
    assert float(difference.mean()) * 255 < 0.12, "0.07; in half precision it were 0.16"


def test_every_tile_is_a_sign_of_life() -> None:
    tiled = TiledNetwork(network("FastNet"), 64)
    seen: list[int] = []
    tiled._network.stem.register_forward_pre_hook(lambda *_: seen.append(tiled.tiles))
    tiled(view(128, 64))
    assert len(seen) > 4
    assert seen == list(range(len(seen)))


def test_only_a_tile_and_its_surroundings_are_in_memory() -> None:
    whole = network("FastNet")
    tiled, seen = TiledNetwork(whole, 64), []
    tiled._network.stem.register_forward_pre_hook(lambda _, x: seen.append(x[0].shape[-2:]))
    tiled(view(512, 512))
    most = (64 + 2 * tiled._halo) // 4
    assert max(max(shape) for shape in seen) <= most < 512 // 4


@pytest.mark.parametrize("side", [0, 6, -4])
def test_odd_sides_are_refused(side: int) -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        TiledNetwork(network("FastNet"), side)

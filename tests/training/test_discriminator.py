"""Judges see patches of 70 pixels, or features; a pool gives back what came in, half of it late."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from vidstyle.perceptual.network import PerceptualNetwork, load_perceptual
from vidstyle.stylizers.networks import InstanceNorm
from vidstyle.training.discriminator import FeatureDiscriminator, ImagePool, PatchGAN


def without_norms(discriminator: PatchGAN) -> PatchGAN:
    """A norm's statistics see the whole picture, but tell next to nothing of a single pixel."""
    for place, layer in enumerate(discriminator.layers):
        if isinstance(layer, InstanceNorm):
            discriminator.layers[place] = nn.Identity()
    return discriminator


def test_a_score_is_on_a_patch_of_70_by_70_pixels() -> None:
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 128, 128, requires_grad=True)
    scores = without_norms(PatchGAN(4))(picture)
    assert scores.shape == (1, 1, 14, 14)
    scores[0, 0, 7, 6].backward()
    assert picture.grad is not None
    rows, columns = picture.grad.abs().sum((0, 1)).nonzero().unbind(1)
    assert rows.max() - rows.min() + 1 == 70
    assert columns.max() - columns.min() + 1 == 70


def test_a_discriminator_of_64_channels_is_the_papers() -> None:
    weights = sum(p.numel() for n, p in PatchGAN().named_parameters() if p.dim() == 4)
    assert weights == 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512)


@pytest.fixture
def eyes(perceptual: Path) -> PerceptualNetwork:
    return load_perceptual(perceptual)


def test_a_discriminator_of_features_sees_every_picture_and_learns_with_its_heads_alone(
    eyes: PerceptualNetwork,
) -> None:
    torch.manual_seed(0)
    discriminator = FeatureDiscriminator(eyes, [torch.rand(1, 3, 48, 48)], 4)
    picture = torch.rand(2, 3, 64, 48, requires_grad=True)
    scores = discriminator(picture)
    assert scores.shape == (2, 3, 8, 6)
    scores.sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum((1, 2, 3)).min() > 0
    assert {name.split(".")[0] for name in discriminator.state_dict()} == {"sizes", "heads"}
    assert all(p.grad is not None for p in discriminator.parameters())


def test_features_of_any_size_are_judged_as_if_they_were_1(eyes: PerceptualNetwork) -> None:
    torch.manual_seed(0)
    bright = torch.rand(1, 3, 48, 48)
    pictures = [bright, bright / 2]
    discriminator = FeatureDiscriminator(eyes, pictures, 4)
    scores = discriminator(bright)
    for place, layer in enumerate((1, 2, 3)):
        seen = [eyes(picture)[layer] for picture in pictures]
        size = torch.stack([features.square().mean() for features in seen]).mean().sqrt()
        one = discriminator.heads[place](seen[0] / size)
        assert torch.allclose(scores[:, place], F.adaptive_avg_pool2d(one, 6)[:, 0], atol=1e-6)


def numbered(numbers: list[int]) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)


def test_until_it_is_full_a_pool_gives_back_what_comes_in() -> None:
    pool, rng = ImagePool(4, size=5), np.random.default_rng(0)
    assert torch.equal(pool.exchange(numbered([1, 2, 3]), rng), numbered([1, 2, 3]))
    assert torch.equal(pool.exchange(numbered([4, 5]), rng), numbered([4, 5]))
    assert torch.equal(pool.pictures, numbered([1, 2, 3, 4, 5]))


@given(seed=st.integers(0, 2**32 - 1), batch=st.integers(1, 4), count=st.integers(0, 30))
def test_what_goes_into_a_full_pool_comes_out_or_is_kept(seed: int, batch: int, count: int) -> None:
    size = 6
    pool, rng = ImagePool(4, size), np.random.default_rng(seed)
    pool.exchange(numbered(list(range(size))), rng)
    came_in, came_out = list(range(size)), []
    for k in range(count):
        new = [100 + batch * k + i for i in range(batch)]
        came_in += new
        came_out += pool.exchange(numbered(new), rng)[:, 0, 0, 0].tolist()
    kept = pool.pictures[:, 0, 0, 0].tolist()
    assert sorted(kept + came_out) == sorted(came_in)
    assert len(kept) == size


def test_half_of_what_a_full_pool_gives_is_old() -> None:
    pool, rng = ImagePool(4, size=50), np.random.default_rng(0)
    old = 0
    for k in range(1050):
        out = pool.exchange(numbered([k]), rng)[0, 0, 0, 0].item()
        old += out != k
    assert old / 1000 == pytest.approx(0.5, abs=0.05)


def test_a_pool_keeps_no_graph_and_is_part_of_a_checkpoint() -> None:
    pool, rng = ImagePool(4, size=3), np.random.default_rng(0)
    pool.exchange(numbered([1, 2]).clone().requires_grad_() * 2, rng)
    assert not pool.pictures.requires_grad
    other = ImagePool(4, size=3)
    other.load_state_dict(pool.state_dict())
    assert int(other.filled) == 2
    assert torch.equal(other.pictures, pool.pictures)

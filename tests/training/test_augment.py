"""Augmentation: the same for the same draw, small enough to know the picture, differentiable."""

import numpy as np
import torch

from vidstyle.training.augment import CUT, SHIFT, augment


def draw(pictures: torch.Tensor, seed: int) -> torch.Tensor:
    return augment(pictures, np.random.default_rng(seed))


def test_every_picture_is_changed_in_its_own_way() -> None:
    pictures = torch.rand(1, 3, 32, 32).expand(2, -1, -1, -1)
    changed = draw(pictures, 0)
    assert changed.shape == pictures.shape
    assert not torch.equal(changed[0], changed[1])
    assert torch.equal(changed, draw(pictures, 0))
    assert not torch.equal(changed, draw(pictures, 1))


def test_of_a_flat_picture_the_hole_and_what_moved_in_are_mid_grey() -> None:
    """Else it stays flat, and keeps at least the share that shift and hole must leave."""
    greys, levels, borders = [], [], 0
    for seed in range(40):
        changed = draw(torch.full((1, 3, 64, 64), 0.9), seed)
        grey = (changed == 0.5).all(1)
        kept = changed[(~grey)[:, None].expand_as(changed)]
        assert kept.max() - kept.min() < 1e-5
        assert 0.65 - 1e-6 <= kept.mean() <= 1.15 + 1e-6
        borders += grey[0, 0].all() or grey[0, :, 0].all()
        greys.append(grey.float().mean().item())
        levels.append(kept.mean().item())
    assert 1 - (1 - SHIFT) ** 2 < max(greys) <= CUT**2 + 2 * SHIFT
    assert min(greys) > 0
    assert borders > 10
    assert np.std(levels) > 0.1


def test_contrast_and_saturation_change_as_far_as_they_may() -> None:
    """Seen on a picture that is grey on its left and red on its right."""
    picture = torch.full((1, 3, 64, 64), 0.3)
    picture[:, 0, :, 32:] = 0.8
    contrasts, saturations = [], []
    for seed in range(40):
        pixels = draw(picture, seed)[0].flatten(1).T
        spread = pixels.max(1).values - pixels.min(1).values
        red, grey = pixels[spread > 1e-3], pixels[(spread < 1e-3) & (pixels != 0.5).any(1)]
        contrasts.append(((red.mean() - grey.mean()) / (0.5 / 3)).item())
        saturations.append(spread.max().item() / 0.5 / contrasts[-1])
    for values, most in ((contrasts, 1.5), (saturations, 2.0)):
        assert max(values) <= most + 1e-4
        assert max(values) > 0.9 * most
    assert 0.5 - 1e-4 <= min(contrasts) < 0.6
    assert 0 <= min(saturations) < 0.2


def test_the_painter_learns_through_it() -> None:
    pictures = torch.rand(2, 3, 32, 32, requires_grad=True)
    draw(pictures, 3).square().sum().backward()
    assert pictures.grad is not None
    assert (pictures.grad != 0).float().mean() > 0.4

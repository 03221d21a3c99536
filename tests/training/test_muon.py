"""Muon against torch's own, which takes matrices, and what it is for."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from vidstyle.training.muon import Muon, orthogonal


@given(st.integers(1, 12), st.integers(1, 12), st.integers(-12, 6), st.integers(0, 99))
def test_singular_values_become_nearly_one(
    rows: int, columns: int, exponent: int, seed: int
) -> None:
    """However small or large the matrix is."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.linspace(0.3, 1, min(rows, columns))
    left, right = (
        torch.linalg.qr(torch.randn(side, len(values), generator=generator))[0]
        for side in (rows, columns)
    )
    found = orthogonal(10.0**exponent * left * values @ right.T)
    assert found.shape == (rows, columns)
    assert torch.linalg.svdvals(found).min() > 0.6
    assert torch.linalg.svdvals(found).max() < 1.25


def test_no_gradient_is_no_direction() -> None:
    assert torch.equal(orthogonal(torch.zeros(3, 5)), torch.zeros(3, 5))


@pytest.mark.parametrize("shape", [(4, 18), (16, 9)])
def test_kernels_learn_as_torch_lets_matrices_learn(shape: tuple[int, int]) -> None:
    """But for torch's iteration in bfloat16."""
    generator = torch.Generator().manual_seed(0)
    begin = torch.randn(shape, generator=generator)
    matrix = nn.Parameter(begin.clone())
    kernel = nn.Parameter(begin.clone().view(shape[0], -1, 3, 3))
    theirs = torch.optim.Muon(
        [matrix], lr=0.01, weight_decay=0, adjust_lr_fn="match_rms_adamw", momentum=0.95
    )
    ours = Muon([kernel])
    ours.param_groups[0]["lr"] = 0.01
    for _ in range(5):
        matrix.grad = torch.randn(shape, generator=generator)
        kernel.grad = matrix.grad.view_as(kernel).clone()
        theirs.step()
        ours.step()
    moved = (matrix - begin).norm()
    assert (kernel.flatten(1) - matrix).norm() < 0.02 * moved


def test_finds_a_kernel_that_made_a_picture() -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randn(1, 3, 16, 16, generator=generator)
    true = torch.randn(2, 3, 3, 3, generator=generator)
    kernel = nn.Parameter(torch.zeros_like(true))
    optimizer = Muon([kernel])
    for step in range(200):
        optimizer.zero_grad()
        F.mse_loss(F.conv2d(pictures, kernel), F.conv2d(pictures, true)).backward()
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 200)
        optimizer.step()
    assert (kernel - true).norm() < 0.05 * true.norm()

"""How far two sets of feature vectors are from each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Features = NDArray[np.float64]
"""(N, D): one row a picture, or a place in a picture."""

_RESAMPLES = 1000
_SEED = 20


@dataclass(frozen=True)
class Interval:
    """A measured value and where it may as well lie."""

    value: float
    low: float
    high: float


def gram_distance(painted: Sequence[Tensor], style: Sequence[Tensor]) -> float:
    """Distance of Gram matrices (Gatys et al., CVPR 2016), free of scale; 0 is alike.

    The square distance over the style's own square, mean over the layers. Takes the feature maps
    (1, C, H, W) of the painting and of the style image, which may differ in size.
    """
    pairs = [(_gram(p), _gram(s)) for p, s in zip(painted, style, strict=True)]
    layers = [(p - s).square().sum() / s.square().sum() for p, s in pairs]
    return float(torch.stack(layers).mean())


def _gram(features: Tensor) -> Tensor:
    flat = features[0].flatten(1).float()
    return flat @ flat.T / flat.shape[1]


def places(features: Tensor) -> Features:
    """The vectors at all places of feature maps (1, C, H, W): (H * W, C), for `frechet`."""
    return features[0].flatten(1).T.double().cpu().numpy()


def frechet(a: Features, b: Features) -> float:
    """Frechet distance of the normal distributions with the sets' means and covariances.

    |m - n|² + tr(S + T - 2 (S T)^½) (Heusel et al., NeurIPS 2017): FID on Inception's features of
    two sets, SIFID on the places of two pictures. It falls with the size of the sets: compare
    only at one N. Raises ValueError with fewer than two rows.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError("a Frechet distance needs at least two vectors on both sides")
    s, t = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values, vectors = np.linalg.eigh(s)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ t @ root).clip(min=0)).sum()
    apart = np.square(a.mean(0) - b.mean(0)).sum()
    return float(max(apart + np.trace(s) + np.trace(t) - 2 * cross, 0.0))


def kid(a: Features, b: Features, resamples: int = _RESAMPLES) -> Interval:
    """Kernel inception distance (Binkowski et al., ICLR 2018) with its 95 % bootstrap interval.

    The unbiased square maximum mean discrepancy with the kernel (x·y / D + 1)³, over all pictures
    at once. Unbiased at any N, so the one to decide by when sets are small; it may be a little
    below 0. Both sets are resampled together; a picture drawn twice is never paired with itself.
    Raises ValueError with fewer than two rows.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError("a kernel distance needs at least two vectors on both sides")
    kernels = _kernel(a, a), _kernel(b, b), _kernel(a, b)
    for own in kernels[:2]:
        np.fill_diagonal(own, 0)
    rng = np.random.default_rng(_SEED)
    drawn = [_resampled(rng, len(rows), resamples) for rows in (a, b)]
    low, high = np.quantile(_discrepancy(*kernels, *drawn), (0.025, 0.975))
    value = _discrepancy(*kernels, np.ones((1, len(a))), np.ones((1, len(b))))[0]
    return Interval(float(value), float(low), float(high))


def _resampled(rng: np.random.Generator, n: int, times: int) -> Features:
    """How often each of n pictures is drawn in each resample: (times, n).

    Never the same one n times: that has no pair to compare, and none of what a set has.
    """
    counts = rng.multinomial(n, np.full(n, 1 / n), size=times).astype(np.float64)
    lone = counts.max(1) == n
    counts[lone] = 1
    return counts


def _kernel(a: Features, b: Features) -> Features:
    kernel: Features = (a @ b.T / a.shape[1] + 1) ** 3
    return kernel


def _discrepancy(aa: Features, bb: Features, ab: Features, u: Features, v: Features) -> Features:
    """For each row of weights u (R, N) and v (R, M); `aa` and `bb` have an empty diagonal."""

    def within(kernel: Features, w: Features) -> Features:
        total: Features = ((w @ kernel) * w).sum(1)
        return total / (np.square(w.sum(1)) - np.square(w).sum(1))

    between = ((u @ ab) * v).sum(1) / (u.sum(1) * v.sum(1))
    discrepancy: Features = within(aa, u) + within(bb, v) - 2 * between
    return discrepancy


def inception_score(logits: Features) -> float:
    """Inception Score (Salimans et al., NeurIPS 2016): exp of the mean KL(p(y|x) || p(y)).

    1 to the number of classes. Over the whole set at once, without splits. Takes Inception's
    logits (N, classes).
    """
    log_p = torch.from_numpy(logits).log_softmax(1)
    marginal = log_p.logsumexp(0) - math.log(len(log_p))
    return float((log_p.exp() * (log_p - marginal)).sum(1).mean().exp())


def in_units_of(reference: Features, features: Features) -> Features:
    """Features over the root mean square of the reference's.

    Networks differ in scale (VGG19's original weights see 0-255), and `kid`'s kernel has a scale
    of its own.
    """
    scaled: Features = features / np.sqrt(np.square(reference).mean())
    return scaled

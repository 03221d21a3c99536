"""How like two pictures are, to the eye and to a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

_CELLS: Final = 32
"""Self-similarity is taken between this many by this many places: all pairs of them fit."""
_LUMA: Final = (0.299, 0.587, 0.114)


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity of the luma (Wang et al., TIP 2004), 1 for equal pictures.

    Takes two pictures (1, 3, H, W) in [0, 1], at least 11 pixels wide and high.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    value = structural_similarity_index_measure(_luma(a), _luma(b), data_range=1.0)
    assert isinstance(value, Tensor)
    return float(value)


def layout_kept(a: Tensor, b: Tensor) -> float | None:
    """Correlation of where two pictures have edges, -1 to 1; None where one has none at all.

    Paintings of a frame keep at least 0.49 of real frames' layout, those of other clips reach 0.3
    once in a hundred. Takes two pictures (1, 3, H, W) in [0, 1].
    """
    x, y = (_edges(picture) - _edges(picture).mean() for picture in (a, b))
    size = (x.square().sum() * y.square().sum()).sqrt()
    return float((x * y).sum() / size) if size > 0 else None


def feature_distance(a: Sequence[Tensor], b: Sequence[Tensor]) -> float:
    """Mean square distance of unit feature vectors, mean over the layers; 0 to 2.

    This is LPIPS (Zhang et al., CVPR 2018) without its learned weights, and no LPIPS: never print
    it under that name. Takes the feature maps (1, C, H, W) of two pictures, layer by layer.
    """
    layers = [
        (F.normalize(x, dim=1) - F.normalize(y, dim=1)).square().sum(1).mean()
        for x, y in zip(a, b, strict=True)
    ]
    return float(torch.stack(layers).mean())


def self_similarity_distance(content: Tensor, painted: Tensor) -> float:
    """CFSD (Chung et al., CVPR 2024): how differently the places of two resemble each other.

    For each place the cosines to all others become a distribution (softmax); the divergence from
    the content's to the painting's (Kullback-Leibler, nats) is averaged over places. Colours and
    strokes may change, layout may not. Takes features (1, C, H, W), as VGG19's relu3_1, which are
    averaged over at most 32 x 32 cells; the cosines keep the network's scale out of it.
    """
    p, q = (_log_similarities(features) for features in (content, painted))
    return float(F.kl_div(q, p, reduction="batchmean", log_target=True))


def _log_similarities(features: Tensor) -> Tensor:
    cells = min(_CELLS, features.shape[2]), min(_CELLS, features.shape[3])
    flat = F.normalize(F.adaptive_avg_pool2d(features, cells)[0].flatten(1), dim=0)
    return F.log_softmax(flat.T @ flat, dim=1)


def _edges(picture: Tensor) -> Tensor:
    """Mean steepness of the luma in each of 36 x 64 cells of a thumbnail."""
    small = F.adaptive_avg_pool2d(_luma(picture), (144, 256))
    down, right = small.diff(dim=2)[..., :-1], small.diff(dim=3)[..., :-1, :]
    return F.adaptive_avg_pool2d(torch.hypot(down, right), (36, 64))


def _luma(picture: Tensor) -> Tensor:
    weights = picture.new_tensor(_LUMA).view(1, 3, 1, 1)
    return (picture * weights).sum(1, keepdim=True)

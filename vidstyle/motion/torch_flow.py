"""Dense optical flow in torch, for GPUs that the CPU's could not keep up with.

It is what `FlowEstimator` does, put so that all pixels can be worked on at once. Nothing in it
waits for the device, so all of it can become one CUDA graph.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from vidstyle.motion.ops import Size, half_size
from vidstyle.motion.torch_ops import GREY, constant, grid, sample

# Pixels of a patch's side, and from one patch to the next.
_PATCH: Final = 8
_STRIDE: Final = 4
# Steps of a patch before it looks at what its neighbours have found, and after.
_DESCENTS: Final = (3, 2)
# Added to a patch's squared slopes, so that one without texture stays where it is.
_DAMPING: Final = 16.0
# How often the refinement fetches the other picture anew, and sweeps of its solver each time.
_ROUNDS: Final = 3
_SWEEPS: Final = 5
_OVERRELAXATION: Final = 1.6
# What a change of brightness, one of its slopes and unevenness of the flow weigh.
_BRIGHTNESS: Final = 5.0
_SLOPE: Final = 10.0
_SMOOTHNESS: Final = 10.0
# Squared errors below this count squared, above it by their root.
_ROBUST: Final = 1e-6
# Squared slopes that count as none.
_FLAT: Final = 0.01


class TorchFlowEstimator:
    """See `Estimator`; its arrays are tensors, all on one device."""

    def __init__(self, height: int, width: int) -> None:
        self.half_size = half_size(height, width)

    def there_and_back(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """The flow from the (h, w, 3) picture `a` to `b`, and a rougher one from `b` to `a`."""
        pair = torch.stack((_grey(a), _grey(b)))
        forward, backward = inverse_search(pair, pair.flip(0))
        forward = refine(pair[:1], pair[1:], forward[None])[0]
        return forward.permute(1, 2, 0).contiguous(), backward.permute(1, 2, 0).contiguous()


def _grey(picture: Tensor) -> Tensor:
    return (picture * constant(GREY, picture.device)).sum(dim=-1)[None]


def inverse_search(a: Tensor, b: Tensor) -> Tensor:
    """Where each pixel of `a` lies in `b`, to half a pixel or so (Kroeger et al., ECCV 2016).

    Takes two (N, 1, H, W) grey pictures, 0-255; returns (N, 2, H, W): x and y offsets in pixels.
    All patches of a scale descend at once, where the paper's go from one to the next.
    """
    scales = [(a, b)]
    while min(scales[-1][0].shape[-2:]) >= 3 * _PATCH:
        a, b = scales[-1]
        scales.append((F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)))
    flow = torch.zeros_like(scales[-1][0]).repeat(1, 2, 1, 1)
    for a, b in reversed(scales):
        flow = _Scale(a, b).search(_spread(flow, (a.shape[-2], a.shape[-1])))
    return flow


def _spread(flow: Tensor, size: Size) -> Tensor:
    """The flow of the scale before, on the pixels of this one."""
    if flow.shape[-2:] == size:
        return flow
    finer = 2 * F.interpolate(flow, scale_factor=2, mode="bilinear", align_corners=False)
    rest = (0, size[1] - finer.shape[-1], 0, size[0] - finer.shape[-2])
    return F.pad(finer, rest, mode="replicate")  # halving leaves out an odd row or column


class _Scale:
    """Two pictures at one scale, the first of them cut into overlapping patches."""

    def __init__(self, a: Tensor, b: Tensor) -> None:
        self._b = b
        self._size: Size = (a.shape[-2], a.shape[-1])
        self._count = tuple(max(0, -(-(n - _PATCH) // _STRIDE)) + 1 for n in self._size)
        self._covered = tuple((n - 1) * _STRIDE + _PATCH for n in self._count)
        self._template = self._patches(a)
        self._descent = _steepest_descent(*(self._patches(slope) for slope in _slopes(a)))
        x, y = grid(self._size, a.device).unbind(dim=-1)
        self._places = torch.stack([self._patches(axis[None, None]) for axis in (x, y)], dim=-1)

    def search(self, flow: Tensor) -> Tensor:
        """Make the (N, 2, H, W) flow a finer one."""
        middle = self._padded(flow)[..., _PATCH // 2 :: _STRIDE, _PATCH // 2 :: _STRIDE]
        start = middle[..., : self._count[0], : self._count[1]].flatten(2)
        found = self._descend(start, _DESCENTS[0])
        nearby = [found, *self._neighbours(found)]
        asked = _best(nearby, [self._difference(flow) for flow in nearby])
        return self._blended(self._descend(asked, _DESCENTS[1]))

    def _descend(self, start: Tensor, times: int) -> Tensor:
        """(N, 2, patches): the best that each patch finds from where it starts, not far from it."""
        tried, off = [start], [self._difference(start)]
        for _ in range(times):
            tried.append(tried[-1] - (self._descent * off[-1][:, None]).sum(dim=2))
            off.append(self._difference(tried[-1]))
        best = _best(tried, off)
        strayed = (best - start).square().sum(dim=1, keepdim=True) > _PATCH**2
        return torch.where(strayed, start, best)

    def _difference(self, flow: Tensor) -> Tensor:
        """What `b` shows there less what the patch shows: (N, pixels of a patch, patches)."""
        places = self._places + flow.movedim(1, -1)[:, None]
        return sample(self._b, places)[:, 0] - self._template

    def _neighbours(self, flow: Tensor) -> list[Tensor]:
        rows, columns = self._count
        around = F.pad(flow.reshape(*flow.shape[:2], rows, columns), (1, 1, 1, 1), mode="replicate")
        corners = (0, 1), (1, 0), (1, 2), (2, 1)
        return [around[..., y : y + rows, x : x + columns].flatten(2) for y, x in corners]

    def _blended(self, flow: Tensor) -> Tensor:
        """(N, 2, H, W): means over the patches that hold a pixel; those that fit it weigh more."""
        weight = 1 / self._difference(flow).abs().clamp(min=1)
        votes = torch.stack((weight * flow[:, :1], weight * flow[:, 1:], weight), dim=1)
        total = F.fold(votes.flatten(1, 2), self._covered, _PATCH, stride=_STRIDE)
        total = total[..., : self._size[0], : self._size[1]]
        return total[:, :2] / total[:, 2:]

    def _patches(self, plane: Tensor) -> Tensor:
        """(N, 1, H, W) to (N, pixels of a patch, patches)."""
        return F.unfold(self._padded(plane), _PATCH, stride=_STRIDE)

    def _padded(self, planes: Tensor) -> Tensor:
        """Made larger, so that patches cover all of it."""
        rows, columns = (more - n for more, n in zip(self._covered, self._size, strict=True))
        return F.pad(planes, (0, columns, 0, rows), mode="replicate")


def _best(flows: list[Tensor], differences: list[Tensor]) -> Tensor:
    """For each patch the flow at which it differs least, were it lighter or darker as a whole."""
    errors = torch.stack([difference.var(dim=1, correction=0) for difference in differences])
    choice = errors.argmin(dim=0)[None, :, None].expand(1, -1, 2, -1)
    return torch.stack(flows).gather(0, choice)[0]


def _steepest_descent(across: Tensor, down: Tensor) -> Tensor:
    """The slopes of patches to (N, 2, pixels, patches): the step that each level of error asks for.

    Slopes are taken about their mean, so that a patch which is lighter as a whole does not move.
    """
    across, down = (slope - slope.mean(dim=1, keepdim=True) for slope in (across, down))
    xx, xy, yy = (
        (p * q).sum(dim=1, keepdim=True)
        for p, q in ((across, across), (across, down), (down, down))
    )
    xx, yy = xx + _DAMPING, yy + _DAMPING
    steps = torch.stack((yy * across - xy * down, xx * down - xy * across), dim=1)
    return steps / (xx * yy - xy * xy)[:, None]


def refine(a: Tensor, b: Tensor, flow: Tensor) -> Tensor:
    """Make a flow exact to a tenth of a pixel or so (Brox et al., ECCV 2004).

    Takes and gives what `inverse_search` does. Brightness and its slopes should stay as they are
    along the flow, and the flow should be even; what departs counts by its root, so that few pixels
    may depart far.
    """
    then = torch.cat((b, *_slopes(b)), dim=1)
    now = torch.cat((a, *_slopes(a)), dim=1)
    for _ in range(_ROUNDS):
        places = grid(flow.shape[-2:], flow.device) + flow.movedim(1, -1)
        flow = _solve(*_wanted(now, sample(then, places), flow), flow)
    return flow


def _wanted(now: Tensor, then: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """What brightness and slopes ask of the flow: matrices (xx, xy, yy) and what they should give.

    `now` and `then` hold brightness and slopes across and down, `then` fetched along the flow.
    """
    change = then - now
    slopes = (now[:, 1:] + then[:, 1:]) / 2
    (xx, xy), (yx, yy) = (_slopes(slope) for slope in slopes.chunk(2, dim=1))
    cross = (xy + yx) / 2
    # What each of the three, by a pixel of flow across and down, changes by.
    across = torch.cat((slopes[:, :1], xx, cross), dim=1)
    down = torch.cat((slopes[:, 1:], cross, yy), dim=1)
    steep = 1 / (across * across + down * down + _FLAT)
    off = change * change * steep
    bright = _BRIGHTNESS / (off[:, :1] + _ROBUST).sqrt()
    slope = _SLOPE / (off[:, 1:].sum(dim=1, keepdim=True) + _ROBUST).sqrt()
    weight = steep * torch.cat((bright, slope, slope), dim=1)
    left = -change + across * flow[:, :1] + down * flow[:, 1:]
    sums = (across * across, across * down, down * down, across * left, down * left)
    totals = [(weight * each).sum(dim=1, keepdim=True) for each in sums]
    return torch.cat(totals[:3], dim=1), torch.cat(totals[3:], dim=1)


def _solve(matrix: Tensor, wanted: Tensor, flow: Tensor) -> Tensor:
    """Some sweeps towards the flow that gives what is wanted and is even: red-black relaxation.

    In every pixel (matrix + sum of ties) flow = wanted + sum of ties * the neighbours' flow.
    """
    ties = _ties(flow)
    total = sum(ties)
    xx, xy, yy = matrix.chunk(3, dim=1)
    xx, yy = xx + total, yy + total
    scale = 1 / (xx * yy - xy * xy)
    own, other = torch.cat((yy, xx), dim=1) * scale, -xy * scale
    x, y = grid(flow.shape[-2:], flow.device).unbind(dim=-1)
    red = _OVERRELAXATION * ((x + y) % 2)
    for share in (red, _OVERRELAXATION - red) * _SWEEPS:
        around = F.pad(flow, (1, 1, 1, 1), mode="replicate")
        pulled = wanted
        for tie, neighbour in zip(ties, _shifted(around), strict=True):
            pulled = torch.addcmul(pulled, tie, neighbour)
        flow = torch.lerp(flow, torch.addcmul(own * pulled, other, pulled.flip(1)), share)
    return flow


def _ties(flow: Tensor) -> tuple[Tensor, ...]:
    """How firmly each pixel is tied to its neighbours: less where the flow is uneven."""
    padded = F.pad(flow, (0, 1, 0, 1), mode="replicate")
    across, down = padded[..., :-1, 1:] - flow, padded[..., 1:, :-1] - flow
    uneven = (across * across + down * down).sum(dim=1, keepdim=True)
    tie = _SMOOTHNESS / (uneven + _ROBUST).sqrt()
    sideways = F.pad(tie[..., :-1], (1, 1, 0, 0))
    upright = F.pad(tie[..., :-1, :], (0, 0, 1, 1))
    return sideways[..., :-1], sideways[..., 1:], upright[..., :-1, :], upright[..., 1:, :]


def _shifted(padded: Tensor) -> tuple[Tensor, ...]:
    """What lies to the left, to the right, above and below."""
    return (
        padded[..., 1:-1, :-2],
        padded[..., 1:-1, 2:],
        padded[..., :-2, 1:-1],
        padded[..., 2:, 1:-1],
    )


def _slopes(image: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences across and down, a pixel."""
    left, right, above, below = _shifted(F.pad(image, (1, 1, 1, 1), mode="replicate"))
    return (right - left) / 2, (below - above) / 2

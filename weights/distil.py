"""Make `perceptual.safetensors`: `python weights/distil.py VGG19.safetensors PHOTOS PAINTINGS`.

A network that stands for VGG19's relu1_1 ... relu5_1 at a sixteenth of its size. It begins as VGG19
in low rank: a 3x3 convolution becomes 1x1 to few channels, 3x3, and 1x1 back (Tucker-2, Kim et al.
2016, "Compression of deep convolutional neural networks"), with the bases that lose least on these
pictures (Zhang et al. 2016, "Accelerating very deep convolutional networks"). Then it is trained to
give the same features, and the same statistics of them, on photographs, paintings, and photographs
that trained styles have painted, since what it will judge are paintings half learnt.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vidstyle.perceptual.network import (
    CONVOLUTIONS,
    POOLED_AFTER,
    TAPS,
    OxfordPreprocess,
    PerceptualNetwork,
    load_perceptual,
)
from vidstyle.stylizers.device import has_bfloat16
from vidstyle.stylizers.networks import StyleNetwork
from vidstyle.stylizers.registry import StyleRegistry, shipped_folder, write_manifest
from vidstyle.stylizers.style_file import load_network, write_safetensors
from vidstyle.training.data import PhotoBatches, find_pictures
from vidstyle.training.losses import LEAST_DEVIATION, statistics, style_loss
from vidstyle.training.schedules import average_decay


class Rank(NamedTuple):
    """Channels that a layer takes and gives inside; 0 for all. `narrow`: it hands on only these."""

    inputs: int
    outputs: int
    narrow: bool = False


RANKS = {
    "conv1_1": Rank(0, 0),
    "conv1_2": Rank(16, 32, narrow=True),
    "conv2_1": Rank(0, 48),
    "conv2_2": Rank(48, 48),
    "conv3_1": Rank(48, 80),
    **{name: Rank(80, 80) for name in ("conv3_2", "conv3_3", "conv3_4")},
    "conv4_1": Rank(80, 128),
    **{name: Rank(144, 144) for name in ("conv4_2", "conv4_3", "conv4_4", "conv5_1")},
}
"""`narrow` where pictures are largest, and a wide layer that no one looks at costs most."""
NAME = "perceptual.safetensors"
LICENCE = (
    "Apache-2.0; adapted from VGG19 by Karen Simonyan and Andrew Zisserman (Visual Geometry Group, "
    "Oxford), CC BY 4.0: in low rank, and trained further"
)
SEED = 0
MEASURED, SAMPLED = 40, 1024
"""Batches from which the low ranks are found, and about how many places of each at most."""
LOG_EVERY = 25
PEAK_RATE, WARM_UP = 5e-4, 50
STATISTICS_WEIGHT = 0.3


class Pictures:
    """Item k: a batch (N, 3, S, S) of photographs, paintings or painted photographs."""

    def __init__(self, photos: Path, paintings: Path, styles: Path, batch: int, side: int) -> None:
        self.photos = PhotoBatches(find_pictures(photos), batch, side, SEED)
        self.paintings = PhotoBatches(find_pictures(paintings), batch, side, SEED)
        self.painters = [load_network(style) for style in StyleRegistry((styles,)).styles]

    @torch.no_grad()
    def __getitem__(self, step: int) -> Tensor:
        rng = np.random.default_rng((SEED, step, 2))
        kind = rng.choice(("photo", "painted", "painting"), p=(0.4, 0.4, 0.2))
        if kind == "painting":
            return self._changed(self.paintings[step], rng)
        photos = self._changed(self.photos[step], rng)
        return photos if kind == "photo" else self._painted(photos, rng)

    def _painted(self, photos: Tensor, rng: np.random.Generator) -> Tensor:
        painter: StyleNetwork = self.painters[rng.integers(len(self.painters))]
        return torch.lerp(photos, painter(photos).float(), float(rng.uniform(0.3, 1.0)))

    def _changed(self, pictures: Tensor, rng: np.random.Generator) -> Tensor:
        """Other contrast, colour and light, and sometimes noise."""
        count = len(pictures)
        gain, shift = (
            torch.from_numpy(rng.uniform(low, high, (count, 3, 1, 1)).astype(np.float32))
            for low, high in ((0.6, 1.2), (-0.1, 0.1))
        )
        mean = pictures.mean((1, 2, 3), keepdim=True)
        noise = torch.from_numpy(rng.normal(0, 1, pictures.shape).astype(np.float32))
        sigma = max(0.0, float(rng.uniform(-0.1, 0.08)))
        return ((pictures - mean) * gain + mean + shift + sigma * noise).clamp(0, 1)


class Moments:
    """Means and second moments of vectors, summed batch by batch."""

    def __init__(self) -> None:
        self.count, self.first, self.second = 0, torch.zeros(1), torch.zeros(1)

    def add(self, x: Tensor) -> None:
        """Count in the channels of (N, C, H, W)."""
        flat = x.float().transpose(0, 1).flatten(1)
        flat = flat[:, :: 1 + flat.shape[1] // SAMPLED]
        self.first = self.first + flat.sum(1)
        with torch.autocast("cpu", enabled=False):
            self.second = self.second + flat @ flat.T
        self.count += flat.shape[1]

    def over(self, scale: float) -> Moments:
        """Those of the vectors divided by a number."""
        other = Moments()
        other.count = self.count
        other.first, other.second = self.first / scale, self.second / scale**2
        return other

    @property
    def mean(self) -> Tensor:
        """(C,)."""
        return self.first / self.count

    @property
    def raw(self) -> Tensor:
        """Second moments about zero, (C, C)."""
        return self.second / self.count

    @property
    def covariance(self) -> Tensor:
        """(C, C)."""
        return self.raw - self.mean[:, None] * self.mean


class Measured(NamedTuple):
    """What a layer of VGG19 takes, what it gives before and after the rectifier."""

    inputs: Moments
    sums: Moments
    outputs: Moments

    def over(self, before: float, after: float) -> Measured:
        """Of features divided by the scales of the layer before and of its own."""
        return Measured(self.inputs.over(before), self.sums.over(after), self.outputs.over(after))


@torch.no_grad()
@torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16("cpu"))
def measure(teacher: PerceptualNetwork, pictures: Pictures) -> dict[str, Measured]:
    """Moments of every layer over `MEASURED` batches."""
    found = {name: Measured(Moments(), Moments(), Moments()) for name in CONVOLUTIONS}
    for step in range(MEASURED):
        y = teacher.preprocess(pictures[step])
        for name in CONVOLUTIONS:
            found[name].inputs.add(y)
            y = teacher.convolutions[name](y)
            found[name].sums.add(y)
            y = F.relu(y)
            found[name].outputs.add(y)
            y = F.max_pool2d(y, 2) if name in POOLED_AFTER else y
    return found


def scales(measured: dict[str, Measured]) -> dict[str, float]:
    """Root mean square of each layer's features: divided by it, all layers are of one size."""
    return {name: m.outputs.raw.diagonal().mean().sqrt().item() for name, m in measured.items()}


def tolerance(moments: Moments) -> Tensor:
    """What an error in each channel (C,) is measured in: its deviation, as the style loss does."""
    variance = moments.covariance.diagonal()
    return (variance + LEAST_DEVIATION**2 * variance.mean()).sqrt()


def input_basis(weight: Tensor, inputs: Moments, rank: int) -> tuple[Tensor, Tensor]:
    """Find the inputs that matter most: x is about expand @ (reduce @ x)."""
    values, vectors = torch.linalg.eigh(inputs.raw.double())
    values = values.clamp(min=1e-6 * values.max())
    root = (vectors * values.sqrt()) @ vectors.T
    taps = weight.double().permute(0, 2, 3, 1).flatten(0, 2) @ root
    _, found = torch.linalg.eigh(taps.T @ taps)
    chosen = found.flip(1)[:, :rank].T
    inverse = (vectors / values.sqrt()) @ vectors.T
    return (chosen @ inverse).float(), (root @ chosen.T).float()


def output_basis(measured: Measured, rank: int) -> tuple[Tensor, Tensor]:
    """Principal components of the sums in units of the tolerance: reduce and expand."""
    unit = tolerance(measured.outputs)
    covariance = measured.sums.covariance / (unit[:, None] * unit)
    _, vectors = torch.linalg.eigh(covariance.double())
    chosen = vectors.flip(1)[:, :rank].float()
    return chosen.T / unit, unit[:, None] * chosen


def independent(second: Tensor, count: int) -> Tensor:
    """Indices of the channels that tell most of all others: a Cholesky factor with pivots."""
    left, chosen = second.double().clone(), []
    left = left / second.diagonal().clamp(min=1e-12).sqrt().outer(second.diagonal().sqrt())
    for _ in range(count):
        energy = left.square().sum(0) / left.diagonal().clamp(min=1e-9)
        energy[chosen] = -1
        pick = int(energy.argmax())
        left = left - left[:, pick].outer(left[pick]) / left[pick, pick]
        chosen.append(pick)
    return torch.tensor(sorted(chosen))


def low_rank(teacher: PerceptualNetwork, measured: dict[str, Measured]) -> dict[str, Tensor]:
    """VGG19 in the ranks of RANKS, the features of every layer divided by its scale."""
    tensors: dict[str, Tensor] = {}
    size, before = scales(measured), 1.0
    handed_on: Tensor | None = None
    for name, rank in RANKS.items():
        layer, m = teacher.convolutions[name], measured[name].over(before, size[name])
        weight, bias = layer.weight.detach() * before / size[name], layer.bias.detach() / size[name]
        if handed_on is not None:
            weight = mixed(weight, restoring(m.inputs, handed_on))
        elif rank.inputs:
            reduce, back = input_basis(weight, m.inputs, rank.inputs)
            tensors |= pointwise(f"{name}_reduce", reduce, torch.zeros(rank.inputs))
            weight = mixed(weight, back)
        handed_on = None
        if rank.narrow:
            handed_on = independent(m.outputs.raw, rank.outputs)
            weight, bias = weight[handed_on], bias[handed_on]
        elif rank.outputs:
            reduce, back = output_basis(m, rank.outputs)
            offset = m.sums.mean + back @ (reduce @ (bias - m.sums.mean))
            tensors |= pointwise(f"{name}_expand", back, offset)
            weight, bias = torch.einsum("ro,oikl->rikl", reduce, weight), torch.zeros(rank.outputs)
        tensors |= {f"{name}.weight": weight, f"{name}.bias": bias}
        before = size[name]
    return {key: value.contiguous() for key, value in tensors.items()}


def mixed(weight: Tensor, back: Tensor) -> Tensor:
    """A kernel (O, I, 3, 3) for other inputs, of which `back` (I, R) makes its own."""
    return torch.einsum("oikl,ir->orkl", weight, back)


def restoring(inputs: Moments, known: Tensor) -> Tensor:
    """What makes all inputs of the known ones, by least squares: (C, K)."""
    return inputs.raw[:, known] @ torch.linalg.pinv(inputs.raw[known][:, known])


def pointwise(name: str, matrix: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """A 1x1 convolution."""
    return {f"{name}.weight": matrix[:, :, None, None], f"{name}.bias": bias}


def losses(found: list[Tensor], wanted: list[Tensor], units: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Error of the features in their tolerances, and of their statistics; a number a layer."""
    errors = [
        ((f.float() - w.float()) / u[:, None, None]).square().mean()
        for f, w, u in zip(found, wanted, units, strict=True)
    ]
    apart = [
        style_loss([statistics(f)], [statistics(w)]) for f, w in zip(found, wanted, strict=True)
    ]
    return torch.stack(errors), torch.stack(apart)


def distil(
    teacher: PerceptualNetwork,
    student: PerceptualNetwork,
    pictures: Pictures,
    measured: dict[str, Measured],
    steps: int,
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Train the student in place; yields the step and the two errors of it."""
    size = scales(measured)
    units = [tolerance(measured[name].outputs) / size[name] for name in TAPS]
    student.requires_grad_(True)
    student.convolutions["conv1_1"].requires_grad_(False)  # it is VGG19's own
    parameters = [p for p in student.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, betas=(0.9, 0.99))
    for step in range(steps):
        rise, fall = min(1, (step + 1) / WARM_UP), 1 / math.sqrt(1 + step / 300)
        optimizer.param_groups[0]["lr"] = PEAK_RATE * rise * fall
        batch = pictures[MEASURED + step]
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16("cpu")):
            with torch.no_grad():
                wanted = [f / size[n] for f, n in zip(teacher(batch), TAPS, strict=True)]
            features, apart = losses(student(batch)[1:], wanted[1:], units[1:])
        optimizer.zero_grad(set_to_none=True)
        (features.sum() + STATISTICS_WEIGHT * apart.sum()).backward()
        optimizer.step()
        yield step + 1, features.detach(), apart.detach()


def save(path: Path, student: PerceptualNetwork, recipe: dict[str, int]) -> None:
    """Write the student in half precision, and its checksum into the manifest beside it."""
    tensors = {k: t.detach().half() for k, t in student.convolutions.state_dict().items()}
    write_safetensors(path, tensors, {"licence": LICENCE, "recipe": json.dumps(recipe)})
    write_manifest(path.parent)


def main() -> None:
    """Measure, reduce, train, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vgg19", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("paintings", type=Path)
    parser.add_argument("--styles", type=Path, default=shipped_folder(), help="they paint photos")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--side", type=int, default=160)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name(NAME))
    options = parser.parse_args()
    teacher = load_perceptual(options.vgg19)
    pictures = Pictures(
        options.photos, options.paintings, options.styles, options.batch, options.side
    )
    measured = measure(teacher, pictures)
    tensors = low_rank(teacher, measured)
    student = PerceptualNetwork(tensors, OxfordPreprocess(), NAME)
    print(f"{sum(t.numel() for t in tensors.values()):,} parameters", flush=True)
    average, logged = copy.deepcopy(student), torch.zeros(2, len(TAPS) - 1)
    recipe = {"batch": options.batch, "side": options.side, "seed": SEED}
    save(options.output, average, recipe | {"steps": 0})
    start = time.monotonic()
    for step, *errors in distil(teacher, student, pictures, measured, options.steps):
        for mean, now in zip(average.parameters(), student.parameters(), strict=True):
            mean.lerp_(now.detach(), 1 - average_decay(step))
        logged += torch.stack(errors) / LOG_EVERY
        if step % LOG_EVERY == 0:
            rounded = [[round(x, 3) for x in row] for row in logged.tolist()]
            print(f"{step:5} {time.monotonic() - start:6.0f} s", *rounded, flush=True)
            logged.zero_()
            save(options.output, average, recipe | {"steps": step})


if __name__ == "__main__":
    main()

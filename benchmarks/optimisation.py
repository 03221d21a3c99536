"""What one pass through a style's network is worth beside optimising each picture by itself.

    python benchmarks/optimisation.py PHOTOS STYLE=PAINTING [STYLE=PAINTING ...] [-o FILE.md]

For held-out photographs at 256 pixels: content and style loss, weighted as in the style's card, of
what `fast` and `best` paint, against pictures that L-BFGS descends to from the photograph (Gatys et
al. 2016) with strong-Wolfe line search, after 50 and after 100 evaluations of loss and gradient.
Colours that it drives out of range are brought back before they are judged, as a file would.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median

import torch
from critic import SIDE, Critic, judge_of, paint, squares
from pages import write_page
from torch import Tensor

from vidstyle.jobs.machine import machine_card
from vidstyle.jobs.style import Style
from vidstyle.stylizers.registry import StyleFile, StyleRegistry, shipped_file
from vidstyle.training.feed_forward import CONTENT_LAYER
from vidstyle.training.targets import PERCEPTUAL
from vidstyle.types import TIERS, StyleCard, Tier

EVALUATIONS = (50, 100)
BAR: dict[Tier, int] = {"fast": 50, "best": 100}
"""Evaluations that a tier is to keep up with."""
RESULT = Path(__file__).parent / "results/optimisation.md"


class Descent:
    """L-BFGS from a photograph.

    Attributes:
        least: the least loss that it has come to after each evaluation.
        totals: the loss of the best picture after each of EVALUATIONS, its colours in range.
    """

    def __init__(self, critic: Critic, card: StyleCard, photo: Tensor) -> None:
        self.critic, self.card = critic, card
        self.picture = photo.clone().requires_grad_()
        with torch.no_grad():
            self.shown = critic.network(photo)[CONTENT_LAYER]
        self.photo = self.best = photo
        self.least: list[float] = []
        self.totals: dict[int, float] = {}

    def run(self) -> None:
        """Take as many evaluations as are asked about."""
        most = max(EVALUATIONS)
        while len(self.least) < most:  # a search along a line may give up early: begin anew
            optimizer = torch.optim.LBFGS(
                [self.picture],
                max_iter=most,
                max_eval=most - len(self.least),
                tolerance_grad=0,
                tolerance_change=0,
                history_size=most,
                line_search_fn="strong_wolfe",
            )
            optimizer.step(self._evaluate)

    def _evaluate(self) -> Tensor:
        losses = self.critic.of_features(self.critic.network(self.picture), self.shown)
        total = losses.total(self.card)
        (self.picture.grad,) = torch.autograd.grad(total, self.picture)
        self._remember(total.item())
        return total

    def _remember(self, total: float) -> None:
        if total < min(self.least[-1:], default=math.inf):
            self.best = self.picture.detach().clone()
        self.least.append(min([total, *self.least[-1:]]))
        if len(self.least) in EVALUATIONS:
            picture = self.best.clamp(0, 1)
            self.totals[len(self.least)] = total_loss(self.critic, self.card, picture, self.photo)


@torch.no_grad()
def total_loss(critic: Critic, card: StyleCard, picture: Tensor, photo: Tensor) -> float:
    """Content and style loss of a picture, weighted."""
    return critic.losses(picture, photo).total(card).item()


@dataclass
class Row:
    """One style in one tier: the loss of each photograph, painted and optimised."""

    card: StyleCard
    photos: list[float] = field(default_factory=list)
    painted: list[float] = field(default_factory=list)
    optimised: dict[int, list[float]] = field(default_factory=dict)
    worth: list[int] = field(default_factory=list)
    """Evaluations that L-BFGS needs to do better."""

    def ratios(self) -> list[float]:
        """Of each photograph, what is painted over what the tier is to keep up with."""
        pairs = zip(self.painted, self.optimised[BAR[self.card.tier]], strict=True)
        return [painted / optimised for painted, optimised in pairs]


def measure(
    file: StyleFile, painting: Path, photos: list[Tensor], options: argparse.Namespace
) -> Row:
    """Paint and optimise every photograph in one style."""
    style, row = Style(file, device="cpu"), Row(file.card)
    critic = Critic(judge_of(file.card, options.perceptual), file.card, painting)
    for photo in photos:
        row.photos.append(total_loss(critic, file.card, photo, photo))
        row.painted.append(total_loss(critic, file.card, paint(style, photo), photo))
        descent = Descent(critic, file.card, photo)
        descent.run()
        for evaluations, total in descent.totals.items():
            row.optimised.setdefault(evaluations, []).append(total)
        row.worth.append(sum(least > row.painted[-1] for least in descent.least))
        print(row.card.name, row.card.tier, row.painted, row.worth, row.optimised, flush=True)
    return row


def line(row: Row) -> str:
    """The row of the table: means over the photographs, and how often the painter keeps up."""
    recipe, ratios = row.card.recipe, row.ratios()
    kept = sum(ratio <= 1 for ratio in ratios)
    weights = recipe["weights"]
    cells = [
        f"{row.card.name} {row.card.tier}",
        f"content {weights['content']:g}, style {weights['style']:g}",
        recipe["perceptual"],
        f"{fmean(row.photos):.3f}",
        *(f"{fmean(row.optimised[evaluations]):.3f}" for evaluations in EVALUATIONS),
        f"{fmean(row.painted):.3f}",
        f"{fmean(ratios):.2f} of {BAR[row.card.tier]} ({kept} of {len(ratios)})",
        f"{median(row.worth):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def page(rows: list[Row], options: argparse.Namespace) -> str:
    """All of it as markdown."""
    steps = " | ".join(f"{evaluations} evaluations" for evaluations in EVALUATIONS)
    return "\n".join(
        [
            "# Painted in one pass, or optimised picture by picture",
            "",
            f"`python benchmarks/optimisation.py`: content and style loss on {options.count} "
            f"photographs of {SIDE} px that were not trained on, judged by the network that the "
            "style was trained with, weighted as in its card. L-BFGS with strong-Wolfe line "
            "search begins with the photograph. Means over the photographs. × is what is painted "
            "over what is optimised in so many evaluations; in brackets on how many photographs "
            "the painter does at least as well. Worth: evaluations, median, that "
            "L-BFGS needs to do better.",
            "",
            machine_card().markdown(),
            "",
            f"| style | weights | judge | photograph | {steps} | painted | × | worth |",
            "|---" * (7 + len(EVALUATIONS)) + "|",
            *map(line, rows),
            "",
        ]
    )


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="photographs that were not trained on")
    parser.add_argument("styles", nargs="+", metavar="STYLE=PAINTING")
    parser.add_argument("--tier", action="append", choices=TIERS, help="both by default")
    parser.add_argument("--count", type=int, default=10, help="photographs")
    parser.add_argument(
        "--perceptual",
        type=Path,
        nargs="+",
        default=[shipped_file(PERCEPTUAL)],
        help="networks that styles were trained with; the shipped one by default",
    )
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    options = parser.parse_args()
    photos = squares(options.photos, options.count)
    rows = []
    for name, painting in (word.split("=", 1) for word in options.styles):
        for tier in options.tier or TIERS:
            file = StyleRegistry().find(name, tier)
            if file.card.tier == tier:
                rows.append(measure(file, Path(painting), photos, options))
    text = page(rows, options)
    write_page(options.output, text)


if __name__ == "__main__":
    main()

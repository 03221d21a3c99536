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
from torch import Tensor

from vidstyle.jobs.machine import machine_card
from vidstyle.jobs.style import Style
from vidstyle.stylizers.registry import StyleRegistry, shipped_file
from vidstyle.training.train import CONTENT_LAYER, PERCEPTUAL
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
    """One style: totals of each photograph, painted by each tier and optimised."""

    name: str
    weights: str
    judge: str
    """The perceptual network."""
    photos: list[float] = field(default_factory=list)
    painted: dict[Tier, list[float]] = field(default_factory=dict)
    optimised: dict[int, list[float]] = field(default_factory=dict)
    worth: dict[Tier, list[int]] = field(default_factory=dict)
    """Evaluations that L-BFGS needs to do better."""

    def ratios(self, tier: Tier) -> list[float]:
        """Of each photograph, what the tier paints over what it is to keep up with."""
        pairs = zip(self.painted[tier], self.optimised[BAR[tier]], strict=True)
        return [painted / optimised for painted, optimised in pairs]


def measure(name: str, painting: Path, photos: list[Tensor], options: argparse.Namespace) -> Row:
    """Paint and optimise every photograph in one style."""
    files = {tier: StyleRegistry().find(name, tier) for tier in TIERS}
    styles = {t: Style(file, device="cpu") for t, file in files.items() if file.card.tier == t}
    card = next(iter(styles.values())).card
    critic = Critic(judge_of(card, options.perceptual), card, painting)
    weights = card.recipe["weights"]
    words = f"content {weights['content']:g}, style {weights['style']:g}"
    row = Row(name, words, critic.network.description)
    for photo in photos:
        row.photos.append(total_loss(critic, card, photo, photo))
        descent = Descent(critic, card, photo)
        descent.run()
        for evaluations, total in descent.totals.items():
            row.optimised.setdefault(evaluations, []).append(total)
        for tier, style in styles.items():
            total = total_loss(critic, card, paint(style, photo), photo)
            row.painted.setdefault(tier, []).append(total)
            row.worth.setdefault(tier, []).append(sum(least > total for least in descent.least))
        print(name, len(row.photos), row.painted, row.worth, row.optimised, flush=True)
    return row


def line(row: Row) -> str:
    """The row of the table: means over the photographs, and how often a tier keeps up."""
    cells = [f"{fmean(row.photos):.3f}"]
    cells += [f"{fmean(row.optimised[evaluations]):.3f}" for evaluations in EVALUATIONS]
    for tier in TIERS:
        if tier not in row.painted:
            cells += ["–", "–", "–"]
            continue
        ratios = row.ratios(tier)
        kept = sum(ratio <= 1 for ratio in ratios)
        mean = fmean(row.painted[tier])
        cells += [f"{mean:.3f}", f"{fmean(ratios):.2f} ({kept} of {len(ratios)})"]
        cells.append(f"{median(row.worth[tier]):.0f}")
    return f"| {row.name} | {row.weights} | {row.judge} | {' | '.join(cells)} |"


def page(rows: list[Row], options: argparse.Namespace) -> str:
    """All of it as markdown."""
    tiers = " | ".join(f"{tier} | over {BAR[tier]} evaluations | worth" for tier in TIERS)
    steps = " | ".join(f"{evaluations} evaluations" for evaluations in EVALUATIONS)
    return "\n".join(
        [
            "# Painted in one pass, or optimised picture by picture",
            "",
            f"`python benchmarks/optimisation.py`: content and style loss on {options.count} "
            f"photographs of {SIDE} px that were not trained on, judged by the network that the "
            "style was trained with, weighted as in its card. L-BFGS with strong-Wolfe line "
            "search begins with the photograph. Means over the photographs; in brackets on how "
            "many of them the painter does at least as well. Worth: evaluations, median, that "
            "L-BFGS needs to do better.",
            "",
            machine_card().markdown(),
            "",
            f"| style | weights | judge | photograph | {steps} | {tiers} |",
            "|---" * (4 + len(EVALUATIONS) + 3 * len(TIERS)) + "|",
            *map(line, rows),
            "",
        ]
    )


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="photographs that were not trained on")
    parser.add_argument("styles", nargs="+", metavar="STYLE=PAINTING")
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
    pairs = [word.split("=", 1) for word in options.styles]
    rows = [measure(name, Path(painting), photos, options) for name, painting in pairs]
    text = page(rows, options)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

"""What training for steadiness gains, and what it costs: pairs of networks over a folder of clips.

    python benchmarks/temporal.py CLIPS PHOTOS --pair TEMPORAL TWIN PAINTING [--pair ...]

TEMPORAL and TWIN are style files trained alike (network, steps, seed, data, weights) but for
`--temporal`, PAINTING is the picture that lends them the style. The first frames of each clip are
scaled to 360 rows and painted unblended by both, and at the default consistency by TEMPORAL; none
is encoded with loss. Content and style are judged on photographs of PHOTOS that were not trained
on, by the perceptual network of the training.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clips import clips_in
from critic import SIDE, Critic, judge_of, judged, squares
from pages import write_page
from steadiness import HEIGHT, Value, detail, e_warp, number, painted, write_scaled
from torch import Tensor

from vidstyle.coherence import DEFAULT_CONSISTENCY
from vidstyle.errors import InputError
from vidstyle.jobs.machine import machine_card
from vidstyle.jobs.measuring.clips import evaluate_clips
from vidstyle.jobs.measuring.evaluation import EvaluateConfig, EvaluationReport
from vidstyle.stylizers.registry import StyleFile, StyleRegistry, shipped_file
from vidstyle.training.targets import PERCEPTUAL

STATIC = "car-detection.mp4"
"""A camera that stands still: what flickers there is noise alone, and seen by everyone."""
RESULT = Path(__file__).parent / "results/temporal.md"
BARS = {"E_warp ×": 0.5, "detail ×": 0.85, "held E_warp ×": 0.15, "held detail ×": 0.93}


@dataclass(frozen=True)
class Pair:
    """Two style files that differ by `--temporal`, and their painting."""

    temporal: StyleFile
    twin: StyleFile
    painting: Path

    @property
    def name(self) -> str:
        """Style and tier."""
        return f"{self.temporal.card.name} {self.temporal.card.tier}"


@dataclass(frozen=True)
class Row:
    """A clip painted by a pair."""

    clip: str
    against_twin: EvaluationReport
    """Of the temporal network's painting, unblended and held, over the twin's unblended one."""
    against_own: EvaluationReport
    """Of what it paints held, over what it paints unblended."""

    def ratio(self, which: int, value: Value) -> float | None:
        """Of the unblended (0) or the held painting (1) over the twin's unblended one."""
        return self.against_twin.ratio(self.against_twin.outputs[which], value)

    def own_ratio(self, value: Value) -> float | None:
        """Of the held painting over the same network's unblended one."""
        return self.against_own.ratio(self.against_own.outputs[0], value)

    @property
    def figures(self) -> dict[str, float | None]:
        """What is asked of a network trained with `--temporal`."""
        return {
            "E_warp ×": self.ratio(0, e_warp),
            "detail ×": self.ratio(0, detail),
            "held E_warp ×": self.ratio(1, e_warp),
            "held detail ×": self.own_ratio(detail),
            "held D_perceptual": self.against_own.outputs[0].mean("d_perceptual"),
        }


def refuse_strangers(pair: Pair) -> None:
    """End where the two differ by more than `--temporal`."""
    cards = (pair.temporal.card, pair.twin.card)
    for key in ("steps", "seed", "batch", "crop", "style_size", "learning_rate", "perceptual"):
        ours, its = (card.recipe.get(key) for card in cards)
        if ours != its:
            raise SystemExit(f"{pair.name}: trained with {key} {ours}, its twin with {its}")
    ours, its = (card.recipe["weights"]["style"] for card in cards)
    if ours != its or cards[0].network != cards[1].network:
        raise SystemExit(f"{pair.name}: its twin is another network, or of another style weight")


def measure(clip: Path, pairs: Sequence[Pair], options: argparse.Namespace) -> list[Row]:
    """Paint a clip by every pair, and evaluate it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.mp4"
        write_scaled(clip, source, options.frames)
        return [measured(clip.name, source, pair, options) for pair in pairs]


def measured(clip: str, source: Path, pair: Pair, options: argparse.Namespace) -> Row:
    """Paint a scaled clip by one pair, and evaluate it."""
    folder = Path(tempfile.mkdtemp(dir=source.parent))
    plain, held = (painted(source, pair.temporal, c, folder) for c in (0.0, DEFAULT_CONSISTENCY))
    (folder / "twin").mkdir()
    twin = painted(source, pair.twin, 0.0, folder / "twin")

    def report(outputs: tuple[Path, ...], unblended: Path) -> EvaluationReport:
        return evaluate_clips(
            EvaluateConfig(
                source,
                outputs,
                unblended=unblended,
                perceptual=options.judge,
                height=HEIGHT,
                samples=options.samples,
            )
        )

    return Row(clip, report((plain, held), twin), report((held,), plain))


def losses(pair: Pair, photos: Sequence[Tensor], networks: Sequence[Path]) -> list[str]:
    """Cells: content, style and Gram loss of temporal network and twin, and their ratios."""
    files = (pair.temporal, pair.twin)
    critic = Critic(judge_of(pair.temporal.card, networks), pair.temporal.card, pair.painting)
    found = [judged(critic, file, photos) for file in files]
    cells = [critic.network.description]
    for ours, its in zip(*found, strict=True):
        cells += [f"{ours:.3f}", f"{its:.3f}", f"{ours / its:.2f}"]
    return cells


def summary(groups: dict[str, list[Row]]) -> Iterator[str]:
    """A line a style: means over the clips that move, and the static one apart."""
    names = next(iter(groups.values()))[0].figures
    bars = [f" ({BARS[name]:g})" if name in BARS else "" for name in names]
    heads = " | ".join(f"{name}{bar}" for name, bar in zip(names, bars, strict=True))
    yield f"| style | clips | {heads} |"
    yield "|---" * (2 + len(names)) + "|"
    for style, rows in groups.items():
        static = [row for row in rows if row.clip == STATIC]
        for words, own in ((f"all {len(rows)}", rows), (f"{STATIC}, static camera", static)):
            cells = [number([row.figures[name] for row in own]) for name in names]
            yield f"| {style} | {words} | {' | '.join(cells)} |"


def details(rows: Sequence[Row]) -> Iterator[str]:
    """A line a clip: what E_warp is, and the ratios."""
    yield (
        "| clip | frames | coverage | E_warp source | twin | temporal | held | "
        f"{' | '.join(rows[0].figures)} |"
    )
    yield "|---" * (7 + len(rows[0].figures)) + "|"
    for row in rows:
        report = row.against_twin
        assert report.unblended is not None
        clips = (report.source, report.unblended, *report.outputs)
        cells = [number([report.source.short.coverage])]
        cells += [number([clip.short.e_warp], 5) for clip in clips]
        cells += [number([figure]) for figure in row.figures.values()]
        yield f"| {row.clip} | {report.method.frames} | {' | '.join(cells)} |"


def page(
    groups: dict[str, list[Row]],
    cells: dict[str, list[str]],
    left_out: Sequence[str],
    options: argparse.Namespace,
) -> str:
    """All of it as markdown."""
    method = next(iter(groups.values()))[0].against_twin.method
    lines = [
        "# What training for steadiness gains, and what it costs",
        "",
        f"`python benchmarks/temporal.py CLIPS PHOTOS --frames {options.frames}`: networks trained "
        "with `--temporal` against twins trained without it, all else alike; the first frames of "
        f"each clip, {HEIGHT} rows, before encoding, E_warp over neighbours.",
        f"Flow: {method.flow}. Mask: {method.mask}.",
        "E_warp × and detail × are the temporal network's over the twin's, both unblended. Held is "
        f"the temporal network at the default consistency: held E_warp × over the twin unblended, "
        "held detail × and D_perceptual against its own unblended painting "
        f"({method.perceptual or 'no network'}{f', {method.network}' if method.network else ''}).",
        "In brackets what is aimed at: E_warp at most this, detail at least.",
        "",
        machine_card().markdown(),
        "",
        *summary(groups),
        "",
        f"Losses on {options.photo_count} photographs of {SIDE} px that were not trained on, by "
        "the network of the training; aimed at is × within 0.1 of 1.",
        "",
        "| style | judge | content | twin | × | style | twin | × | Gram | twin | × |",
        "|---" * 11 + "|",
        *(f"| {style} | {' | '.join(own)} |" for style, own in cells.items()),
    ]
    for style, rows in groups.items():
        lines += ["", f"## {style}", "", *details(rows)]
    lines += ["", *(f"Left out: {text}." for text in left_out)]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Measure every clip and photograph, say so as it goes, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("photos", type=Path, help="photographs that were not trained on")
    parser.add_argument(
        "--pair",
        action="append",
        nargs=3,
        type=Path,
        required=True,
        metavar=("TEMPORAL", "TWIN", "PAINTING"),
    )
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--samples", type=int, default=2, help="frames that networks look at")
    parser.add_argument("--photo-count", type=int, default=10)
    parser.add_argument(
        "--perceptual",
        type=Path,
        nargs="+",
        default=[shipped_file(PERCEPTUAL)],
        help="networks that styles were trained with; the shipped one by default",
    )
    parser.add_argument(
        "--judge", type=Path, default=shipped_file(PERCEPTUAL), help="of D_perceptual"
    )
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    options = parser.parse_args()
    pairs = [
        Pair(*(StyleRegistry().find(str(file), "fast") for file in files), painting)
        for *files, painting in options.pair
    ]
    for pair in pairs:
        refuse_strangers(pair)
    photos = squares(options.photos, options.photo_count)
    cells = {pair.name: losses(pair, photos, options.perceptual) for pair in pairs}
    groups: dict[str, list[Row]] = {pair.name: [] for pair in pairs}
    left_out: list[str] = []
    for clip in clips_in(options.clips):
        try:
            rows = measure(clip, pairs, options)
        except InputError as error:
            left_out.append(f"{clip.name} ({error})")
            continue
        for pair, row in zip(pairs, rows, strict=True):
            groups[pair.name].append(row)
            print(f"{clip.name:50} {pair.name}: E_warp × {number([row.ratio(0, e_warp)])}")
    text = page(groups, cells, left_out, options)
    write_page(options.output, text)


if __name__ == "__main__":
    main()

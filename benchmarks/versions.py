"""Whether speed was paid for with quality: what another version painted, beside what this one does.

    python benchmarks/versions.py CHECKOUT CLIPS --style NAME PAINTING [--style ...] [-o FILE.md]

CHECKOUT holds an older version's files (`git worktree add CHECKOUT COMMIT`). The first frames of
each clip are scaled to 360 rows and painted by both versions' `vidstyle run`, each with its own
weights, unblended and at its default consistency, kept without loss, and measured by this version.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clips import clips_in
from pages import write_page
from steadiness import HEIGHT, Value, detail, e_warp, number, write_scaled

from vidstyle.jobs.machine import machine_card
from vidstyle.jobs.measuring.clips import evaluate_clips
from vidstyle.jobs.measuring.evaluation import EvaluateConfig, EvaluationReport
from vidstyle.types import Tier

HERE = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results/versions.md"
TIER: Tier = "fast"
LOSSLESS = ("--codec", "libx264rgb", "--crf", "0", "--preset", "ultrafast", "--pix-fmt", "rgb24")


@dataclass(frozen=True)
class Row:
    """A clip painted in one style by both versions."""

    clip: str
    before: EvaluationReport
    after: EvaluationReport

    @property
    def figures(self) -> list[float | None]:
        """Before and after, in the order of the table."""
        both = (self.before, self.after)
        ratios = [_held(report, value) for value in (e_warp, detail) for report in both]
        return [*ratios, *(report.outputs[0].mean("gram") for report in both)]


def _held(report: EvaluationReport, value: Value) -> float | None:
    return report.ratio(report.outputs[0], value)


def paint(checkout: Path, source: Path, style: str, folder: Path, *options: str) -> Path:
    """Paint as a version does; its files are at `checkout`."""
    output = folder / f"{len(list(folder.iterdir()))}.mp4"
    arguments = ("run", str(source), "--style", style, "--tier", TIER, "-o", str(output))
    subprocess.run(
        [sys.executable, "-m", "vidstyle", *arguments, *LOSSLESS, *options],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout), "VIDSTYLE_STYLES": str(folder)},
        check=True,
    )
    return output


def measure(clip: Path, style: str, painting: Path, options: argparse.Namespace) -> Row:
    """Paint the first frames of a clip by both versions, and evaluate them."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as outputs:
        source, place = Path(folder) / "source.mp4", Path(outputs)
        write_scaled(clip, source, options.frames)
        reports = []
        for checkout in (options.checkout, HERE):
            plain = paint(checkout, source, style, place, "--consistency", "0")
            held = paint(checkout, source, style, place)
            reports.append(
                evaluate_clips(
                    EvaluateConfig(
                        source,
                        (held,),
                        unblended=plain,
                        style_image=painting,
                        perceptual=options.perceptual,
                        height=HEIGHT,
                        samples=options.samples,
                    )
                )
            )
        return Row(clip.name, *reports)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """A line a clip, and one of means."""
    yield "| clip | E_warp × before | after | detail × before | after | Gram before | after |"
    yield "|---" * 7 + "|"
    for row in rows:
        yield f"| {row.clip} | {' | '.join(number([figure]) for figure in row.figures)} |"
    means = (number(column) for column in zip(*(row.figures for row in rows), strict=True))
    yield f"| **mean** | {' | '.join(means)} |"


def page(groups: dict[str, list[Row]], options: argparse.Namespace) -> str:
    """All of it as markdown."""
    lines = [
        "# What another version painted, and what this one does",
        "",
        f"`python benchmarks/versions.py CHECKOUT CLIPS --frames {options.frames}`: before is "
        f"{options.name}, `{TIER}`, each version with its own weights. {HEIGHT} rows, before "
        "encoding. E_warp × and detail × are the default's over the unblended painting's, Gram "
        "the distance of the default's Gram matrices to the painting's.",
        "",
        machine_card().markdown(),
    ]
    for style, rows in groups.items():
        lines += ["", f"## {style}", "", *table(rows)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure every clip in every style, say so as it goes, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=Path, help="folder with the other version's files")
    parser.add_argument("clips", type=Path)
    parser.add_argument(
        "--style", action="append", nargs=2, required=True, metavar=("NAME", "PAINTING")
    )
    parser.add_argument("--name", default="the other version", help="what to call it")
    parser.add_argument("--perceptual", type=Path, help="VGG19; torchvision's by default")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--samples", type=int, default=2, help="frames that networks look at")
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    options = parser.parse_args()
    options.checkout = options.checkout.resolve()
    groups: dict[str, list[Row]] = {name: [] for name, _ in options.style}
    for clip in clips_in(options.clips):
        for style, painting in options.style:
            groups[style].append(measure(clip, style, Path(painting), options))
            figures = " ".join(number([figure]) for figure in groups[style][-1].figures)
            print(f"{clip.name:50} {style}: {figures}", flush=True)
    text = page(groups, options)
    write_page(options.output, text)


if __name__ == "__main__":
    main()

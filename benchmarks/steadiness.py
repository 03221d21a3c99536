"""How still paintings hold, and what that costs: every style and tier over a folder of clips.

    python benchmarks/steadiness.py CLIPS [--perceptual FILE] [--frames 40] [-o FILE.md]

The first frames of each clip are scaled to 360 rows and painted by `vidstyle run` at consistency 0
(the unblended painting), at the default and at 1, all kept without loss, so that figures are those
before encoding. What is written is what `vidstyle eval` says of them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from statistics import fmean

import av
from clips import clips_in
from pages import write_page

from vidstyle.coherence import DEFAULT_CONSISTENCY
from vidstyle.errors import InputError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.machine import machine_card
from vidstyle.jobs.measuring.clips import evaluate_clips
from vidstyle.jobs.measuring.evaluation import ClipReport, EvaluateConfig, EvaluationReport
from vidstyle.jobs.measuring.measures import LONG
from vidstyle.jobs.run import run
from vidstyle.motion.scale import scaled
from vidstyle.stylizers.registry import StyleFile, StyleRegistry, shipped_folder
from vidstyle.types import TIERS
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames
from vidstyle.video.write import WITHOUT_LOSS

HEIGHT = 360
HELD = (DEFAULT_CONSISTENCY, 1.0)

Value = Callable[[ClipReport], float | None]


@dataclass(frozen=True)
class Row:
    """A clip painted in one style and tier."""

    clip: str
    style: StyleFile
    report: EvaluationReport

    def ratio(self, held: int, value: Value) -> float | None:
        """A number of the painting held at `HELD[held]` over the unblended one's."""
        return self.report.ratio(self.report.outputs[held], value)

    def mean(self, held: int, measure: str) -> float | None:
        """Mean of a measure of the painting held at `HELD[held]`."""
        return self.report.outputs[held].mean(measure)


def e_warp(clip: ClipReport) -> float | None:
    """Over neighbours."""
    return clip.short.e_warp


def long_e_warp(clip: ClipReport) -> float | None:
    """Over ten frames."""
    return clip.long.e_warp


def detail(clip: ClipReport) -> float | None:
    """Variance of the Laplacian."""
    return clip.mean("detail")


def high_band(clip: ClipReport) -> float | None:
    """Energy of the finer half of the spectrum."""
    return clip.mean("high_band")


def write_scaled(clip: Path, path: Path, count: int) -> None:
    """The first frames of a clip, HEIGHT rows of square pixels, kept without loss."""
    info = probe(clip)
    width = 2 * round(info.width * info.sample_aspect_ratio * HEIGHT / info.height / 2)
    with av.open(path, "w") as container:
        track = container.add_stream("libx264rgb", rate=25, options={"crf": "0"})
        track.width, track.height, track.pix_fmt = width, HEIGHT, "rgb24"
        for number, frame in enumerate(islice(read_frames(info), count)):
            picture = av.VideoFrame.from_ndarray(scaled(frame.image, HEIGHT, width), "rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(track.encode(picture))
        container.mux(track.encode())


def measure(clip: Path, styles: Sequence[StyleFile], options: argparse.Namespace) -> Iterator[Row]:
    """Paint a clip in every style and at every consistency, and evaluate it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.mp4"
        write_scaled(clip, source, options.frames)
        for style in styles:
            unblended, *held = (
                painted(source, style, consistency, Path(folder)) for consistency in (0.0, *HELD)
            )
            config = EvaluateConfig(
                source,
                tuple(held),
                unblended=unblended,
                perceptual=options.perceptual,
                height=HEIGHT,
                samples=options.samples,
            )
            yield Row(clip.name, style, evaluate_clips(config))


def painted(source: Path, style: StyleFile, consistency: float, folder: Path) -> Path:
    """The clip as `vidstyle run` paints it."""
    name, tier = style.card.name, style.card.tier
    output = folder / f"{name}.{tier}.{consistency:g}.mp4"
    config = RunConfig(
        (source,),
        name if style.shares else str(style.path),  # one of several in a file has no path
        output,
        tier=tier,
        consistency=consistency,
        encode=WITHOUT_LOSS,
        overwrite=True,
    )
    run(config)
    return output


def number(values: Sequence[float | None], digits: int = 2) -> str:
    """Mean of the values there are."""
    known = [value for value in values if value is not None]
    return f"{fmean(known):.{digits}f}" if known else "–"


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """A line a style, tier and consistency: means over the clips."""
    yield "| style | consistency | E_warp × | 10 frames × | D_perceptual | detail × | high band × |"
    yield "|---|---|---|---|---|---|---|"
    for name, own in by_style(rows).items():
        yield f"| {name} | 0 | 1 | 1 | 0 | 1 | 1 |"
        for held, consistency in enumerate(HELD):
            cells = (
                number([row.ratio(held, e_warp) for row in own]),
                number([row.ratio(held, long_e_warp) for row in own]),
                number([row.mean(held, "d_perceptual") for row in own], 3),
                number([row.ratio(held, detail) for row in own]),
                number([row.ratio(held, high_band) for row in own]),
            )
            yield f"| {name} | {consistency:g} | {' | '.join(cells)} |"


def details(rows: Sequence[Row]) -> Iterator[str]:
    """A line a clip: what E_warp is, what it falls to, and at what price."""
    yield (
        "| clip | frames | coverage | E_warp source | unblended | default | × | 1 | × "
        "| D_perceptual default | 1 | detail × default | 1 |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        report = row.report
        assert report.unblended is not None
        cells = [
            number([report.source.short.coverage]),
            number([report.source.short.e_warp], 5),
            number([report.unblended.short.e_warp], 5),
        ]
        for held, output in enumerate(report.outputs):
            cells += [number([output.short.e_warp], 5), number([row.ratio(held, e_warp)])]
        cells += [number([row.mean(held, "d_perceptual")], 3) for held in range(len(HELD))]
        cells += [number([row.ratio(held, detail)]) for held in range(len(HELD))]
        yield f"| {row.clip} | {report.method.frames} | {' | '.join(cells)} |"


def by_style(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each style and tier, in order."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(f"{row.style.card.name} {row.style.card.tier}", []).append(row)
    return groups


def worst(rows: Sequence[Row]) -> str:
    """The clip whose E_warp falls least."""
    row = max(rows, key=lambda row: row.ratio(0, e_warp) or 0)
    return f"{row.clip}, {number([row.ratio(0, e_warp)])} of its unblended E_warp"


def page(rows: Sequence[Row], left_out: Sequence[str], options: argparse.Namespace) -> str:
    """All of it as markdown."""
    method = rows[0].report.method
    long_steps = " and over ten frames" if options.frames > LONG else ""
    lines = [
        "# Steadiness, and what it costs",
        "",
        f"`python benchmarks/steadiness.py CLIPS --frames {options.frames}`: the first frames of "
        f"each clip, {HEIGHT} rows, before encoding, over neighbours{long_steps}.",
        f"Flow: {method.flow}. Mask: {method.mask}.",
        f"D_perceptual, to the unblended painting: {method.perceptual or 'no network'}"
        f"{f' ({method.network})' if method.network else ''}; "
        f"frames looked at in each clip: {options.samples}.",
        "× is relative to the unblended painting (consistency 0); lower is steadier, and detail "
        "should stay near 1.",
        "",
        machine_card().markdown(),
        "",
        "## Means over the clips",
        "",
        *summary(rows),
    ]
    for name, own in by_style(rows).items():
        lines += ["", f"## {name}", "", *details(own), "", f"Worst: {worst(own)}."]
    lines += ["", *(f"Left out: {text}." for text in left_out)]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Measure every clip, say so as it goes, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--style", action="append", help="names; all that are shipped by default")
    parser.add_argument("--tier", choices=TIERS, help="both by default")
    parser.add_argument("--perceptual", type=Path)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).parent / "results/steadiness.md"
    )
    options = parser.parse_args()
    styles = [
        style
        for style in StyleRegistry((shipped_folder(),)).styles
        if not options.style or style.card.name in options.style
        if not options.tier or style.card.tier == options.tier
    ]
    rows: list[Row] = []
    left_out: list[str] = []
    for clip in clips_in(options.clips):
        try:
            for row in measure(clip, styles, options):
                rows.append(row)
                card, ratio = row.style.card, number([row.ratio(0, e_warp)])
                print(f"{clip.name:50} {card.name} {card.tier}: E_warp × {ratio}", flush=True)
        except InputError as error:
            left_out.append(f"{clip.name} ({error})")
    text = page(rows, left_out, options)
    write_page(options.output, text)


if __name__ == "__main__":
    main()

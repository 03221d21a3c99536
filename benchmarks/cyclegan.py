"""How near painted photographs come to a painter's work that no training has seen.

    python benchmarks/cyclegan.py PHOTOS PAINTINGS TRAINED STYLE [STYLE ...] --perceptual VGG19

PHOTOS and PAINTINGS were held out from training, TRAINED are the paintings of the training. The
photographs are painted in each style, and given the colours of paintings out of TRAINED one by one
(Reinhard et al. 2001): a style that is no nearer than that has learnt colours alone. What `vidstyle
eval` says of such sets is written, and whether it says enough.

With `--twin STYLE --clips FOLDER`, the first style is also held against its twin, trained alike but
without `--temporal`: by the distance above, and by E_warp of what both paint unblended.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from clips import clips_in
from numpy.typing import NDArray
from pages import write_page
from PIL import Image
from steadiness import HEIGHT, detail, e_warp, number, painted, write_scaled

from vidstyle.jobs.machine import machine_card
from vidstyle.jobs.measuring.clips import evaluate_clips
from vidstyle.jobs.measuring.evaluation import EvaluateConfig
from vidstyle.jobs.measuring.set_report import SetReport, SetsReport
from vidstyle.jobs.measuring.sets import evaluate_sets, square
from vidstyle.jobs.sheet import contact_sheet
from vidstyle.jobs.style import load_style
from vidstyle.stylizers.registry import StyleFile, StyleRegistry
from vidstyle.training.data import find_pictures
from vidstyle.video.images import read_image, write_image

Picture = NDArray[np.uint8]

TRANSFER = "colour transfer"
TWIN = "twin without --temporal"
TO_CONES = np.array(((0.3811, 0.5783, 0.0402), (0.1967, 0.7244, 0.0782), (0.0241, 0.1288, 0.8444)))
"""RGB to the responses of the eye's cones (Reinhard et al. 2001)."""
TO_OPPONENTS = np.diag((3**-0.5, 6**-0.5, 2**-0.5)) @ ((1, 1, 1), (1, 1, -2), (1, -1, 0))
"""Their logarithms to lightness, yellow-blue and red-green."""
LEAST_LIGHT = 1 / 255
BARS = {"source": 0.75, TRANSFER: 0.9}
"""VGG-KID is to be at most this share of what is named."""
TWIN_BAR = 0.6
"""E_warp of a style trained for steadiness is to be at most this share of its twin's."""
COLUMNS = ("vgg_fid", "content_distance", "cfsd", "ssim", "detail")
SHOWN = 3
"""Photographs on a sheet for each row."""
RESULT = Path(__file__).parent / "results/cyclegan.md"


def to_opponents(picture: Picture) -> NDArray[np.float64]:
    """(H, W, 3) RGB to lightness and the two opponent colours."""
    cones = (picture / 255).clip(LEAST_LIGHT) @ TO_CONES.T
    opponents: NDArray[np.float64] = np.log10(cones) @ TO_OPPONENTS.T
    return opponents


def colour_transfer(photo: Picture, painting: Picture) -> Picture:
    """Give a photograph the means and deviations of a painting's colours."""
    own, its = to_opponents(photo), to_opponents(painting)
    scale = its.std((0, 1)) / own.std((0, 1)).clip(1e-6)
    moved = (own - own.mean((0, 1))) * scale + its.mean((0, 1))
    light = 10 ** (moved @ np.linalg.inv(TO_OPPONENTS).T) @ np.linalg.inv(TO_CONES).T
    recoloured: Picture = (light * 255).round().clip(0, 255).astype(np.uint8)
    return recoloured


def make(folder: Path, photos: Sequence[Path], change: Callable[[int, Picture], Picture]) -> Path:
    """Write what becomes of each photograph, under its own name."""
    folder.mkdir()
    for place, path in enumerate(photos):
        changed = change(place, square(read_image(path)))
        Image.fromarray(changed).save(folder / f"{path.stem}.png")
    return folder


def make_all(photos: Sequence[Path], options: argparse.Namespace, into: Path) -> list[Path]:
    """Folders: the plain photographs, recoloured ones, and those painted in each style."""
    trained = find_pictures(options.trained)
    folders = [
        make(into / "photographs", photos, lambda _, photo: photo),
        make(
            into / TRANSFER,
            photos,
            lambda n, photo: colour_transfer(photo, read_image(trained[n % len(trained)])),
        ),
    ]
    for name in (*options.styles, *filter(None, [options.twin])):
        style = load_style(name, device=options.device)
        label = TWIN if name == options.twin else f"{style.card.name} {style.card.tier}"
        folders.append(make(into / label, photos, lambda _, photo, s=style: s.paint(photo)))
        print(label, "painted", flush=True)
    return folders


def sheet(folders: Sequence[Path], rows: int) -> Picture:
    """Some photographs, and what became of them: a set of SHOWN after the other."""
    names = [path.name for path in find_pictures(folders[0])]
    chosen = names[:: max(1, len(names) // (rows * SHOWN))][: rows * SHOWN]
    cells = [
        (read_image(folder / name), folder.name)
        for start in range(0, len(chosen), SHOWN)
        for folder in folders
        for name in chosen[start : start + SHOWN]
    ]
    return contact_sheet(*zip(*cells, strict=True))


def line(report: SetReport) -> str:
    """A set's row of the table."""
    kid = report.intervals["vgg_kid"]
    cells = [f"{kid.value:.3f} ({kid.low:.3f} to {kid.high:.3f})"]
    cells += [f"{report.numbers[name]:.3f}" if name in report.numbers else "–" for name in COLUMNS]
    return f"| {report.name} | {report.pictures} | {' | '.join(cells)} |"


def verdict(style: SetReport, other: SetReport, bar: float) -> str:
    """Whether a style is far enough below another set."""
    ours, its = style.intervals["vgg_kid"], other.intervals["vgg_kid"]
    name = "the photographs" if other.name == "source" else f"the {other.name}"
    below, above = ours.high < its.low, its.high < ours.low
    apart = "apart" if below or above else "not apart"
    reached = "reached" if ours.value <= bar * its.value and below else "not reached"
    return (
        f"- {style.name}: {ours.value / its.value:.2f} of the VGG-KID of {name} "
        f"(at most {bar:g} is aimed at), intervals {apart}: {reached}."
    )


def twin_verdict(ours: SetReport, twin: SetReport) -> str:
    """Whether steadiness cost nearness to the paintings."""
    own, its = ours.intervals["vgg_kid"], twin.intervals["vgg_kid"]
    inside = "inside" if its.low <= own.value <= its.high else "outside"
    return f"- {ours.name}: VGG-KID {inside} the interval of its {TWIN}."


def steadiness(options: argparse.Namespace) -> Iterator[str]:
    """A line a clip: E_warp and detail of the first style, unblended, over its twin's."""
    files = [StyleRegistry().find(name, "fast") for name in (options.styles[0], options.twin)]
    yield f"| clip | E_warp × (at most {TWIN_BAR:g}) | detail × |"
    yield "|---|---|---|"
    ratios = []
    for clip in clips_in(options.clips):
        ratios.append(against_twin(clip, *files, options))
        yield f"| {clip.name} | {' | '.join(number([ratio]) for ratio in ratios[-1])} |"
    yield f"| **mean** | {' | '.join(number(column) for column in zip(*ratios, strict=True))} |"


def against_twin(
    clip: Path, style: StyleFile, twin: StyleFile, options: argparse.Namespace
) -> list[float | None]:
    """E_warp and detail of one style over another's on a clip, both unblended."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        source = Path(one) / "source.mp4"
        write_scaled(clip, source, options.frames)
        ours, its = painted(source, style, 0.0, Path(one)), painted(source, twin, 0.0, Path(other))
        config = EvaluateConfig(
            source,
            (ours,),
            unblended=its,
            perceptual=options.perceptual,
            height=HEIGHT,
            samples=1,
        )
        report = evaluate_clips(config)
        return [report.ratio(report.outputs[0], value) for value in (e_warp, detail)]


def page(report: SetsReport, on_clips: Sequence[str]) -> str:
    """All of it as markdown."""
    transferred, *styles = report.outputs
    twins = [twin_verdict(styles[0], styles.pop())] if styles[-1].name == TWIN else []
    others = ((report.source, BARS["source"]), (transferred, BARS[TRANSFER]))
    return "\n".join(
        [
            "# How near to a painter's own work",
            "",
            f"`python benchmarks/cyclegan.py`: {report.source.pictures} photographs, plain, with "
            "the colours of the paintings of the training (Reinhard et al. 2001), and painted, "
            f"against {report.style_pictures} pictures of paintings; neither photographs nor these "
            f"paintings were trained on. Pictures: {report.resizer}. Judged by {report.network}; "
            f"content distance: {report.perceptual}. In brackets the 95 % bootstrap interval. "
            "Source is the plain photographs.",
            "",
            machine_card().markdown(),
            "",
            f"| set | pictures | VGG-KID | {' | '.join(COLUMNS)} |",
            "|---" * (3 + len(COLUMNS)) + "|",
            *(line(one) for one in report.sets),
            "",
            *(verdict(style, other, bar) for style in styles for other, bar in others),
            *twins,
            "",
            *on_clips,
        ]
    )


def main() -> None:
    """Paint, measure, print and write the table, and a sheet to look at."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="photographs that were not trained on")
    parser.add_argument("paintings", type=Path, help="paintings that were not trained on")
    parser.add_argument("trained", type=Path, help="paintings of the training")
    parser.add_argument("styles", nargs="+", help="names, or style files")
    parser.add_argument("--twin", help="the first style, trained without --temporal")
    parser.add_argument("--clips", type=Path, help="to hold both against each other on")
    parser.add_argument("--frames", type=int, default=8, help="of each clip")
    parser.add_argument("--perceptual", type=Path, help="VGG19; torchvision's by default")
    parser.add_argument("--count", type=int, default=500, help="photographs")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--sheet", type=Path, help="picture of what became of some photographs")
    parser.add_argument("--rows", type=int, default=2, help="of each set on the sheet")
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    options = parser.parse_args()
    photos = find_pictures(options.photos)[: options.count]
    with tempfile.TemporaryDirectory() as temporary:
        plain, *changed = make_all(photos, options, Path(temporary))
        if options.sheet:
            write_image(options.sheet, sheet([plain, *changed], options.rows), {})
        config = EvaluateConfig(
            plain,
            tuple(changed),
            style_image=options.paintings,
            perceptual=options.perceptual,
            device=options.device,
        )
        report = evaluate_sets(
            config,
            on_progress=lambda at: (
                print(f"looked at {at.frames}", flush=True) if at.frames % 100 == 0 else None
            ),
        )
    for note in report.notes:
        print(note)
    text = page(report, list(steadiness(options)) if options.clips else [])
    write_page(options.output, text)


if __name__ == "__main__":
    main()

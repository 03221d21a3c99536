"""Whether clips keep their frames, times and sound, whatever they are: a line for each file.

    python benchmarks/fidelity.py FOLDER_OR_FILE... [--style monet] [--seconds 4] [-o FILE.md]

Every file is painted by `vidstyle run` in a process of its own; then input and output are looked
at with PyAV alone. What is longer than `--seconds` is painted that far, and compared that far.
Where sound lies to the picture is measured by correlating what is heard in both files. The table
keeps the lines of files that were painted before.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE = 8000
"""Samples a second at which sound is compared."""
TIMEOUT = 1200
HEADS = "file", "exit code", "frames in", "out", "same times", "sound moved by (ms)", "said"
ABOUT = """Painted and compared by `python benchmarks/fidelity.py`, at most four seconds of each.
"Frames in" are those that a plain loop over PyAV decodes; times count from the first picture."""


@dataclass
class Content:
    """What a file holds, as a plain loop over PyAV sees it."""

    times: list[Fraction]
    """Seconds of each picture after the first; zeros where the file has no times."""
    is_timed: bool
    sound: NDArray[np.float32] | None
    """Mono, beginning one second before the first picture; None without any."""


@dataclass
class Outcome:
    """A line of the table."""

    name: str
    code: int
    before: Content
    after: Content | None
    said: str

    def cells(self) -> list[str]:
        """As words."""
        if self.after is None:
            return [self.name, str(self.code), str(len(self.before.times)), "", "", "", self.said]
        frames = str(len(self.before.times)), str(len(self.after.times))
        return [self.name, str(self.code), *frames, self._step(), self._offset(), self.said]

    def _step(self) -> str:
        assert self.after is not None
        if len(self.before.times) != len(self.after.times):
            return ""
        if not self.before.is_timed:
            return "it has none"
        pairs = zip(self.before.times, self.after.times, strict=True)
        worst = max((abs(one - other) for one, other in pairs), default=Fraction(0))
        return "yes" if not worst else f"within {float(worst * 1000):.2g} ms"

    def _offset(self) -> str:
        assert self.after is not None
        one, other = self.before.sound, self.after.sound
        if one is None or other is None:
            return "" if one is None else "no sound"
        if not one.any() or not other.any():
            return "silent"
        return f"{apart(one, other):+.1f}"


def apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Milliseconds by which `other` comes later, where both correlate best."""
    size = 2 * max(len(one), len(other))
    spectrum = np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size))
    shift = int(np.fft.irfft(spectrum).argmax())
    return (shift - size if shift > size // 2 else shift) * 1000 / RATE


def content(path: Path, seconds: float) -> Content:
    """Decode a file as far as it goes, up to `seconds`."""
    with open_plain(path) as file:
        track = next((s for s in file.streams.video if not int(s.disposition) & 0x400), None)
        stamps = [] if track is None else [stamp(frame) for frame in frames(file, track)]
    known = [time for time in stamps if time is not None]
    start = known[0] if known else Fraction(0)
    times = [time - start for time in known if time - start < seconds]
    lost = len(stamps) - len(known)  # without a time: their number alone can be compared
    return Content(times + [Fraction(0)] * lost, not lost, sound(path, start, seconds))


def sound(path: Path, start: Fraction, seconds: float) -> NDArray[np.float32] | None:
    with open_plain(path) as file:
        if not file.streams.audio:
            return None
        heard = np.zeros(round((seconds + 2) * RATE), np.float32)
        resampler = av.AudioResampler("flt", "mono", RATE)
        for frame in frames(file, file.streams.audio[0]):
            time = stamp(frame)
            if time is None or time - start > seconds + 1:
                continue
            place = round((time - start + 1) * RATE)
            with suppress(av.FFmpegError):
                # Each frame for itself, so that what is placed is where its stamp says.
                for piece in (*resampler.resample(frame), *resampler.resample(None)):
                    samples = piece.to_ndarray()[0]
                    begin = max(0, place)
                    end = min(len(heard), place + len(samples))
                    if begin < end:
                        heard[begin:end] = samples[begin - place : end - place]
                    place += len(samples)
            resampler = av.AudioResampler("flt", "mono", RATE)
    return heard


def frames(file: Any, stream: Any) -> Iterator[Any]:
    """The frames that can be decoded, past those that cannot."""
    with suppress(av.FFmpegError):
        for packet in file.demux(stream):
            with suppress(av.FFmpegError):
                yield from packet.decode()


def stamp(frame: Any) -> Fraction | None:
    """When a frame is shown or heard, in seconds."""
    return None if frame.pts is None else frame.pts * Fraction(frame.time_base)


def open_plain(path: Path) -> Any:
    if "%" in path.name:
        return av.open(str(path), format="image2", options={"framerate": "25"})
    return av.open(str(path), metadata_errors="ignore")


def paint(path: Path, style: str, seconds: float, folder: Path) -> Outcome:
    """Paint a file, and compare what comes of it."""
    command = [sys.executable, "-m", "vidstyle", "run", str(path), "--style", style, "--json"]
    command += ["--duration", f"{seconds:g}", "-o", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    try:
        before = content(path, seconds)
    except (av.FFmpegError, ValueError):
        before = Content([], False, None)
    written = [file for file in folder.iterdir() if file.is_file()]
    after = content(written[0], seconds + 1) if written else None
    name = path.parent.name if "%" in path.name else path.name
    return Outcome(name, done.returncode, before, after, told(done, path))


def told(done: subprocess.CompletedProcess[str], path: Path) -> str:
    """What the user is told, in a cell."""
    try:
        notes = json.loads(done.stdout)["files"][0]["notes"]
    except (ValueError, LookupError):
        notes = [done.stderr.strip().rpartition("\n")[2]]
    text = "; ".join(notes).replace(f"{path}: ", "").replace("vidstyle: ", "")
    return text.replace("|", "/")


def inputs(paths: list[Path]) -> Iterator[Path]:
    """Files, those of folders, and folders of numbered pictures as one clip."""
    for path in paths:
        if not path.is_dir():
            yield path
        elif pictures := sorted(path.glob("frame_*.png")):
            digits = len(pictures[0].stem.removeprefix("frame_"))
            yield path / f"frame_%0{digits}d.png"
        else:
            yield from inputs([p for p in sorted(path.iterdir()) if p.suffix != ".tsv"])


def put(rows: list[list[str]], output: Path) -> None:
    """Write lines into the table, in the place of older ones of the same names."""
    known = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
    old = [line[2:-2].split(" | ") for line in known if line.startswith("| ")]
    lines = {row[0]: " | ".join(row) for row in [*old, *rows] if row[0] not in ("file", "---")}
    table = [" | ".join(HEADS), " | ".join(["---"] * len(HEADS)), *map(lines.get, sorted(lines))]
    body = "\n".join(f"| {line} |" for line in table)
    output.write_text(f"# What becomes of clips\n\n{ABOUT}\n\n{body}\n", encoding="utf-8")


def main() -> None:
    """Paint, compare, and write the table anew after each file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--style", default="monet")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).parent / "results/fidelity.md"
    )
    options = parser.parse_args()
    for path in inputs(options.paths):
        with tempfile.TemporaryDirectory() as folder:
            outcome = paint(path, options.style, options.seconds, Path(folder))
        print(*outcome.cells(), sep=" | ", flush=True)
        put([outcome.cells()], options.output)


if __name__ == "__main__":
    main()

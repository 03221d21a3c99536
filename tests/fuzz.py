"""Feed `vidstyle` damaged files until it misbehaves: python tests/fuzz.py 20000

Tiny files made by code are mutated, each as its number says, and handed to the command line in a
child process with little memory and time. Whatever is in a file, the command must end by itself,
without a traceback, and with an exit code from the README's list; what does not is kept in
`--keep`, to be tried again with `--only NUMBER`. The children are forked from a parent that has
imported everything: a fresh Python for each would take a hundred times as long.
"""

from __future__ import annotations

import argparse
import collections
import gc
import hashlib
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from PIL import Image

import vidstyle.jobs.painting.clip
import vidstyle.jobs.run
import vidstyle.stylizers.engine  # so that no child has to
from vidstyle.cli.main import main as vidstyle_main
from vidstyle.errors import FINISHED_PARTIAL, InputError, StyleError, UsageError
from vidstyle.jobs.painting.journal import Journal
from vidstyle.jobs.publish import JOURNAL
from vidstyle.stylizers.networks import build
from vidstyle.stylizers.style_file import save_style
from vidstyle.types import StyleCard
from vidstyle.video.write import EncodeSummary

MEMORY = 1 << 30
"""Bytes that a child may take beyond what its parent had."""
SEGMENT = 2
"""Frames of a segment: clips have six."""
SECONDS = 30
"""That a child may take, on a busy machine."""
CODES = {0, UsageError.exit_code, InputError.exit_code, FINISHED_PARTIAL, StyleError.exit_code}
ENGINE = ["--device", "cpu", "--engine", "torch"]

Mutation = Callable[[random.Random, bytearray], None]


# --- Small files -----------------------------------------------------------------------------


def clip(
    path: Path,
    codec: str,
    pixel_format: str = "yuv420p",
    sound: str | None = None,
    *,
    options: dict[str, str] | None = None,
    tags: Sequence[int] = (2, 2, 2),
    size: tuple[int, int] = (48, 32),
) -> None:
    """Write six frames of noise, and a quarter of a second of sound."""
    width, height = size
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as output:
        output.metadata["title"] = "\x1b[31mred"
        output.set_chapters(
            [{"id": 0, "start": 0, "end": 5, "time_base": Fraction(1, 25), "metadata": {}}]
        )
        video: Any = output.add_stream(codec, 25, options=options or {})
        video.width, video.height, video.pix_fmt = width, height, pixel_format
        context = video.codec_context
        context.colorspace, context.color_primaries, context.color_trc = tags
        audio: Any = None
        if sound:
            audio = output.add_stream(sound, rate=48_000, layout="stereo", options={"strict": "-2"})
            audio.codec_context.open()
        for number in range(6):
            blocks = rng.integers(0, 256, (height // 8, width // 8, 3)).astype(np.uint8)
            picture = blocks.repeat(8, 0).repeat(8, 1)
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(video.encode(frame))
        output.mux(video.encode())
        if audio:
            samples = rng.normal(0, 0.1, (2, 12_000)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
            frame.sample_rate, frame.pts = 48_000, 0
            size = audio.codec_context.frame_size or 1024
            resampler = av.AudioResampler(audio.format.name, "stereo", 48_000, frame_size=size)
            for piece in (*resampler.resample(frame), *resampler.resample(None)):
                output.mux(audio.encode(piece))
            output.mux(audio.encode())


def clips(folder: Path) -> None:
    """A dozen clips in as many formats, and what only looks like one."""
    quick = {"preset": "ultrafast", "crf": "30"}
    hdr = (9, 9, 16)
    clip(folder / "h264.mp4", "libx264", sound="aac", options={"bf": "2", "g": "3", "crf": "30"})
    mute = quick | {"x265-params": "log-level=none"}
    clip(folder / "hevc.mp4", "libx265", options=mute, size=(64, 64))  # x265 breaks below that
    clip(folder / "mjpeg.mov", "mjpeg", "yuvj422p", "pcm_s16le")
    clip(folder / "hdr.mkv", "libx264", "yuv420p10le", "flac", options=quick, tags=hdr)
    clip(folder / "tff.mkv", "libx264", options=quick | {"x264-params": "tff=1"})
    clip(folder / "vp9.webm", "libvpx-vp9", sound="libopus", options={"deadline": "realtime"})
    clip(folder / "mpeg4.avi", "mpeg4", sound="libmp3lame")
    clip(folder / "h264.ts", "libx264", sound="mp2", options=quick)
    clip(folder / "mpeg2.mpg", "mpeg2video", sound="mp2")
    clip(folder / "flv1.flv", "flv")
    clip(folder / "rgb8.gif", "gif", "rgb8")
    clip(folder / "alpha.nut", "ffv1", "bgra")
    clip(folder / "raw.h264", "libx264", options=quick)
    picture = np.random.default_rng(0).integers(0, 256, (32, 48, 3)).astype(np.uint8)
    for name in ("still.png", "still.jpg", "still.webp"):
        Image.fromarray(picture).save(folder / name)
    (folder / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nh264.ts\n#EXT-X-ENDLIST\n")


def styles(folder: Path) -> None:
    """A style file of each tier."""
    torch.manual_seed(0)
    for tier, network, parameters in (
        ("fast", "FastNet", {"width": 8, "half_width": 4, "full_width": 4, "blocks": 1}),
        ("best", "BestNet", {"width": 4, "blocks": 1}),
    ):
        card = StyleCard("tiny", "T", "N", "2026", tier, network, parameters)  # type: ignore[arg-type]
        save_style(folder / f"tiny.{tier}.safetensors", build(card), [card])


def journals(folder: Path) -> None:
    """What a run leaves that is stopped after its first segment."""
    home = folder.parent / "stopped"
    home.mkdir()
    clip(home / "clip.mkv", "libx264", sound="flac", options={"preset": "ultrafast", "bf": "2"})

    def stopped() -> int:
        add = Journal.add

        def add_and_stop(journal: Journal, segment: EncodeSummary) -> None:
            add(journal, segment)
            raise InputError("stopped")

        Journal.add = add_and_stop  # type: ignore[method-assign]
        return vidstyle_main(resume_words(folder.parent, home / "out.mkv"))

    assert not attempt(stopped, folder.parent / "log")
    (home / ".out.mkv.part").replace(folder)
    assert (folder / JOURNAL).exists()


# --- What is done with a mutated one ----------------------------------------------------------


def paint_clip(path: Path, home: Path) -> int:
    """Paint it: opening, reading, encoding and joining."""
    style = str(home / "styles" / "tiny.fast.safetensors")
    out = str(path.with_name("out.mkv" if path.suffix in (".mkv", ".webm") else "out.mp4"))
    out = out if path.suffix not in (".png", ".jpg", ".webp") else str(path.with_name("out.png"))
    small = ["--preset", "ultrafast", "--limit", "pixels=300000"]
    return vidstyle_main(["run", str(path), "-s", style, "-o", out, *ENGINE, *small])


def use_style(path: Path, home: Path) -> int:
    """Paint a small picture with it."""
    picture = str(home / "clips" / "still.png")
    out = str(path.with_name("out.png"))
    return vidstyle_main(["run", picture, "-s", str(path), "-o", out, *ENGINE])


def resume_words(home: Path, out: Path) -> list[str]:
    """The command that is stopped, and that goes on."""
    style = str(home / "styles" / "tiny.fast.safetensors")
    return ["run", str(home / "stopped" / "clip.mkv"), "-s", style, "-o", str(out), *ENGINE]


def go_on(path: Path, home: Path) -> int:
    """Go on with a painting; a journal gets the checksum that its content wants."""
    part = path.with_name(".out.mkv.part")
    shutil.copytree(home / "journals", part)
    body = path.read_text("utf-8", "replace").partition("\n")[2]
    if path.name == JOURNAL:
        path.write_text(f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}", "utf-8")
    path.replace(part / path.name)
    return vidstyle_main(resume_words(home, path.with_name("out.mkv")))


TARGETS: dict[str, tuple[Callable[[Path], None], Callable[[Path, Path], int]]] = {
    "clips": (clips, paint_clip),
    "styles": (styles, use_style),
    "journals": (journals, go_on),
}
"""What makes the files of a kind, in a folder, and what a child does with a mutated one and with
the folder that holds all unharmed ones, by kind; it returns an exit code."""


# --- Mutations --------------------------------------------------------------------------------


def somewhere(rng: random.Random, data: bytearray) -> int:
    """A place: half of the time near the beginning or the end, where headers are."""
    last = max(0, len(data) - 1)
    near = min(last, 600)
    return rng.choice(
        [rng.randint(0, near), rng.randint(last - near, last), *2 * [rng.randint(0, last)]]
    )


def flip(rng: random.Random, data: bytearray) -> None:
    for _ in range(rng.choice([1, 1, 2, 4, 16, 64])):
        if data:  # nothing may be left of it
            data[somewhere(rng, data)] ^= 1 << rng.randrange(8)


def overwrite(rng: random.Random, data: bytearray) -> None:
    at, size = somewhere(rng, data), rng.choice([1, 2, 4, 16, 256])
    data[at : at + size] = rng.choice([bytes(size), b"\xff" * size, rng.randbytes(size)])


def edit_number(rng: random.Random, data: bytearray) -> None:
    at, size = somewhere(rng, data), rng.choice([2, 4, 8])
    value = rng.choice([0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, rng.getrandbits(32)])
    data[at : at + size] = (value % 2 ** (8 * size)).to_bytes(size, rng.choice(["big", "little"]))


def edit_digits(rng: random.Random, data: bytearray) -> None:
    found = list(re.finditer(rb"[0-9]+", bytes(data)))
    if found:
        digits = rng.choice(found)
        new = rng.choice([b"0", b"-1", b"512", b"999999999", b"1e9", b"null", b'"x"', b"[]", b""])
        data[digits.start() : digits.end()] = new


def cut_off(rng: random.Random, data: bytearray) -> None:
    del data[somewhere(rng, data) :]


def cut_out(rng: random.Random, data: bytearray) -> None:
    at = somewhere(rng, data)
    del data[at : at + rng.choice([1, 4, 100, 1000])]


def repeat(rng: random.Random, data: bytearray) -> None:
    start, size, to = somewhere(rng, data), rng.choice([4, 64, 1024]), somewhere(rng, data)
    data[to:to] = data[start : start + size]


def swap(rng: random.Random, data: bytearray) -> None:
    size = rng.choice([4, 64, 512])
    one, two = somewhere(rng, data), somewhere(rng, data)
    data[one : one + size], data[two : two + size] = (
        data[two : two + size],
        data[one : one + size],
    )


MUTATIONS: list[Mutation] = [
    flip, flip, overwrite, edit_number, edit_number, edit_digits, cut_off, cut_out, repeat, swap
]  # fmt: skip


def mutated(number: int, kind: str, home: Path) -> tuple[str, bytes]:
    """The file that `number` stands for: its name and its content."""
    rng = random.Random(f"{kind} {number}")
    seed = rng.choice(sorted((home / kind).iterdir()))
    data = bytearray(seed.read_bytes())
    for _ in range(rng.choice([1, 1, 2, 3])):
        rng.choice(MUTATIONS)(rng, data)
    return seed.name, bytes(data)


# --- Children ---------------------------------------------------------------------------------


def attempt(work: Callable[[], int], log: Path) -> str:
    """Run `work` in a child; what is wrong with how it ends, "" if nothing is, else a word."""
    child = os.fork()
    if not child:
        _confine(log)
        try:
            code = work()
        except BaseException as error:
            print(f"Traceback: {error!r}", file=sys.stderr, flush=True)
            code = 1
        os._exit(code)
    status = _wait(child)
    if status is None:
        return "hang"
    if os.WIFSIGNALED(status):
        return f"crash (signal {os.WTERMSIG(status)})"
    code, said = os.WEXITSTATUS(status), log.read_text(errors="replace")
    if "Traceback" in said or "\x1b" in said:
        return "traceback" if "Traceback" in said else "escape sequence"
    return "" if code in CODES else f"exit code {code}"


def _confine(log: Path) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def _wait(child: int) -> int | None:
    """The exit status of a child, None where it had to be killed."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def try_one(number: int, kind: str, home: Path, keep: Path) -> tuple[str, str]:
    """How one mutation went: what was wrong, and what was said."""
    name, content = mutated(number, kind, home)
    log = home / "log"
    with tempfile.TemporaryDirectory(dir=home) as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        wrong = attempt(lambda: TARGETS[kind][1](path, home), log)
        said = log.read_text(errors="replace").strip()
        if wrong:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, keep / f"{kind}-{number}-{name}")
            (keep / f"{kind}-{number}.log").write_text(f"{wrong}\n{said}\n")
    return wrong, said


def main() -> int:
    """Try them all; 1 if any misbehaved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("count", type=int, nargs="?", default=2000)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation")
    parser.add_argument("--only", type=int, help="one mutation, with what it says")
    parser.add_argument("--kind", choices=TARGETS, action="append")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"))
    options = parser.parse_args()
    kinds = options.kind or list(TARGETS)
    torch.set_num_threads(1)  # a pool of threads would not live on in a child
    vidstyle.jobs.painting.clip.segment_length = lambda *_: SEGMENT
    gc.freeze()  # or each child's collector would copy all of the parent's pages
    numbers = range(options.first, options.first - (-options.count // len(kinds)))
    findings: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for kind, (make, _) in TARGETS.items():
            (home / kind).mkdir()
            make(home / kind)
        if options.only is not None:
            numbers = range(options.only, options.only + 1)
        for kind in kinds:
            for number in numbers:
                wrong, said = try_one(number, kind, home, options.keep)
                findings[wrong] += 1
                if findings.total() % 500 == 0:
                    print(f"{findings.total():,} tried", flush=True)
                if wrong or options.only is not None:
                    print(f"{kind} {number}: {wrong or 'well'}: {said[-400:]}", flush=True)
    tried = sum(findings.values())
    bad = tried - findings[""]
    print(f"{tried:,} mutations of {', '.join(kinds)}: {bad} findings")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())

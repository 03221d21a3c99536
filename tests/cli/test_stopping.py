"""A run in a process of its own that is stopped from outside, in every way there is."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vidstyle.cli.main import main
from vidstyle.jobs.painting import clip as clip_module
from vidstyle.jobs.publish import JOURNAL

MakeClip = Callable[..., Path]
SEGMENT = 8
IN_SHORT_SEGMENTS = f"""
import sys
from vidstyle.cli.main import main
from vidstyle.jobs.painting import clip
clip.segment_length = lambda *_: {SEGMENT}
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def heeded_interrupts() -> Iterator[None]:
    """A shell that runs the suite in the background has its children ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch, tiny_style: str) -> None:
    monkeypatch.setattr(clip_module, "segment_length", lambda *_: SEGMENT)


def words(clip: Path) -> list[str]:
    return ["run", str(clip), "--style", "tiny", "--engine", "torch"]


@contextmanager
def at_work(clip: Path) -> Iterator[subprocess.Popen[str]]:
    """A run of its own that has finished two segments since it began, or is done.

    Two, because a signal may come as the journal is on the disk and the run does not know it yet.
    """
    command = [sys.executable, "-c", IN_SHORT_SEGMENTS, *words(clip)]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    journal = clip.with_name(".clip.tiny.mp4.part") / JOURNAL
    seen = {journal.read_bytes() if journal.exists() else b""}
    deadline = time.monotonic() + 110
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) as process:
        try:
            while process.poll() is None and len(seen) < 3:
                assert time.monotonic() < deadline
                if journal.exists():
                    seen.add(journal.read_bytes())
                time.sleep(0.005)
            yield process
        finally:
            process.kill()


def unbroken(clip: Path) -> bytes:
    output = clip.with_name("clip.tiny.mp4")
    assert main(words(clip)) == 0
    content = output.read_bytes()
    output.unlink()
    return content


@pytest.mark.parametrize(
    ("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_signal_ends_a_run_and_the_same_command_goes_on(
    make_clip: MakeClip, capsys: pytest.CaptureFixture[str], sign: signal.Signals, code: int
) -> None:
    clip = make_clip(frames=150, sound=False)
    with at_work(clip) as process:
        process.send_signal(sign)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code
    if sign != signal.SIGKILL:
        note, verdict = [line for line in err.splitlines() if line][-2:]
        assert note.endswith(" frames are kept: the same command goes on")
        assert verdict.startswith("vidstyle: stopped")
        assert "Traceback" not in err
    assert {path.name for path in clip.parent.iterdir()} == {"clip.mp4", ".clip.tiny.mp4.part"}
    assert main(words(clip)) == 0
    assert "clip.mp4: goes on after" in capsys.readouterr().err
    assert {path.name for path in clip.parent.iterdir()} == {"clip.mp4", "clip.tiny.mp4"}
    broken = clip.with_name("clip.tiny.mp4").rename(clip.with_name("other.mp4"))
    assert broken.read_bytes() == unbroken(clip)


def test_two_runs_cannot_write_one_output(
    make_clip: MakeClip, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(frames=500, sound=False)
    with at_work(clip):
        assert main(words(clip)) == 2
    assert "another run is writing it" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_kills_at_random_moments_of_one_run(make_clip: MakeClip) -> None:
    clip = make_clip(frames=1000, size=(96, 64), sound=False)
    whole = unbroken(clip)
    moments = random.Random(6)
    for _ in range(20):
        with at_work(clip) as process:
            time.sleep(moments.uniform(0, 0.1))
            assert process.poll() is None, "it was done before it could be killed"
            process.kill()
    assert main(words(clip)) == 0
    assert clip.with_name("clip.tiny.mp4").read_bytes() == whole
    assert {path.name for path in clip.parent.iterdir()} == {"clip.mp4", "clip.tiny.mp4"}

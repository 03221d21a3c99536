"""Thousands of damaged files, each in a process of its own: see `fuzz.py` beside this file."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).with_name("fuzz.py")


def fuzz(keep: Path, *args: str) -> str:
    command = [sys.executable, str(FUZZ), "--keep", str(keep), *args]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_thousand_damaged_files_end_well(tmp_path: Path) -> None:
    assert "2,001 mutations of clips, styles, journals: 0 findings" in fuzz(
        tmp_path, "2000", "--first", "1000000"
    )


def test_the_fuzzer_sees_what_it_is_there_for(tmp_path: Path) -> None:
    """A bug, a hang, a crash and a hunger for memory, each in a child, are told apart."""
    code = """
import ctypes, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import fuzz
fuzz.SECONDS = 0.5
log = Path(sys.argv[2])
for work in (lambda: 3, lambda: 1, lambda: 1 / 0, lambda: ctypes.string_at(0),
             lambda: fuzz.time.sleep(60), lambda: len(bytearray(2 << 30))):
    print(fuzz.attempt(work, log) or "well")
"""
    command = [sys.executable, "-c", code, str(FUZZ.parent), str(tmp_path / "log")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[:-1] == [
        "well",
        "exit code 1",
        "traceback",
        "crash (signal 11)",
        "hang",
        "traceback",
    ]

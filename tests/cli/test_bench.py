"""`vidstyle bench` as a user meets it; the measuring itself is tested in tests/jobs/bench."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vidstyle.cli.main import main
from vidstyle.errors import InputError
from vidstyle.jobs.bench import bench as job
from vidstyle.jobs.bench.bench import Step
from vidstyle.jobs.bench.config import BenchConfig
from vidstyle.jobs.bench.report import BenchReport, Row, Spread
from vidstyle.jobs.machine import MachineCard

MakeRow = Callable[..., Row]
COSTS = [1.0, 2.0, 30.0, 4.0, 5.0, 6.0, 7.0]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, row: MakeRow, card: MachineCard) -> list[BenchConfig]:
    """The configs that the job is called with; it answers with two rows and a note."""
    configs = []

    def spy(config: BenchConfig, *, on_step: Callable[[Step], None]) -> BenchReport:
        configs.append(config)
        on_step(Step("fast 848x480", "round 1 of 3", 2, 5))
        first = replace(row(COSTS, 25.0), baseline_fps=Spread(1.25, 1.0, 1.5))
        second = replace(row(COSTS[::-1], 30.0, on_gpu=True), tier="best", gpu_memory_mib=900.0)
        return BenchReport(card, (first, second), ("a word of warning",))

    monkeypatch.setattr(job, "bench", spy)
    monkeypatch.setenv("COLUMNS", "120")
    return configs


def test_the_tables_tell_speed_limit_and_what_it_stands_on(
    seen: list[BenchConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench"]) == 0
    out, err = capsys.readouterr()
    assert "a word of warning" in err
    fast, best = (" ".join(line.split()) for line in out.splitlines()[4:6])
    assert fast == "tiny fast 100x50 25.0 25.0–25.0 ×1.00 ×20.0 of 1.25 fps 0.69 stylize"
    assert best == "tiny best 100x50 30.0 30.0–30.0 ×1.20 0.90 blend"
    assert "×15.0" in out  # stylize takes 30 ms where 2 would do
    assert "Abacus, 2 usable cores" in out
    assert "100 GFLOP/s in float32, 200 in bfloat16" in out
    assert "900 MiB" in out


def test_json_is_all_there_is_on_standard_output(
    seen: list[BenchConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["fps"], report["limit"], report["ratio"]) == (25, "stylize", 20)
    assert len(report["rows"]) == 2


def test_options_reach_the_job(seen: list[BenchConfig]) -> None:
    text = (
        "bench -s starry-night --tier fast --tier best --size 640x360 --size 3840x2160 "
        "--engine torch --engine openvino --device cpu --input a.mp4 --against baseline --frames 99"
    )
    assert main(text.split()) == 0
    assert seen == [
        BenchConfig(
            "starry-night",
            ("fast", "best"),
            ((640, 360), (3840, 2160)),
            ("torch", "openvino"),
            ("cpu",),
            input=Path("a.mp4"),
            against="baseline",
            frames=99,
        )
    ]


def test_without_options_the_defaults_hold(seen: list[BenchConfig]) -> None:
    assert main(["bench"]) == 0
    assert seen == [BenchConfig()]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_plot_is_drawn(seen: list[BenchConfig], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"speed{suffix}"
    assert main(["bench", "--plot", str(path)]) == 0
    assert path.stat().st_size > 5000
    if suffix == ".png":
        with Image.open(path) as picture:
            colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
        assert {(0x7A, 0xA6, 0xC2), (0xD1, 0x78, 0x3C)} <= colours


def test_a_plot_that_exists_is_kept_unless_told(seen: list[BenchConfig], tmp_path: Path) -> None:
    path = tmp_path / "speed.png"
    path.write_text("older")
    assert main(["bench", "--plot", str(path)]) == 2
    assert (path.read_text(), seen) == ("older", []), "it is refused before anything is measured"
    assert main(["bench", "--plot", str(path), "-y"]) == 0
    assert path.stat().st_size > 5000
    assert [file.name for file in tmp_path.iterdir()] == ["speed.png"]


def test_no_number_is_cut_off_in_a_narrow_terminal(
    seen: list[BenchConfig], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["bench"]) == 0
    assert "…" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--size", "big"], 2, "848x480"),
        (["--size", "20x20"], 2, "20x20"),
        (["--plot", "speed.gif"], 2, ".png"),
        (["--plot", "nowhere/speed.png"], 2, "nowhere"),
        (["--against", "the world"], 2, "baseline"),
        (["--frames", "3"], 2, "frames"),
    ],
)
def test_bad_options_are_one_line(
    seen: list[BenchConfig],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    told: str,
) -> None:
    assert main(["bench", *words]) == code
    err = capsys.readouterr().err.splitlines()
    assert told in err[-1]
    assert err[-1].startswith("vidstyle: ")


def test_an_error_of_the_job_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise InputError("a.mp4: does not exist")

    monkeypatch.setattr(job, "bench", fail)
    assert main(["bench", "--input", "a.mp4"]) == 3
    assert capsys.readouterr().err == "vidstyle: a.mp4: does not exist\n"

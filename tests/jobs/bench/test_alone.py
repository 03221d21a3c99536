"""Each stage by itself, and the ceiling it is held against."""

from collections.abc import Callable
from fractions import Fraction
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from vidstyle.jobs.bench import alone, ceiling
from vidstyle.jobs.bench.alone import measure_alone
from vidstyle.jobs.bench.footage import make_footage
from vidstyle.jobs.bench.report import STAGES
from vidstyle.jobs.config import RunConfig
from vidstyle.stylizers.registry import StyleRegistry
from vidstyle.stylizers.torch_engine import TorchEngine


@pytest.fixture
def small_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceiling, "_SIDE", 32)
    monkeypatch.setattr(ceiling, "_COPIED", 1 << 16)


@pytest.mark.usefixtures("small_ceiling", "one_core")
def test_every_stage_is_measured_once_a_frame(
    tiny_style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that advances a millisecond whenever it is looked at."""
    clock = (tick / 1000 for tick in count())
    monkeypatch.setattr(alone, "process_time", clock.__next__)
    seen: list[np.ndarray] = []
    paint = TorchEngine.paint
    monkeypatch.setattr(
        TorchEngine, "paint", lambda self, batch: seen.append(batch) or paint(self, batch)
    )
    footage = make_footage(tmp_path / "clip.nut", (64, 64), 10, None)
    config = RunConfig(
        (footage.info.path,),
        tiny_style,
        tmp_path / "out.mp4",
        device="cpu",
        engine="torch",
        duration=Fraction(10, 25),
    )
    found = measure_alone(config, footage)
    assert tuple(found.stages) == STAGES
    for stage in ("to_rgb", "stylize", "flow", "blend", "to_yuv"):
        assert found.stages[stage].median == pytest.approx(1)
    for codec in ("decode", "encode"):
        assert found.stages[codec].median == pytest.approx(0.1)
    assert [batch.shape for batch in seen] == [(1, 64, 64, 3)] * 12  # two are warm-up
    assert (seen[0] == seen[1]).all()
    assert (seen[0] == seen[2]).all()


@pytest.mark.parametrize("tier", ["fast", "best"])
def test_operations_grow_with_the_picture(
    make_style: Callable[..., Path], tier: str, tmp_path: Path
) -> None:
    style = StyleRegistry((make_style(tier=tier).parent,)).styles[0]
    assert ceiling.operations(style, 64 * 64) > 1e5
    assert ceiling.operations(style, 640 * 64) == 10 * ceiling.operations(style, 64 * 64)


@pytest.mark.usefixtures("small_ceiling")
def test_a_ceiling_is_what_the_quickest_call_does() -> None:
    """Four calls take a second each and one half as long."""
    times = iter([0, 1, 1, 2, 2, 2.5, 3, 4, 5, 6] * 3)
    found = ceiling.ceiling("cpu", times.__next__)
    assert found.fp32_gflops == pytest.approx(2e-9 * 32**3 / 0.5)
    assert found.copy_gbs == pytest.approx(2e-9 * 65536 / 0.5)


def test_the_first_call_is_a_warm_up() -> None:
    calls = count()
    seconds = ceiling._quickest(calls.__next__, lambda: 0.0 if next(calls) < 2 else 1.0)
    assert seconds == 0  # so the clock was looked at after one call
    assert next(calls) == 1 + 3 * ceiling._REPEATS

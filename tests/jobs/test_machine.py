"""The card that stands above every table of figures."""

import os
from dataclasses import replace

import pytest
import torch

from vidstyle.jobs import machine
from vidstyle.jobs.machine import machine_card
from vidstyle.stylizers.device import available_cores


def test_the_card_tells_what_figures_depend_on() -> None:
    card = machine_card()
    assert card.processor
    assert card.cores == available_cores() <= len(os.sched_getaffinity(0))
    assert 0.1 < card.memory_gib < 1e5
    assert torch.__version__.startswith(card.versions["torch"])
    assert set(card.versions) == {"vidstyle", "torch", "openvino", "opencv", "av"}


def test_the_card_reads_as_a_list() -> None:
    card = replace(machine_card(), processor="Abacus", cores=2, bfloat16=True, gpus=())
    lines = card.markdown().splitlines()
    assert lines[0] == "- processor: Abacus, 2 usable cores, bfloat16"
    assert "- GPU: none" in lines
    assert lines[-1].startswith("- versions: vidstyle ")


def test_busy_cores_are_those_that_did_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four cores' 100 ticks 25 were idle."""
    ticks = iter([(1000, 400), (1100, 425)])
    monkeypatch.setattr(machine, "_ticks", lambda: next(ticks))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert machine.busy_cores(0) == 3.0
    monkeypatch.setattr(machine, "_ticks", lambda: (0, 0))
    assert machine.busy_cores(0) == 0.0


def test_a_library_that_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(machine._PACKAGES, "av", ("no-such-library",))
    assert "av" not in machine_card().versions

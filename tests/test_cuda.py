"""Copies to a device and back, and work that is recorded; what a GPU alone can show runs there."""

import os

import numpy as np
import pytest
import torch
from torch import Tensor

from vidstyle import cuda
from vidstyle.cuda import Recording, Work, download, upload

GPU = torch.device("cuda")


def test_what_goes_up_comes_down_again(torch_device: str) -> None:
    device = torch.device(torch_device)
    for dtype in (np.uint8, np.float32, np.bool_):
        array = (np.random.default_rng(0).random((9, 7, 3)) * 255).astype(dtype)
        array.setflags(write=False)
        tensor = upload(array, device)
        assert tensor.device.type == device.type
        assert np.array_equal(download(tensor), array)
        assert np.array_equal(download(tensor.transpose(0, 1)), array.transpose(1, 0, 2))


def test_what_went_up_is_a_copy(torch_device: str) -> None:
    array = np.zeros(5, np.uint8)
    tensor = upload(array, torch.device(torch_device))
    array[:] = 1
    assert not download(tensor).any()


class Counter:
    """Work with a memory, which counts how often each step of it is told to the device."""

    def __init__(self, device: str = "cpu") -> None:
        self.told = 0
        self.total = torch.zeros(3, device=device)

    def add(self, amount: Tensor) -> tuple[Tensor]:
        self.told += 1
        self.total += amount
        return (self.total * 2,)


def replaying(work: Work, inputs: tuple[Tensor, ...], device: torch.device) -> Work:
    """Stands for a recording: it takes the tensors that were recorded, and tells nothing."""
    counter: Counter = work.__self__  # type: ignore[attr-defined]

    def replay(*given: Tensor) -> tuple[Tensor, ...]:
        counter.told -= 1
        return work(*given)

    return replay


def test_work_is_told_once_then_recorded_then_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "record", replaying)
    counter = Counter()
    recording = Recording(counter.add, GPU)
    for number in range(1, 5):
        (twice,) = recording(torch.ones(3))
        assert twice.tolist() == [2 * number] * 3
    assert counter.told == 1
    recording(torch.ones(1))  # of another shape
    assert counter.told == 2
    recording(torch.ones(3))
    assert counter.told == 2
    assert recording.note is None


def test_work_that_cannot_be_recorded_is_told_step_by_step_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> Work:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(cuda, "record", fails)
    recording = Recording(Counter().add, GPU)
    for number in range(1, 5):
        assert recording(torch.ones(3))[0].tolist() == [2 * number] * 3
    assert recording.note is not None
    assert "not permitted when stream is capturing): sending" in recording.note


def test_want_of_memory_while_recording_costs_the_graph_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same work has just been done without one."""

    def fails(*_: object) -> Work:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(cuda, "record", fails)
    recording = Recording(Counter().add, GPU)
    for number in range(1, 4):
        assert recording(torch.ones(3))[0].tolist() == [2 * number] * 3
    assert "(CUDA out of memory): sending every step" in (recording.note or "")


@pytest.mark.parametrize(
    ("lengths", "shapes"),
    [
        ((1, 3, 3, 3, 1, 3, 3, 1, 3, 1), [(3,)]),
        ((1, 1, 1, 3, 3, 3), [(1,), (3,)]),
        ((1, 1, 3, 1, 1), [(1,)]),
    ],
)
def test_work_that_changes_its_shapes_for_good_is_recorded_anew(
    lengths: tuple[int, ...], shapes: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures before a clip, which is painted in groups; its last group is smaller."""
    recorded: list[tuple[int, ...]] = []

    def record(work: Work, inputs: tuple[Tensor, ...], device: torch.device) -> Work:
        recorded.append(inputs[0].shape)
        return replaying(work, inputs, device)

    monkeypatch.setattr(cuda, "record", record)
    recording = Recording(Counter().add, GPU)
    for length in lengths:
        recording(torch.ones(length))
    assert recorded == shapes


def test_on_a_cpu_nothing_is_recorded() -> None:
    counter = Counter()
    recording = Recording(counter.add, torch.device("cpu"))
    for _ in range(3):
        recording(torch.ones(3))
    assert counter.told == 3


@pytest.mark.skipif(
    not torch.cuda.is_available() and "VIDSTYLE_REQUIRE_CUDA" not in os.environ, reason="no GPU"
)
def test_a_gpu_replays_what_it_was_told() -> None:
    counter = Counter("cuda")
    recording = Recording(counter.add, GPU)
    results = [recording(torch.full((3,), float(n), device="cuda"))[0] for n in range(6)]
    assert [result.tolist()[0] for result in results] == [0, 2, 6, 12, 20, 30]
    assert counter.told == 2  # once as it is, once to record it
    assert recording.note is None

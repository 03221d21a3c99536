"""The baseline is what it is called."""

import inspect
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import torch
from torch import nn

from vidstyle.errors import InputError, ResourceError
from vidstyle.jobs.bench import baseline
from vidstyle.jobs.bench.baseline import JohnsonNetwork, paint_baseline

MakeClip = Callable[..., Path]


@pytest.fixture(autouse=True)
def small_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "_SECONDS", 0.0)


def test_the_network_has_the_published_shape() -> None:
    """1,679,235 parameters, as the implementation has that most people start from."""
    network = JohnsonNetwork()
    assert sum(p.numel() for p in network.parameters()) == 1_679_235
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert [(m.out_channels, m.kernel_size[0], m.stride[0]) for m in layers] == [
        (32, 9, 1),
        (64, 3, 2),
        (128, 3, 2),
        *[(128, 3, 1)] * 10,
        (64, 3, 1),
        (32, 3, 1),
        (3, 9, 1),
    ]
    assert len([m for m in network.modules() if isinstance(m, nn.InstanceNorm2d)]) == 15
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_it_is_paint_from_plain_torch_alone() -> None:
    source = inspect.getsource(baseline)
    for shortcut in ("compile", "autocast", "half(", "bfloat16", "openvino", "channels_last"):
        assert shortcut not in source
    imports = [line for line in source.splitlines() if line.startswith("from vidstyle")]
    modules = {line.split()[1] for line in imports}
    assert modules == {"vidstyle.errors", "vidstyle.stylizers.device", "vidstyle.types"}


@pytest.mark.parametrize("size", [(64, 48), (66, 50)])
def test_it_paints_from_file_to_file(
    size: tuple[int, int], make_clip: MakeClip, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"
    seconds = paint_baseline(make_clip(frames=4, size=size), output, "cpu")
    assert seconds > 0
    capture = cv2.VideoCapture(str(output))
    there, frame = capture.read()
    assert there
    assert frame.shape == (size[1], size[0], 3)
    assert frame.std() > 5


def test_it_keeps_its_time(
    make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two frames do not count; with no time at all, one does."""
    painted = []
    paint = baseline._painter("cpu")
    monkeypatch.setattr(baseline, "_painter", lambda _: lambda f: painted.append(f) or paint(f))
    paint_baseline(make_clip(frames=9), tmp_path / "out.mp4", "cpu")
    assert len(painted) == 3
    monkeypatch.setattr(baseline, "_SECONDS", 1e9)
    paint_baseline(make_clip(frames=9), tmp_path / "out.mp4", "cpu")
    assert len(painted) == 3 + 9


def test_what_cannot_be_read_or_written_is_one_line(make_clip: MakeClip, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        paint_baseline(tmp_path / "none.mp4", tmp_path / "out.mp4", "cpu")
    with pytest.raises(InputError, match="too short"):
        paint_baseline(make_clip(frames=2), tmp_path / "out.mp4", "cpu")
    with pytest.raises(ResourceError, match="cannot write"):
        paint_baseline(make_clip(frames=4), tmp_path / "none" / "out.mp4", "cpu")

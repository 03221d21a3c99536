"""The perceptual network: both kinds of file, the right layers, and words for what is wrong."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from vidstyle.errors import InputError
from vidstyle.perceptual.network import CONVOLUTIONS, TAPS, load_perceptual

WIDTHS = {"1": 4, "2": 6, "3": 8, "4": 10, "5": 12}


def vgg_tensors(*, aux: bool = False) -> dict[str, Tensor]:
    """A VGG19 with few channels and random weights."""
    torch.manual_seed(0)
    tensors, inputs = {}, 3
    for name in CONVOLUTIONS:
        width = WIDTHS[name[4]]
        tensors |= convolution(name, inputs, width, 3)
        if aux and name in TAPS:
            tensors |= convolution(f"{name}_aux", width, 2 * width, 1)
        inputs = width
    return tensors | (convolution("preprocess", 3, 3, 1) if aux else {})


def convolution(name: str, inputs: int, outputs: int, size: int) -> dict[str, Tensor]:
    layer = torch.nn.Conv2d(inputs, outputs, size)
    return {f"{name}.{key}": value for key, value in layer.state_dict().items()}


@pytest.mark.parametrize("aux", [False, True])
def test_gives_the_five_layers_at_their_sizes(tmp_path: Path, aux: bool) -> None:
    save_file(vgg_tensors(aux=aux), tmp_path / "vgg.safetensors")
    features = load_perceptual(tmp_path / "vgg.safetensors")(torch.rand(2, 3, 32, 48))
    scale = 2 if aux else 1
    expected = [(2, scale * w, 32 >> k, 48 >> k) for k, w in enumerate(WIDTHS.values())]
    assert [tuple(f.shape) for f in features] == expected
    assert all(f.min() >= 0 for f in features)


def test_oxford_weights_see_mean_free_bgr(tmp_path: Path) -> None:
    """Pick one channel of the input with an identity filter: blue, 0-255, less its mean."""
    tensors = vgg_tensors()
    tensors["conv1_1.weight"] = torch.zeros(4, 3, 3, 3)
    tensors["conv1_1.weight"][0, 0, 1, 1] = 1.0
    tensors["conv1_1.bias"] = torch.zeros(4)
    save_file(tensors, tmp_path / "vgg.safetensors")
    blue = torch.zeros(1, 3, 32, 32)
    blue[:, 2] = 1.0
    first = load_perceptual(tmp_path / "vgg.safetensors")(blue)[0]
    assert first[0, 0, 5, 5].item() == pytest.approx(255 - 103.939, abs=1e-3)


def test_is_frozen_but_passes_gradients(tmp_path: Path) -> None:
    save_file(vgg_tensors(), tmp_path / "vgg.safetensors")
    network = load_perceptual(tmp_path / "vgg.safetensors")
    picture = torch.rand(1, 3, 32, 32, requires_grad=True)
    network(picture)[-1].sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in network.parameters())


def test_a_file_that_lacks_layers_is_refused(tmp_path: Path) -> None:
    tensors = vgg_tensors()
    del tensors["conv5_1.weight"]
    save_file(tensors, tmp_path / "vgg.safetensors")
    with pytest.raises(InputError, match="conv5_1 is missing"):
        load_perceptual(tmp_path / "vgg.safetensors")


def test_a_missing_or_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"junk")
    for name in ("missing.safetensors", "broken.safetensors"):
        with pytest.raises(InputError, match=name):
            load_perceptual(tmp_path / name)


def test_without_a_network_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision.models

    def fail(**_: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models, "vgg19", fail)
    with pytest.raises(InputError, match="--perceptual PATH"):
        load_perceptual(None)


def test_torchvisions_layers_are_picked_by_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights in torchvision's own VGG19: the same features as its own layers give."""
    import torchvision.models

    torch.manual_seed(0)
    vgg = torchvision.models.vgg19(weights=None)
    monkeypatch.setattr(torchvision.models, "vgg19", lambda **_: vgg)
    network = load_perceptual(None)
    picture = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        expected = vgg.features[:30](network.preprocess(picture))
        assert torch.allclose(network(picture)[-1], expected, atol=1e-5)

"""The perceptual network: both kinds of file, the right layers, and words for what is wrong."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from vidstyle.errors import InputError
from vidstyle.perceptual.network import CONVOLUTIONS, TAPS, VGG19, load_perceptual

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
    (tmp_path / "folder.safetensors").mkdir()
    for name in ("missing.safetensors", "broken.safetensors", "folder.safetensors"):
        with pytest.raises(InputError, match=name):
            load_perceptual(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("conv2_1.weight", torch.zeros(6)),
        ("conv2_1.bias", torch.zeros(5)),
        ("conv3_1.weight", torch.zeros(8, 7, 3, 3)),
        ("conv3_1_reduce.weight", torch.zeros(4, 6, 1, 1)),
    ],
)
def test_layers_that_do_not_fit_are_told_of(tmp_path: Path, name: str, tensor: Tensor) -> None:
    save_file(vgg_tensors() | {name: tensor}, tmp_path / "vgg.safetensors")
    with pytest.raises(InputError, match="is neither VGG19 nor a stand-in for it") as caught:
        load_perceptual(tmp_path / "vgg.safetensors")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("offline")
def test_without_a_network_the_way_out_is_named() -> None:
    with pytest.raises(InputError, match="--perceptual PATH"):
        load_perceptual(VGG19)


def test_torchvisions_layers_are_picked_by_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights in torchvision's own VGG19: the same features as its own layers give."""
    from torchvision.models import vgg
    from torchvision.models._api import WeightsEnum

    torch.manual_seed(0)
    layers = vgg.make_layers(vgg.cfgs["E"])
    state = {f"features.{name}": value for name, value in layers.state_dict().items()}
    monkeypatch.setattr(WeightsEnum, "get_state_dict", lambda *_, **__: state)
    network = load_perceptual(VGG19)
    picture = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        expected = layers[:30](network.preprocess(picture))
        assert torch.allclose(network(picture)[-1], expected, atol=1e-5)


def test_a_layer_in_low_rank_is_its_three_parts_in_turn(tmp_path: Path) -> None:
    """Split one layer into three that together are itself: nothing may change."""
    tensors = vgg_tensors()
    save_file(tensors, tmp_path / "whole.safetensors")
    inputs, outputs = WIDTHS["3"], WIDTHS["3"]
    mixing = torch.linalg.qr(torch.randn(inputs, inputs))[0]
    weight, bias = tensors["conv3_2.weight"], tensors["conv3_2.bias"]
    tensors |= {
        "conv3_2_reduce.weight": mixing[:, :, None, None].contiguous(),
        "conv3_2_reduce.bias": torch.zeros(inputs),
        "conv3_2.weight": torch.einsum("oikl,ri->orkl", weight, mixing).contiguous(),
        "conv3_2.bias": torch.zeros(outputs),
        "conv3_2_expand.weight": torch.eye(outputs)[:, :, None, None].contiguous(),
        "conv3_2_expand.bias": bias,
    }
    save_file(tensors, tmp_path / "parts.safetensors")
    picture = torch.rand(1, 3, 32, 32)
    whole, parts = (
        load_perceptual(tmp_path / f"{name}.safetensors")(picture) for name in ("whole", "parts")
    )
    for a, b in zip(whole, parts, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-3)

"""Networks that others have trained to judge pictures, by their own download."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Literal, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from vidstyle.errors import InputError

T = TypeVar("T")

_ART_INCEPTION = (
    "https://huggingface.co/matthias-wright/art_inception/resolve/main/art_inception.pth"
)

Distance = Callable[[Tensor, Tensor], float]
"""Takes two pictures (1, 3, H, W) in [0, 1]; 0 is alike."""


class InceptionFeatures(NamedTuple):
    """What Inception-v3 (the weights that FID is defined with) makes of pictures."""

    places: Tensor
    """(N, 64, H, W): before the first pooling, as SIFID takes them (Shaham et al., ICCV 2019)."""
    pooled: Tensor
    """(N, 2048): as FID and KID take them."""
    logits: Tensor
    """(N, 1008): as the Inception Score takes them."""


Inception = Callable[[Tensor], InceptionFeatures]
"""Takes pictures (N, 3, H, W) in [0, 1], which it scales to 299 x 299 itself."""


def load_lpips(net: Literal["squeeze", "alex"], device: torch.device) -> Distance:
    """LPIPS (Zhang et al., CVPR 2018) as torchmetrics has it.

    Raises:
        InputError: its weights are not here and cannot be downloaded.
    """
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity as Lpips

    network = _quietly("LPIPS", lambda: Lpips(net_type=net, normalize=True)).to(device)

    def distance(a: Tensor, b: Tensor) -> float:
        with torch.no_grad():
            return float(network(a, b))

    return distance


def load_inception(device: torch.device) -> Inception:
    """Inception-v3 as torch-fidelity has it.

    Raises:
        InputError: its weights are not here and cannot be downloaded.
    """
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    wanted = ["2048", "logits_unbiased"]
    network = _quietly("Inception", lambda: FeatureExtractorInceptionV3("inception", wanted))
    return inception_features(network.to(device).eval())


def load_art_inception(device: torch.device) -> Callable[[Tensor], Tensor]:
    """Inception-v3 that knows paintings, for ArtFID (Wright and Ommer, GCPR 2022).

    Returns:
        What takes pictures (N, 3, H, W) in [0, 1] and gives their features (N, 2048).

    Raises:
        InputError: its weights are not here and cannot be downloaded.
    """
    from torchvision.models import inception_v3

    def download() -> dict[str, Tensor]:
        state: dict[str, Tensor] = torch.hub.load_state_dict_from_url(
            _ART_INCEPTION, map_location="cpu", weights_only=True
        )
        return state

    state = _quietly("art Inception", download)
    network = inception_v3(weights=None, transform_input=False, init_weights=False)
    network.AuxLogits, network.fc = None, nn.Identity()
    heads = ("fc", "AuxLogits")
    network.load_state_dict({k: v for k, v in state.items() if not k.startswith(heads)})
    network.to(device).eval()

    def features(pictures: Tensor) -> Tensor:
        with torch.no_grad():
            vectors: Tensor = network(pictures)
        return vectors

    return features


def inception_features(network: nn.Module) -> Inception:
    """What `load_inception` gives, from torch-fidelity's network."""
    seen: list[Tensor] = []
    network.get_submodule("Conv2d_2b_3x3").register_forward_hook(
        lambda *call: seen.append(call[-1])
    )

    def features(pictures: Tensor) -> InceptionFeatures:
        seen.clear()
        with torch.no_grad():
            pooled, logits = network((pictures * 255).round().to(torch.uint8))
        return InceptionFeatures(seen[0], pooled, logits)

    return features


def _quietly(name: str, load: Callable[[], T]) -> T:
    try:
        with redirect_stderr(StringIO()), redirect_stdout(StringIO()):
            return load()
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"the weights of {name} could not be downloaded ({type(error).__name__})"
        ) from error

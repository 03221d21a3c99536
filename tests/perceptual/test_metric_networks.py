"""Judging networks: what is asked of them, here with random weights, and what if there are none."""

import pytest
import torch

from vidstyle.errors import InputError
from vidstyle.perceptual.metric_networks import load_inception, load_lpips

CPU = torch.device("cpu")


@pytest.mark.usefixtures("offline")
def test_without_weights_it_is_said_which() -> None:
    with pytest.raises(InputError, match="LPIPS could not be downloaded"):
        load_lpips("squeeze", CPU)
    with pytest.raises(InputError, match="Inception could not be downloaded"):
        load_inception(CPU)


def test_lpips_is_0_for_equal_pictures_only(monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision.models

    torch.manual_seed(0)
    backbone = torchvision.models.squeezenet1_1(weights=None)
    monkeypatch.setattr(torchvision.models, "squeezenet1_1", lambda **_: backbone)
    distance = load_lpips("squeeze", CPU)
    a, b = torch.rand(2, 1, 3, 64, 64)
    assert distance(a, a) == 0
    assert distance(a, b) > 0
    assert distance(a, b) == pytest.approx(distance(a, b)), "it remembers nothing"


def test_inception_gives_places_vectors_and_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_fidelity import feature_extractor_inceptionv3 as library

    torch.manual_seed(0)
    monkeypatch.setattr(library, "load_state_dict_from_url", lambda *_, **__: {})
    monkeypatch.setattr(
        library.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None, raising=True
    )
    inception = load_inception(CPU)
    picture = torch.rand(1, 3, 80, 90)
    seen = inception(picture)
    assert seen.places.shape == (1, 64, 147, 147)
    assert seen.pooled.shape == (1, 2048)
    assert seen.logits.shape == (1, 1008)
    assert not torch.equal(inception(1 - picture).places, seen.places)

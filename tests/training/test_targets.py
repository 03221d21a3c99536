"""What is asked of pictures that are to look like a painting, or like those of a collection."""

import torch

from vidstyle.training.losses import statistics
from vidstyle.training.targets import average


def test_several_paintings_ask_for_one_of_them_and_not_for_what_they_differ_in() -> None:
    torch.manual_seed(0)
    dark = torch.rand(1, 3, 8, 8)
    light = dark + 2
    mean, covariance = average([statistics(dark), statistics(light)])
    assert torch.allclose(mean, statistics(dark + 1).mean, rtol=1e-5)
    assert torch.allclose(covariance, statistics(dark).covariance, rtol=1e-4, atol=1e-6)

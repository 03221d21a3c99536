"""What a GPU's training does besides: networks that torch makes programs of."""

from typing import Any

import pytest
import torch

from vidstyle.stylizers.networks import FastNet
from vidstyle.training.discriminator import PatchGAN
from vidstyle.training.loop import compile_networks


@pytest.mark.filterwarnings("ignore")  # of torch's own, while it reads the code
def test_a_compiled_network_paints_the_same_and_keeps_the_names_of_its_weights() -> None:
    graphs: list[Any] = []

    def backend(graph: Any, _inputs: object) -> Any:
        graphs.append(graph)
        return graph.forward

    network, discriminator = FastNet(8, 8, 4, blocks=1), PatchGAN(2)
    picture, names = torch.rand(1, 3, 32, 32), list(network.state_dict())
    painted = network(picture)
    score = discriminator(painted)
    compile_networks([torch.nn.ModuleList((network, discriminator))], backend)
    again = network.decode(network.encode(picture))
    assert torch.equal(again, painted)
    assert torch.equal(discriminator(again), score)
    assert len(graphs) == 3, "both halves of the painter, and the discriminator, each in one piece"
    assert list(network.state_dict()) == names

"""Several processes that train one network, as torchrun starts them; gloo stands for GPUs' nccl."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import distributed as dist
from torch import nn

from vidstyle.errors import UsageError
from vidstyle.stylizers.card import read_cards
from vidstyle.training import balance, loop
from vidstyle.training.config import FeedForwardConfig
from vidstyle.training.feed_forward import FeedForwardTraining
from vidstyle.training.ranks import average_gradients, rank, ranks
from vidstyle.training.train import train

TOGETHER = """
import pickle, sys
import torch
from torch import nn
from vidstyle.training.ranks import average_gradients, average_over_ranks, rank
from vidstyle.training.feed_forward import FeedForwardTraining

class Spy(FeedForwardTraining):
    def _take_step(self, batch):
        seen.append(batch)
        return super()._take_step(batch)

seen = []
training = Spy(pickle.load(open(sys.argv[1], "rb")))
both, one = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
both.grad = torch.full((2,), float(rank()))
one.grad = torch.ones(2) if rank() else None
average_gradients([both, one])
mean = average_over_ranks(torch.tensor(float(rank())))
training.run(lambda at: None)
told = {"seen": seen, "gradients": [both.grad, one.grad], "weights": training.learned.state_dict()}
told["mean"] = mean.item()
torch.save(told, f"{sys.argv[1]}.{rank()}")
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_processes_share_the_pictures_and_agree_on_the_weights(
    config: FeedForwardConfig, tmp_path: Path
) -> None:
    config = replace(config, temporal=False, steps=3)
    (tmp_path / "together.py").write_text(TOGETHER)
    (tmp_path / "config").write_bytes(pickle.dumps(config))
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    done = subprocess.run(
        [sys.executable, *launch, str(tmp_path / "together.py"), str(tmp_path / "config")],
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"config.{k}") for k in (0, 1))
    for told in (first, second):
        assert [g.tolist() for g in told["gradients"]] == [[0.5, 0.5], [0.5, 0.5]]
        assert told["mean"] == 0.5
    for name, weight in first["weights"].items():
        assert torch.equal(weight, second["weights"][name])
    alone = FeedForwardTraining(replace(config, name="alone"))
    shares = [first["seen"][0], second["seen"][0], first["seen"][1], second["seen"][1]]
    assert all(torch.equal(shares[k], alone._dataset()[k]) for k in range(4))
    (card,) = read_cards(config.output / "tiny.safetensors")
    assert card.recipe["batch"] == 2 * config.batch
    assert (config.output / "tiny.run" / "checkpoint.safetensors").is_file()
    with pytest.raises(UsageError, match="processes 2, not 1"):
        train(replace(config, resume=True))


def test_alone_there_is_nothing_to_average() -> None:
    parameter = nn.Parameter(torch.zeros(2))
    average_gradients([parameter])
    assert parameter.grad is None
    assert (rank(), ranks()) == (0, 1)
    assert not dist.is_initialized()


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be the second of two processes, which never meets the first."""
    for name, value in (("TORCHELASTIC_RUN_ID", "test"), ("RANK", "1"), ("WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(loop, "meet", lambda device: device)
    monkeypatch.setattr(loop, "average_gradients", lambda _: None)
    monkeypatch.setattr(balance, "average_over_ranks", lambda loss: loss)


@pytest.mark.usefixtures("second")
def test_the_second_of_two_takes_every_other_share(config: FeedForwardConfig) -> None:
    training = FeedForwardTraining(replace(config, temporal=False))
    shares = training._dataset()
    for k, batch in enumerate(training._batches()):
        assert torch.equal(batch, shares[2 * k + 1])
    assert k == config.steps - 1


@pytest.mark.usefixtures("second")
def test_only_the_first_process_writes(config: FeedForwardConfig) -> None:
    train(config)
    assert not list((config.output / "tiny.run").iterdir())
    assert not (config.output / "tiny.safetensors").exists()

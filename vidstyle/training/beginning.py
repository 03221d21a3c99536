"""What a network is before it learns: what another has learnt already, if that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from vidstyle.errors import UsageError
from vidstyle.stylizers.networks import TIER_NETWORK, StyleNetwork, own_weights
from vidstyle.stylizers.registry import StyleRegistry
from vidstyle.stylizers.style_file import load_network
from vidstyle.types import Tier


def begin_with(network: StyleNetwork, spec: str, tier: Tier, names: Sequence[str]) -> None:
    """Fill a network with the weights of a style that is trained.

    Args:
        network: of the tier; of several styles, one that `make_conditional` made.
        spec: what `StyleRegistry.find` finds the trained style by.
        tier: that both belong to.
        names: of the network's styles. Each begins as the style of its name in the file that
            holds `spec`, or else as `spec` itself.

    Raises:
        StyleError: there is no such style, or its file is broken.
        UsageError: it is painted by a network of another shape.
    """
    registry = StyleRegistry()
    trained = registry.find(spec, tier)
    if trained.schedule:
        raise UsageError(f"{spec}: changes over time; name one style to begin with")
    if (trained.card.network, trained.card.parameters) != (TIER_NETWORK[tier], {}):
        raise UsageError(f"{spec}: its network has another shape than that of {tier} styles")
    members = {style.card.name: style for style in registry.styles if style.path == trained.path}
    starts = [load_network(members.get(name, trained)) for name in names]
    weights = starts[0].state_dict()
    if len(names) > 1:
        for name in own_weights(network):
            weights[name] = torch.stack([start.state_dict()[name] for start in starts])
    network.load_state_dict(weights)

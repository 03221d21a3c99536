"""How many threads the two ends of a run get where there are many cores."""

from __future__ import annotations

from vidstyle.stylizers.device import available_cores, available_memory

# Cores from which on either end gets several, cores for each share, and the most of them.
_MANY_CORES, _CORES_EACH, _MOST = 8, 4, 8
# The share of the memory, one over this, that frames may take which wait for encoders.
_OF_MEMORY = 8


def readers() -> int:
    """How many threads decode, and how many convert what was decoded."""
    return _shares(available_cores())


def encoders(height: int, width: int, length: int) -> int:
    """How many segments of `length` frames are worth encoding side by side.

    One encoder does not fill many cores, least of all the conversion before it. The painter may be
    ahead of each by all of its segment, and that must fit into a small part of the memory.
    """
    fitting = available_memory() // _OF_MEMORY // (3 * height * width * length)
    return max(1, min(_shares(available_cores()), fitting))


def _shares(cores: int) -> int:
    return min(cores // _CORES_EACH, _MOST) if cores >= _MANY_CORES else 1

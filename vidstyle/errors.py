"""Every error a user can meet, each with the exit code the command line gives it.

Library code raises these and never prints. A message is one line: what went wrong, where, and what
to do about it.
"""

from __future__ import annotations


class VidstyleError(Exception):
    """Base of all errors that vidstyle raises on purpose."""

    exit_code = 1


class UsageError(VidstyleError):
    """The call itself cannot work: clashing options, an output that exists or equals its input."""

    exit_code = 2


class BusyError(UsageError):
    """Another run is writing the same output."""


class InputError(VidstyleError):
    """A file cannot be read as what it should be: missing, empty, broken, or without pictures."""

    exit_code = 3


class DivergedError(InputError):
    """A loss or a weight became infinite or no number; resuming would repeat it."""


class ResourceError(VidstyleError):
    """The machine cannot do it: disk full, folder not writable, memory short, device missing."""

    exit_code = 5


class ShortageError(ResourceError):
    """Memory does not hold what this input needs; others may be smaller."""


class StyleError(VidstyleError):
    """A style is unknown, or its file is broken."""

    exit_code = 6


_SHORTAGES = (
    "can't allocate memory",  # torch on a CPU
    "not enough memory",
    "out of memory",  # torch on a GPU
    "ALLOC_FAILED",  # its libraries
    "unable to find an engine",
    "32-bit index math",  # fewer frames have fewer numbers
    "Failed to allocate",  # OpenVINO
    "Insufficient memory",  # OpenCV
    "bad_alloc",
    "failed to map segment",  # of a library that is being imported
)


def is_shortage(error: BaseException) -> bool:
    """Whether a library's error says that memory is short: of many, only their words tell."""
    return isinstance(error, MemoryError) or (
        isinstance(error, Exception) and any(words in str(error) for words in _SHORTAGES)
    )


FINISHED_PARTIAL = 4
"""Exit code of a run that finished, but painted less than its input declares."""

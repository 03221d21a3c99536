"""How good a painted clip is, in numbers: pure functions on arrays."""

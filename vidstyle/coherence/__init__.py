"""Painted frame + motion + memory -> steady frame."""

DEFAULT_CONSISTENCY = 0.8
"""The `consistency` used when none is named.

Below it the painter's own flicker comes back, down to frames as painted at 0; above it, up to 1,
flicker goes on falling at the price of softer strokes where the picture changes.
"""

"""The clip's sound, made of sines and noise: birds by a lake, a bell at the cut, the night."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
Wave = NDArray[np.float64]


def seconds(length: float) -> Wave:
    """Sample times of so many seconds."""
    return np.arange(round(length * RATE)) / RATE


def pitch(note: float) -> float:
    """Hertz of a MIDI note."""
    return float(440 * 2 ** ((note - 69) / 12))


def coloured(rng: np.random.Generator, length: float, low: float, high: float) -> Wave:
    """Noise between two frequencies, falling off softly outside, with a peak near 1."""
    count = round(length * RATE)
    spectrum = np.fft.rfft(rng.normal(size=count))
    hertz = np.fft.rfftfreq(count, 1 / RATE) + 1e-6
    spectrum *= 1 / np.sqrt(1 + (low / hertz) ** 4) / np.sqrt(1 + (hertz / high) ** 4)
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / np.abs(noise).max())


def pluck(note: float, length: float, bright: float = 1.0) -> Wave:
    """A soft harp string."""
    t, hertz = seconds(length), pitch(note)
    tone = sum(
        bright ** (k - 1)
        / k**1.7
        * np.sin(2 * np.pi * hertz * k * t)
        * np.exp(-t * (1.3 + 0.9 * k))
        for k in range(1, 8)
    )
    return np.asarray(tone * np.minimum(1, t / 0.006) * np.minimum(1, (length - t) / 0.05))


def bell(note: float, length: float) -> Wave:
    """A church bell: the hum, the prime, the minor tierce, the quint, the nominal and above."""
    t, hertz = seconds(length), pitch(note)
    partials = (
        (0.5, 0.6, 0.5),
        (1, 1, 0.7),
        (1.19, 0.7, 1.0),
        (1.5, 0.4, 1.3),
        (2, 0.8, 1.5),
        (2.51, 0.3, 2.4),
        (3.01, 0.25, 3.2),
        (4.1, 0.15, 4.5),
    )
    tone = sum(
        gain * np.sin(2 * np.pi * hertz * ratio * t) * np.exp(-t * decay)
        for ratio, gain, decay in partials
    )
    return np.asarray(tone * np.minimum(1, t / 0.003) * np.minimum(1, (length - t) / 0.2))


def pad(notes: tuple[int, ...], length: float) -> Wave:
    """A chord of slightly detuned strings that swells and fades."""
    t = seconds(length)
    tone = np.zeros_like(t)
    for note in notes:
        for detune in (-0.05, 0.0, 0.06):
            hertz = pitch(note + detune)
            tone += sum(np.sin(2 * np.pi * hertz * k * t + note) / k**2 for k in range(1, 5))
    return np.asarray(tone / len(notes) * np.sin(np.pi * np.clip(t / length, 0, 1)) ** 0.7)


def chirp(rng: np.random.Generator) -> Wave:
    """A bird's phrase of a few notes."""
    notes = []
    for _ in range(rng.integers(3, 7)):
        t = seconds(rng.uniform(0.05, 0.11))
        low, bend = rng.uniform(2600, 4200), rng.uniform(-900, 1400)
        sweep = low * t + bend * t**2 / (2 * t[-1]) + 6 * np.sin(2 * np.pi * 38 * t)
        notes += [
            np.sin(2 * np.pi * sweep) * np.sin(np.pi * t / t[-1]) ** 2,
            np.zeros(round(rng.uniform(0.03, 0.08) * RATE)),
        ]
    return np.concatenate(notes)


class Tape:
    """A stereo recording to mix onto."""

    def __init__(self, length: float) -> None:
        self.waves = np.zeros((round(length * RATE), 2))

    def add(self, wave: Wave, at: float, gain: float, side: float = 0.0) -> None:
        """Mix in a wave at so many seconds; side -1 is left, 1 is right."""
        start = round(at * RATE)
        room = self.waves[start : start + len(wave)]
        angle = (side + 1) * np.pi / 4
        room += gain * wave[: len(room), None] * np.array([np.cos(angle), np.sin(angle)])


def day(tape: Tape, rng: np.random.Generator, end: float) -> None:
    """Wind in the reeds, lapping water, birds, a harp in D."""
    for side in (-0.8, 0.8):
        t = seconds(end)
        tape.add(coloured(rng, end, 250, 900) * (0.6 + 0.4 * np.sin(0.9 * t + side)), 0, 0.05, side)
        tape.add(
            coloured(rng, end, 500, 3000) * np.maximum(0, np.sin(2.3 * t + 2 * side)) ** 3,
            0,
            0.035,
            side,
        )
    for at in np.arange(0.35, end - 0.5, 0.85):
        tape.add(
            chirp(rng), at + rng.uniform(0, 0.4), rng.uniform(0.02, 0.05), rng.uniform(-0.9, 0.9)
        )
    half = end / 2
    for i, chord in enumerate(((50, 57, 62, 66), (47, 54, 62, 66))):
        tape.add(pad(chord, half + 0.6), i * half, 0.05)
    for i, note in enumerate((62, 69, 74, 78, 81, 78, 74, 71, 74, 78, 83, 81)):
        tape.add(pluck(note, 2.2), 0.15 + i * 0.44, 0.1, 0.5 * np.sin(i))


def night(tape: Tape, rng: np.random.Generator, start: float, end: float) -> None:
    """A bell strikes; then the sea, crickets, and the harp in B minor."""
    length = end - start
    tape.add(bell(62, length), start, 0.14, 0.2)
    tape.add(bell(62, length - 2.2), start + 2.2, 0.09, 0.2)
    t = seconds(length)
    for side in (-0.8, 0.8):
        surf = coloured(rng, length, 90, 500) * (0.55 + 0.45 * np.sin(1.5 * t + side))
        tape.add(surf, start, 0.08, side)
    trill = np.maximum(0, np.sin(2 * np.pi * 17 * t)) * np.clip(6 * np.sin(9 * t), 0, 1)
    tape.add(trill * np.sin(2 * np.pi * 4300 * t), start, 0.008, -0.6)
    tape.add(pad((47, 54, 59, 62), length / 2 + 0.4), start, 0.05)
    tape.add(pad((43, 50, 59, 62), length / 2), start + length / 2, 0.05)
    for i, note in enumerate((66, 71, 74, 78, 74, 71, 69, 66)):
        tape.add(pluck(note, 2.0, 0.8), start + 0.5 + i * 0.46, 0.08, -0.5 * np.cos(i))


def compose(length: float, cut: float) -> NDArray[np.float32]:
    """(samples, 2) within -1 to 1: the day until the cut, the night from there to the end."""
    tape, rng = Tape(length), np.random.default_rng(11)
    day(tape, rng, cut)
    night(tape, rng, cut, length)
    t = seconds(length)[:, None]
    faded = tape.waves * np.minimum(1, t / 0.25) * np.minimum(1, (length - t) / 0.6)
    return np.tanh(1.6 * faded).astype(np.float32)

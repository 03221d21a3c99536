"""The blend follows motion, forgets at cuts and leaves still pictures alone."""

from __future__ import annotations

import gc
import io
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vidstyle.coherence.blend import Observation, Steadier
from vidstyle.coherence.memory import MOST_HEIGHT
from vidstyle.cuda import Recording
from vidstyle.errors import InputError
from vidstyle.metrics.detail import detail
from vidstyle.motion.torch_ops import TorchOps

HEIGHT, WIDTH = 120, 160


def texture(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip(128 + 45 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def paint(frame: np.ndarray, seed: int, grain: float = 25.0) -> np.ndarray:
    """A painter who never paints a picture twice the same."""
    noise = np.random.default_rng(seed).normal(0, grain, frame.shape)
    return np.clip(255.0 - frame + noise, 0, 255).astype(np.uint8)


def hold_next(steadier: Steadier, frame: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """What comes out, as NumPy has it."""
    return host(steadier.step(frame, painted))


def host(picture: Any) -> np.ndarray:
    return picture if isinstance(picture, np.ndarray) else picture.cpu().numpy()


def pan(count: int, step: int = 3) -> list[np.ndarray]:
    wide = texture(1, width=WIDTH + step * count)
    return [wide[:, step * i : step * i + WIDTH].copy() for i in range(count)]


def test_a_static_clip_stays_exactly_static(device: str | None) -> None:
    frame = texture(0)
    painted = paint(frame, 0)
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    for _ in range(5):
        assert np.array_equal(hold_next(steadier, frame, painted), painted)


def test_no_consistency_leaves_frames_as_painted(device: str | None) -> None:
    steadier = Steadier(HEIGHT, WIDTH, 0.0, device=device)
    for i, frame in enumerate(pan(4)):
        painted = paint(frame, i)
        assert np.array_equal(hold_next(steadier, frame, painted), painted)


def test_an_integer_pan_is_followed(device: str | None) -> None:
    step = 3
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    last = None
    for i, frame in enumerate(pan(6, step)):
        painted = paint(frame, i)
        steady = hold_next(steadier, frame, painted)
        if last is not None:
            inner = np.s_[10:-10, 10 : -10 - step]
            moved = np.roll(last[0], -step, axis=1)[inner].astype(float)
            raw = np.roll(last[1], -step, axis=1)[inner].astype(float)
            before = np.square(raw - painted[inner]).mean()
            assert np.square(moved - steady[inner]).mean() < 0.6 * before
        last = (steady, painted)


def test_a_cut_resets_the_memory(device: str | None) -> None:
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    hold_next(steadier, texture(0), paint(texture(0), 0))
    other = paint(texture(5), 1)
    assert np.array_equal(hold_next(steadier, texture(5), other), other)


@pytest.mark.parametrize("consistency", [-0.1, 1.5])
def test_consistency_out_of_range_is_refused(consistency: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Steadier(HEIGHT, WIDTH, consistency)


def test_the_highest_frames_are_held_and_higher_ones_refused() -> None:
    """All that is remembered lies in one picture, of which OpenCV fetches 32,767 rows."""
    frame, steadier = texture(1, MOST_HEIGHT, 8), Steadier(MOST_HEIGHT, 8)
    for seed in (1, 2):
        held = hold_next(steadier, frame, paint(frame, seed))
    from_first, from_second = (
        np.abs(held.astype(int) - paint(frame, seed)).mean() for seed in (1, 2)
    )
    assert from_first < from_second / 4
    with pytest.raises(InputError, match="--consistency 0"):
        Steadier(MOST_HEIGHT + 1, 8)
    Steadier(MOST_HEIGHT + 1, 8, consistency=0)


def grain(frame: np.ndarray, seed: int) -> np.ndarray:
    """A camera's noise."""
    noise = np.random.default_rng(seed).normal(0, 2, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def test_a_still_scene_keeps_its_paint_however_the_painter_flickers(device: str | None) -> None:
    steadier, frame = Steadier(HEIGHT, WIDTH, device=device), texture(0)
    first = hold_next(steadier, grain(frame, 100), paint(frame, 0))
    for i in range(1, 8):
        steady = hold_next(steadier, grain(frame, 100 + i), paint(frame, i))
        flicker = np.square(steady.astype(float) - first).mean()
        assert flicker < 0.1 * np.square(paint(frame, i).astype(float) - first).mean()
        first = steady


def test_held_paint_does_not_blur_however_long_it_is_held(device: str | None) -> None:
    """A pan by half a pixel a frame: resampling blurs once, but not again in every frame."""
    wide = texture(1, 2 * HEIGHT, 2 * WIDTH + 80)
    steadier, details = Steadier(HEIGHT, WIDTH, device=device), []
    for i in range(24):
        window = wide[:, i : i + 2 * WIDTH]
        frame = cv2.resize(window, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        painted = paint(frame, i, grain=20)
        details.append(detail(hold_next(steadier, frame, painted)))
    assert min(details[12:]) > 0.8 * min(details[2:8])


def test_a_slow_change_of_light_is_followed(device: str | None) -> None:
    steadier, frame = Steadier(HEIGHT, WIDTH, device=device), texture(0)
    for i in range(40):
        dimmed = (frame * (1 - i / 60)).astype(np.uint8)
        steady = hold_next(steadier, dimmed, dimmed)
    assert abs(steady.mean() - dimmed.mean()) < 4


def test_the_tint_of_kept_paint_does_not_add_up(device: str | None) -> None:
    """Beside what is hidden in every frame, paint is stored again and again."""
    frame, painted = texture(0), paint(texture(0), 0) // 2 + 60
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    hold_next(steadier, frame, painted)
    half = steadier.observe(frame).half
    still = steadier.ops.zeros(*half.shape[:2], 2)
    hidden = steadier.ops.zeros(*half.shape[:2], dtype="bool")
    hidden[30:33, 40:43] = True
    for _ in range(20):
        shown = host(steadier.hold(Observation(half, still, hidden), painted + 10)).astype(int)
        assert np.abs(shown - painted - 5).max() <= 10


def test_turned_paint_has_no_teeth(device: str | None) -> None:
    """Each pixel has a place of its own in what was painted, also beside others."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))

    def stripes(angle: float) -> np.ndarray:
        across = np.cos(angle) * (x - WIDTH / 2) + np.sin(angle) * (y - HEIGHT / 2)
        return np.repeat(128 + 100 * np.sin(across[..., None] / 2), 3, axis=2)

    angle = 0.25
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    flat = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    hold_next(steadier, flat, stripes(0).astype(np.uint8))
    half = steadier.observe(flat).half
    rows, columns = half.shape[:2]
    centre = np.array([columns / 2 - 0.25, rows / 2 - 0.25])
    places = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1) - centre
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flow = steadier.ops.array((places @ turn - places).astype(np.float32))
    nothing = steadier.ops.zeros(rows, columns, dtype="bool")
    turned = host(steadier.hold(Observation(half, flow, nothing), stripes(angle).astype(np.uint8)))
    inner = np.s_[40:-40, 50:-50]
    assert np.abs(turned - stripes(angle))[inner].mean() < 2


def test_nothing_is_left_behind_by_a_thing_that_passes(device: str | None) -> None:
    ground, thing = texture(0), 255 - texture(3)
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    for i in range(14):
        frame = ground.copy()
        left = 10 + 8 * i
        frame[40:80, left : left + 30] = thing[40:80, :30]
        painted = paint(frame, i, grain=3)
        steady = hold_next(steadier, frame, painted)
    wake = np.s_[44:76, 12 : left - 8]
    assert np.abs(steady[wake].astype(float) - painted[wake]).mean() < 12


def test_more_consistency_is_steadier(device: str | None) -> None:
    frame, errors = texture(0), []
    for consistency in (0.0, 0.3, 0.6, 1.0):
        steadier = Steadier(HEIGHT, WIDTH, consistency, device=device)
        clip = [
            hold_next(steadier, grain(frame, i), paint(frame, i)).astype(float) for i in range(5)
        ]
        errors.append(np.square(clip[-1] - clip[-2]).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.2 * errors[0]


def seen(steadier: Steadier, level: int, farther: float = 1.0) -> Observation:
    """A grey frame, all of which the last one has shown, from as much nearer."""
    height, width = HEIGHT // 2, WIDTH // 2
    rows, columns = np.mgrid[:height, :width]
    away = np.stack((columns - width / 2, rows - height / 2), axis=-1)
    frame = np.full((height, width, 3), level, np.uint8)
    arrays = frame, ((farther - 1) * away).astype(np.float32), np.zeros((height, width), bool)
    return Observation(*map(steadier.ops.array, arrays))


def first_seen(steadier: Steadier, level: int) -> Observation:
    """A grey frame that begins a shot."""
    return Observation(seen(steadier, level).half, None, None)


def grey(level: int) -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), level, np.uint8)


def stripes(sign: int, width: int = 16) -> np.ndarray:
    """They are 40 levels lighter and darker than grey, which they are on average."""
    wave = 128 + 40 * sign * np.where(np.arange(WIDTH) // width % 2, 1, -1)
    return np.broadcast_to(wave[None, :, None], (HEIGHT, WIDTH, 3)).astype(np.uint8)


def lighter(picture: np.ndarray, levels: int | tuple[int, int, int]) -> np.ndarray:
    return (picture.astype(int) + levels).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(("level", "share"), [(103, 0), (104, 1 / 3), (105, 2 / 3), (106, 1)])
def test_what_fits_in_part_follows_in_part(level: int, share: float, device: str | None) -> None:
    """Paint departs from 3 levels of change and is gone at 6."""
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    steadier.hold(first_seen(steadier, 100), grey(128))
    held = host(steadier.hold(seen(steadier, level), stripes(1))).astype(int)
    middles = np.s_[:, 8::16]
    followed = (held - 128)[middles] / (stripes(1).astype(int) - 128)[middles]
    assert followed == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    ("second", "third"), [(104, 100), (104, 104), (105, 100), (105, 106), (106, 103), (106, 109)]
)
def test_what_followed_in_part_stands_for_as_much_of_the_change(
    second: int, third: int, device: str | None
) -> None:
    """Of 4, 5 and 6 levels it is 1.3, 3.3 and 6: from there 3 levels up or down still fit."""
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    steadier.hold(first_seen(steadier, 100), grey(128))
    shown = host(steadier.hold(seen(steadier, second), stripes(1))).astype(int)
    held = host(steadier.hold(seen(steadier, third), stripes(-1)))
    assert np.abs(held - shown).max() <= 1


@pytest.mark.parametrize("shift", [-16, 10, 16])
def test_kept_strokes_are_shown_in_the_light_of_the_new_ones(
    shift: int, device: str | None
) -> None:
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    steadier.hold(first_seen(steadier, 100), stripes(1))
    held = host(steadier.hold(seen(steadier, 100), lighter(stripes(-1), shift)))
    assert np.abs(held.astype(int) - lighter(stripes(1), shift)).max() <= 1


@pytest.mark.parametrize("shift", [(-32, -32, -32), (40, 40, 40), (34, 0, -20), (0, -33, 0)])
def test_strokes_give_way_where_the_painter_has_come_to_other_colours(
    shift: tuple[int, int, int], device: str | None
) -> None:
    """So what enters a frame may turn all that is in it from blue to orange, but never to green."""
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    steadier.hold(first_seen(steadier, 100), stripes(1))
    recoloured = lighter(stripes(-1), shift)
    held = host(steadier.hold(seen(steadier, 100), recoloured))
    assert np.abs(held.astype(int) - recoloured).max() <= 1


@pytest.mark.parametrize("level", [100, 104])
def test_colours_are_those_of_the_new_paint_however_much_is_kept(
    level: int, device: str | None
) -> None:
    for shift in range(0, 40, 3):
        steadier = Steadier(HEIGHT, WIDTH, device=device)
        steadier.hold(first_seen(steadier, 100), grey(100))
        held = host(steadier.hold(seen(steadier, level), grey(100 + shift)))
        assert np.abs(held.astype(int) - (100 + shift)).max() <= 2


def test_light_that_was_followed_is_not_remembered(device: str | None) -> None:
    """It would be added again and again."""
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    steadier.hold(first_seen(steadier, 100), stripes(1, 2))
    for _ in range(12):
        held = host(steadier.hold(seen(steadier, 100), lighter(stripes(-1, 2), 15)))
    assert np.abs(held.astype(int) - lighter(stripes(1, 2), 15)).max() <= 1


def test_paint_gives_way_that_the_painter_does_not_paint_any_more(device: str | None) -> None:
    """He paints more than a thing around it: that would stay where nothing has changed."""
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    steadier.hold(first_seen(steadier, 100), stripes(1))
    off = []
    for _ in range(12):
        held = host(steadier.hold(seen(steadier, 100), stripes(-1)))
        off.append(np.abs(held.astype(int) - stripes(-1))[:, 8::16].max())
    assert off[0] == pytest.approx(80, abs=1)
    assert off[-1] < 6


def moved(steadier: Steadier, columns: int) -> Observation:
    """A grey frame whose half-size pixels lay so many columns to their right in the last one."""
    still = seen(steadier, 100)
    flow = np.broadcast_to(np.float32((columns, 0)), (HEIGHT // 2, WIDTH // 2, 2)).copy()
    return Observation(still.half, steadier.ops.array(flow), still.hidden)


def test_what_is_painted_otherwise_is_known_where_it_has_moved_to(device: str | None) -> None:
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    steadier.hold(first_seen(steadier, 100), stripes(1))
    for frame in range(1, 13):
        painted = np.roll(stripes(-1), 8 * frame, axis=1)
        held = host(steadier.hold(moved(steadier, -4), painted))
    assert np.abs(held.astype(int) - painted)[:, 120:-8].mean() < 30


def test_a_saved_memory_knows_what_is_painted_otherwise(device: str | None) -> None:
    one, other = (Steadier(HEIGHT, WIDTH, device=device) for _ in range(2))
    one.hold(first_seen(one, 100), stripes(1))
    for _ in range(3):
        one.hold(seen(one, 100), stripes(-1))
    file = io.BytesIO()
    one.save(file)
    file.seek(0)
    other.load(file)
    for _ in range(6):
        a, b = (host(each.hold(seen(each, 100), stripes(-1))) for each in (one, other))
        assert np.array_equal(a, b)


def test_what_a_painter_paints_in_turns_stays(device: str | None) -> None:
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    steadier.hold(first_seen(steadier, 100), grey(128))
    for frame in range(24):
        held = host(steadier.hold(seen(steadier, 100), stripes((-1) ** frame)))
    assert np.abs(held.astype(int) - 128).max() <= 1


def test_a_cut_forgets_how_far_paint_was_stretched(device: str | None) -> None:
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    steadier.hold(first_seen(steadier, 100), stripes(1))
    steadier.hold(seen(steadier, 100, farther=1.4), stripes(1))
    steadier.hold(first_seen(steadier, 100), stripes(1))
    held = host(steadier.hold(seen(steadier, 100), stripes(-1))).astype(int)
    assert np.abs(held - stripes(1)).max() <= 1


def test_what_no_longer_fits_goes_though_a_changing_style_has_not_begun(
    device: str | None,
) -> None:
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    steadier.hold(first_seen(steadier, 100), stripes(1), 0.0)
    held = host(steadier.hold(seen(steadier, 150), stripes(-1), 0.0))
    assert np.array_equal(held, stripes(-1))


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (17, 33), (61, 45)])
def test_frames_of_any_size_are_held(size: tuple[int, int], device: str | None) -> None:
    steadier = Steadier(*size, device=device)
    for i in range(3):
        frame = texture(i // 2, *size)
        assert hold_next(steadier, frame, paint(frame, i)).shape == frame.shape


def test_a_long_pan_by_parts_of_pixels_neither_blurs_nor_sharpens(device: str | None) -> None:
    """Paint that is fetched from what was fetched before would do one or the other."""
    count, step = 60, 0.5
    source = texture(4, width=WIDTH + 60)
    strokes = cv2.GaussianBlur(paint(np.full_like(source, 128), 7, 90.0), (0, 0), 1.2)
    steadier = Steadier(HEIGHT, WIDTH, device=device)
    for i in range(count):
        shift = np.array([[1, 0, -step * i], [0, 1, 0]], np.float32)
        frame, painted = (
            cv2.warpAffine(wide, shift, (WIDTH, HEIGHT), flags=cv2.INTER_LANCZOS4)
            for wide in (source, strokes)
        )
        steady = hold_next(steadier, frame, painted)
    inner = np.s_[20:-20, 20:-50]
    assert 0.85 < detail(steady[inner]) / detail(painted[inner]) < 1.2


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_saved_memory_goes_on_to_the_very_same_pictures(
    tmp_path: Path, after: int, device: str | None
) -> None:
    """Sizes are odd, and more frames go by than the memory has room for."""
    frames = [frame[:-1, :-1].copy() for frame in pan(14)]
    frames[7:] = [255 - frame for frame in frames[7:]]  # a cut
    paintings = [paint(frame, i) for i, frame in enumerate(frames)]
    one, other = (Steadier(HEIGHT - 1, WIDTH - 1, device=device) for _ in range(2))
    for pair in zip(frames[:after], paintings[:after], strict=True):
        hold_next(one, *pair)
    with (tmp_path / "memory").open("wb") as file:
        one.save(file)
    with (tmp_path / "memory").open("rb") as file:
        other.load(file)
    for pair in zip(frames[after:], paintings[after:], strict=True):
        assert np.array_equal(hold_next(one, *pair), hold_next(other, *pair))


@pytest.mark.parametrize("harm", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"x" + b[1:]])
def test_a_damaged_memory_is_refused(harm: Callable[[bytes], bytes], device: str | None) -> None:
    steadier, file = Steadier(HEIGHT, WIDTH, device=device), io.BytesIO()
    hold_next(steadier, texture(0), paint(texture(0), 0))
    steadier.save(file)
    with pytest.raises(ValueError, match="memory of the blend"):
        Steadier(HEIGHT, WIDTH, device=device).load(io.BytesIO(harm(file.getvalue())))


def test_motion_may_be_observed_ahead_of_the_painting(device: str | None) -> None:
    frames = pan(5)
    together, apart = Steadier(HEIGHT, WIDTH, device=device), Steadier(HEIGHT, WIDTH, device=device)
    ahead = [apart.observe(frame) for frame in frames]
    for frame, seen in zip(frames, ahead, strict=True):
        assert np.array_equal(
            host(apart.hold(seen, 255 - frame)), hold_next(together, frame, 255 - frame)
        )


def test_torch_holds_as_opencv_does(torch_device: str) -> None:
    """Of the same motion they make the same picture, but for rounding."""
    ground, thing = texture(0), 255 - texture(3)
    opencv, other = Steadier(HEIGHT, WIDTH), Steadier(HEIGHT, WIDTH, device=torch_device)
    tensor = TorchOps(torch_device).array
    for i in range(12):
        frame = np.roll(ground, i, axis=1)
        frame[40:80, 10 + 8 * i : 40 + 8 * i] = thing[40:80, :30]
        frame = (frame * (1 - i / 50)).astype(np.uint8)
        painted = cv2.GaussianBlur(paint(frame, i, grain=60), (0, 0), 1.2)
        seen = opencv.observe(frame)
        same = Observation(*(None if x is None else tensor(x) for x in vars(seen).values()))
        wanted, found = opencv.hold(seen, painted), host(other.hold(same, painted))
        apart = np.abs(wanted.astype(int) - found)
        assert np.percentile(apart, 99) <= 6
        assert apart.mean() < 0.4
    assert np.abs(wanted.astype(int) - painted).mean() > 2  # paint was held


def test_what_one_memory_saved_another_kind_goes_on_from(torch_device: str) -> None:
    frames, memory = pan(4), io.BytesIO()
    opencv, other = Steadier(HEIGHT, WIDTH), Steadier(HEIGHT, WIDTH, device=torch_device)
    for i, frame in enumerate(frames[:3]):
        opencv.step(frame, paint(frame, i))
    opencv.save(memory)
    memory.seek(0)
    other.load(memory)
    wanted, found = (hold_next(one, frames[3], paint(frames[3], 3)) for one in (opencv, other))
    assert np.percentile(np.abs(wanted.astype(int) - found), 90) <= 6


def test_following_and_holding_can_be_recorded(recordable: list[Recording]) -> None:
    steadier = Steadier(HEIGHT - 1, WIDTH - 1, device="cpu")
    for i, frame in enumerate(pan(4)):
        odd = frame[:-1, :-1].copy()
        steadier.step(odd, paint(odd, i))
    assert len(recordable) == 4  # both, but not for the first frames


def test_a_clip_s_memory_ends_with_it() -> None:
    steadier = Steadier(32, 48)
    steadier.step(*np.zeros((2, 32, 48, 3), np.uint8))
    gone = weakref.ref(steadier)
    gc.disable()  # what refers to itself would wait for the collector, and clips are large
    try:
        del steadier
        assert gone() is None
    finally:
        gc.enable()

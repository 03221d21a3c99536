"""Clips of other rates, sizes, shapes and beginnings are laid on their source, and it is said."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.errors import InputError
from vidstyle.video.align import Alignment, align, crop
from vidstyle.video.info import probe
from vidstyle.video.stamp import fingerprint

MakePan = Callable[..., Path]
Image = NDArray[np.uint8]


def aligned(source: Path, *clips: Path, **options: Fraction | int) -> Alignment:
    return align(probe(source), [probe(clip) for clip in clips], **options)  # type: ignore[arg-type]


def painted(image: Image) -> Image:
    """Other colours, and a texture of its own in every frame."""
    rng = np.random.default_rng(int(image.sum()) % 997)
    mixed = image[..., ::-1] * 0.7 + 50 + rng.normal(0, 6, image.shape)
    return np.clip(mixed, 0, 255).astype(np.uint8)


def test_a_painting_of_the_same_clip_is_matched_frame_by_frame(make_pan: MakePan) -> None:
    found = aligned(make_pan(), make_pan("painted.mp4", change=painted))
    (match,) = found.matches
    assert found.frames == match.frames == tuple(range(20))
    assert found.times == tuple(Fraction(n, 25) for n in range(20))
    assert set(match.lags) == {0}
    assert (match.offset, match.part, found.part) == (0, (1, 1), (1, 1))
    assert match.notes == ()
    assert match.likeness > 0.8


def test_another_rate_is_matched_by_time_and_told(make_pan: MakePan) -> None:
    found = aligned(make_pan(frames=50), make_pan("film.mp4", frames=48, rate=24, change=painted))
    (match,) = found.matches
    assert len(found.frames) == 50
    assert all(0 <= lag < Fraction(1, 24) for lag in match.lags)
    assert match.offset == 0
    assert "24 frames a second against the source's 25" in match.notes[0]
    assert "2 of its 48 frames shown twice and 0 passed over" in match.notes[0]


def test_a_slower_clip_thins_the_source(make_pan: MakePan) -> None:
    found = aligned(make_pan(rate=30, frames=30), make_pan("slow.mp4", rate=10, frames=10))
    assert found.frames == tuple(range(0, 30, 3))
    assert set(found.matches[0].lags) == {0}
    assert "one frame in 3 was taken" in found.notes[1]


@pytest.mark.parametrize(("rate", "offset"), [(25, Fraction(8, 25)), (24, Fraction(8, 25))])
def test_where_a_clip_begins_is_seen_from_its_pictures(
    make_pan: MakePan, rate: int, offset: Fraction
) -> None:
    source = make_pan(frames=30)
    late = make_pan("late.mp4", frames=18, rate=rate, start=float(offset), change=painted)
    found = aligned(source, late)
    assert found.matches[0].offset == offset
    assert found.times[0] == offset
    assert "begins 0.32 s into the source" in found.matches[0].notes[-1]


def test_a_clip_that_begins_before_its_source_is_matched_too(make_pan: MakePan) -> None:
    found = aligned(make_pan(start=0.4), make_pan("early.mp4", frames=30, change=painted))
    assert found.matches[0].offset == Fraction(-2, 5)
    assert found.matches[0].frames[0] == 10
    assert len(found.frames) == 20


def bars(image: Image) -> Image:
    return np.pad(image, ((16, 16), (0, 0), (0, 0)))


def middle_square(image: Image) -> Image:
    return image[:, 16:80]


SHAPES = [
    ((96, 96), bars, "bars", (1, Fraction(2, 3)), (1, 1)),
    ((64, 64), middle_square, "middle 67 % of the source's width", (1, 1), (Fraction(2, 3), 1)),
    ((64, 64), painted, "squeezed", (1, 1), (1, 1)),
]


@pytest.mark.parametrize(("size", "change", "words", "part", "common"), SHAPES)
def test_another_shape_is_understood(
    make_pan: MakePan,
    size: tuple[int, int],
    change: object,
    words: str,
    part: object,
    common: object,
) -> None:
    found = aligned(make_pan(), make_pan("shaped.mp4", size=size, change=change))
    (match,) = found.matches
    assert match.part == part
    assert found.part == common
    assert any(words in note for note in match.notes)
    assert any(f"{size[0]}x{size[1]} pixels" in note for note in match.notes)


def test_all_clips_are_cut_to_what_they_share(make_pan: MakePan) -> None:
    square = make_pan("square.mp4", size=(64, 64), change=middle_square)
    letterbox = make_pan("bars.mp4", size=(96, 96), change=bars, frames=12)
    found = aligned(make_pan(), square, letterbox)
    assert found.part == (Fraction(2, 3), 1)
    assert [match.part for match in found.matches] == [(1, 1), (Fraction(2, 3), Fraction(2, 3))]
    assert len(found.frames) == 12
    moment = next(found.read())
    parts = [found.part, *(match.part for match in found.matches)]
    images = [
        crop(image, part) for image, part in zip((moment.source, *moment.clips), parts, strict=True)
    ]
    assert [image.shape for image in images] == [(64, 64, 3)] * 3
    for image in images[1:]:
        assert np.abs(image.astype(int) - images[0]).mean() < 6


def test_frames_are_read_side_by_side(make_pan: MakePan) -> None:
    """Of a clip at half the rate each frame comes with the source's frame of its time."""
    found = aligned(make_pan(frames=20, rate=20), make_pan("half.mp4", frames=10, rate=10))
    moments = list(found.read())
    assert [moment.time for moment in moments] == [Fraction(n, 10) for n in range(10)]
    for moment in moments:
        assert np.abs(moment.source.astype(int) - moment.clips[0]).mean() < 3


def test_a_part_can_be_asked_for(make_pan: MakePan) -> None:
    source, clip = make_pan(frames=30), make_pan("painted.mp4", frames=30, change=painted)
    found = aligned(source, clip, start=Fraction(1, 5), duration=Fraction(2, 5))
    assert found.frames == tuple(range(5, 15))
    assert aligned(source, clip, frames=7).frames == tuple(range(7))


@pytest.mark.parametrize("begin", [-1, 1])
def test_where_a_clip_begins_is_seen_beyond_the_part_that_is_asked_for(
    make_pan: MakePan, begin: int
) -> None:
    source = make_pan(frames=50, start=max(-begin, 0))
    clip = make_pan("other.mp4", frames=50, start=max(begin, 0), change=painted)
    found = aligned(source, clip, start=Fraction(max(begin, 0)), duration=Fraction(1, 5))
    assert found.matches[0].offset == begin
    assert len(found.frames) == 5


def test_a_clip_that_begins_behind_the_part_that_is_asked_for_is_refused(make_pan: MakePan) -> None:
    source = make_pan(frames=50)
    late = make_pan("late.mp4", frames=25, start=1, change=painted)
    with pytest.raises(InputError, match=r"shares no time range.*asked for lasts 0\.00-0\.50 s"):
        aligned(source, late, duration=Fraction(1, 2))


def test_a_clip_of_another_shot_is_refused(make_pan: MakePan) -> None:
    with pytest.raises(InputError, match=r"other\.mp4: does not show what .*pan\.mp4 shows"):
        aligned(make_pan(), make_pan("other.mp4", seed=1, change=painted))


def test_a_clip_that_says_what_it_was_painted_from_is_believed(
    make_pan: MakePan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A style may leave nothing to recognise; the stamp of another source does not help."""
    pan, black = make_pan(), make_pan("black.mp4", change=np.zeros_like)
    other = make_pan("other.mp4", seed=1)
    monkeypatch.setattr("vidstyle.video.align.read_stamp", lambda _: {"source": fingerprint(pan)})
    (match,) = aligned(pan, black).matches
    assert match.frames == tuple(range(20))
    with pytest.raises(InputError, match="does not show"):
        aligned(other, black)


def test_a_black_clip_is_refused(make_pan: MakePan) -> None:
    with pytest.raises(InputError, match="does not show"):
        aligned(make_pan(), make_pan("black.mp4", change=np.zeros_like))


def test_a_single_frame_is_refused(make_pan: MakePan) -> None:
    with pytest.raises(InputError, match=r"one\.mp4: has a single frame"):
        aligned(make_pan(), make_pan("one.mp4", frames=1))


def test_clips_without_a_common_time_are_refused(make_pan: MakePan) -> None:
    source = make_pan(frames=50)
    early, late = make_pan("early.mp4", frames=10), make_pan("late.mp4", frames=10, start=1.2)
    with pytest.raises(
        InputError, match=r"shares no time range .*early\.mp4 0\.00-0\.40 s, late\.mp4 1\.20"
    ):
        aligned(source, early, late)
    with pytest.raises(InputError, match="shares no time range"):
        aligned(source, early, start=Fraction(1))


def test_a_source_alone_is_aligned_with_nothing(make_pan: MakePan) -> None:
    found = aligned(make_pan())
    assert (len(found.frames), found.matches) == (20, ())


def test_a_negative_shows_the_same_shot(make_pan: MakePan) -> None:
    (match,) = aligned(make_pan(), make_pan("negative.mp4", change=np.invert)).matches
    assert match.offset == 0
    assert match.likeness > 0.9


def test_a_frozen_picture_tells_nothing_of_its_time(make_pan: MakePan) -> None:
    """It would fit the source's beginning best, and be moved there."""
    first: list[Image] = []

    def freeze(image: Image) -> Image:
        first.append(image)
        return first[0]

    (match,) = aligned(make_pan(), make_pan("frozen.mp4", change=freeze)).matches
    assert match.offset == 0


def test_a_whole_painting_begins_with_its_source_whatever_its_pictures_look_like(
    make_pan: MakePan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some strokes look more like a later frame; one that was cut since is looked at."""
    pan = make_pan()
    late = make_pan("late.mp4", start=0.16)  # as long, and shows what is four frames later
    cut = make_pan("cut.mp4", start=0.32, frames=12)
    assert aligned(pan, late).matches[0].offset == Fraction(4, 25)
    monkeypatch.setattr("vidstyle.video.align.read_stamp", lambda _: {"source": fingerprint(pan)})
    assert aligned(pan, late).matches[0].offset == 0
    assert aligned(pan, cut).matches[0].offset == Fraction(8, 25)


def begun_at(monkeypatch: pytest.MonkeyPatch, start: str) -> None:
    """From now on, every clip is stamped as painted from there on."""
    monkeypatch.setattr("vidstyle.video.align.read_stamp", lambda _: {"start": start})


def test_an_expected_beginning_stands_where_pictures_tell_no_better(
    make_pan: MakePan, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, still = (
        probe(make_pan(change=still_picture)),
        probe(make_pan("b.mp4", frames=5, change=still_picture)),
    )
    begun_at(monkeypatch, "0.13")
    found = align(source, [still])
    assert found.matches[0].offset == found.times[0] == Fraction(4, 25)
    moving = probe(make_pan("c.mp4")), probe(make_pan("d.mp4", frames=8, start=0.32))
    begun_at(monkeypatch, "0")
    assert align(moving[0], [moving[1]]).matches[0].offset == Fraction(8, 25)


def still_picture(image: Image) -> Image:
    """The same whatever comes."""
    return smooth(np.random.default_rng(9).integers(0, 256, (8, 12, 3)).astype(np.uint8), image)


def smooth(coarse: Image, like: Image) -> Image:
    return np.kron(coarse, np.ones((8, 8, 1), np.uint8))[: like.shape[0], : like.shape[1]]


def test_a_part_that_begins_while_a_picture_stands_begins_there(
    make_media: Callable[..., Path], noise: Callable[..., Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tenth picture stands for two seconds; the part begins in their middle."""
    wide = noise(240, 48, 3)
    images = [np.ascontiguousarray(wide[:, 4 * k : 4 * k + 64]) for k in range(40)]
    times = [40 * k + (2000 if k > 9 else 0) for k in range(40)]
    clock = {"time_base": Fraction(1, 1000), "rate": Fraction(25), "last_duration": 40}
    source = make_media("source.mp4", pts=times, images=images, **clock)
    begin = 1360
    pts = [0, *(time - begin for time in times[10:])]
    part = make_media("part.mp4", pts=pts, images=images[9:], **clock)
    begun_at(monkeypatch, f"{begin}/1000")
    found = align(probe(source), [probe(part)])
    assert found.matches[0].offset == Fraction(begin, 1000)
    assert set(found.matches[0].lags) == {0}


def test_broad_light_makes_no_likeness(make_pan: MakePan) -> None:
    """Two shots under one sky: bright above, dark below."""

    def lit(image: Image) -> Image:
        sky = np.linspace(190, 0, image.shape[0])[:, None, None]
        return (image * 0.25 + sky).astype(np.uint8)

    source = make_pan(change=lit)
    with pytest.raises(InputError, match="does not show"):
        aligned(source, make_pan("other.mp4", seed=1, change=lit))
    assert aligned(source, make_pan("same.mp4", change=lit)).matches[0].offset == 0


def test_noise_on_a_still_scene_moves_no_clip_in_time(make_pan: MakePan) -> None:
    """By chance some frames fit others better than their own, above all where few overlap."""

    def grainy(seed: int) -> Callable[[Image], Image]:
        rng = np.random.default_rng(seed)
        return lambda image: np.clip(
            still_picture(image) * 0.8 + 25 + rng.normal(0, 45, image.shape), 0, 255
        ).astype(np.uint8)

    clips = [make_pan(f"{seed}.mp4", change=grainy(seed)) for seed in range(4)]
    found = aligned(clips[0], *clips[1:])
    assert [match.offset for match in found.matches] == [0, 0, 0]

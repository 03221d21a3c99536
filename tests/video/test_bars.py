"""Which black lines are bars, and that nothing else is touched."""

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidstyle.video.bars import Bars
from vidstyle.video.info import probe

MakeClip = Callable[..., Path]
Image = NDArray[np.uint8]

HEIGHT, WIDTH = 180, 320
LETTERBOX = Bars(12, 13, 0, 0)


def lit(seed: int = 0) -> Image:
    """A picture that is lit all over."""
    rng = np.random.default_rng(seed)
    return rng.integers(60, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def barred(bars: Bars, seed: int = 0, black: int = 0) -> Image:
    picture = np.full((HEIGHT, WIDTH, 3), black, np.uint8)
    return bars.filled(picture, bars.cut(lit(seed)))


def titled(bars: Bars, seed: int) -> Image:
    """With a line of white text in the lower bar, another one in every picture."""
    picture = barred(bars, seed)
    ink = np.random.default_rng(seed).random((6, WIDTH // 2)) < 0.35
    picture[HEIGHT - 9 : HEIGHT - 3, WIDTH // 4 : WIDTH // 4 + WIDTH // 2][ink] = 255
    return picture


sides = st.one_of(st.just((0, 0)), st.tuples(*[st.integers(WIDTH // 80, HEIGHT // 3)] * 2))


@given(sides, sides, st.integers(0, 16))
def test_bars_are_found_to_the_line(
    rows: tuple[int, int], columns: tuple[int, int], black: int
) -> None:
    """Also where a tagged range is wrong, and black is shown as a dark grey."""
    bars = Bars(*rows, *columns)
    assert Bars.of_pictures([barred(bars, seed, black) for seed in range(3)]) == bars


def test_titles_in_a_bar_do_not_make_it_a_picture() -> None:
    assert Bars.of_pictures([titled(LETTERBOX, seed) for seed in range(8)]) == LETTERBOX


def test_a_dark_picture_tells_nothing_and_hides_nothing() -> None:
    dark = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert Bars.of_pictures([dark, barred(LETTERBOX), dark]) == LETTERBOX
    assert Bars.of_pictures([dark]) == Bars.of_pictures([]) == Bars()


def test_a_street_at_night_keeps_its_bars() -> None:
    """It is lit at both ends of what the bars leave, and dark between."""
    picture = barred(Bars(20, 20, 0, 0))
    picture[60:125] = 0
    assert Bars.of_pictures([picture]) == Bars(20, 20, 0, 0)


def night(sky: int) -> Image:
    """A dark ground under a lit sky, or the other way round."""
    picture = lit()
    picture[:sky] = 0
    return picture


def planet() -> Image:
    y, x = np.indices((HEIGHT, WIDTH))
    inside = np.hypot(y - HEIGHT / 2, x - WIDTH / 2) < HEIGHT / 4
    return np.where(inside[..., None], lit(), np.uint8(0))


def dusk() -> Image:
    """Dark towards the upper and the lower end, little by little."""
    light = np.sin(np.linspace(0, np.pi, HEIGHT)) ** 3
    return (lit() * light[:, None, None]).astype(np.uint8)


def title() -> Image:
    """Lines of letters as full as one another, none of them as wide as a picture."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for row in (70, 100, 130):
        picture[row : row + 12, WIDTH // 3 : 2 * WIDTH // 3 : 2] = 235
    return picture


@pytest.mark.parametrize(
    "pictures",
    [
        [title()],
        [night(20)],
        [night(20)[::-1].copy()],
        [planet()],
        [dusk()],
        [barred(LETTERBOX), lit()],  # a film that is letterboxed in some scenes
        [barred(Bars(72, 72, 0, 0))],  # too little would be left
    ],
)
def test_other_black_is_a_part_of_the_picture(pictures: Sequence[Image]) -> None:
    assert Bars.of_pictures(pictures) == Bars()


@given(sides, sides)
def test_what_is_cut_out_fits_back_in(rows: tuple[int, int], columns: tuple[int, int]) -> None:
    bars, picture = Bars(*rows, *columns), lit()
    part = bars.cut(picture)
    assert part.shape == (*bars.inside(HEIGHT, WIDTH), 3)
    np.testing.assert_array_equal(bars.filled(picture, part), picture)
    changed = bars.filled(picture, 255 - part)
    np.testing.assert_array_equal(bars.cut(changed), 255 - part)
    assert (changed != picture).any(axis=-1).sum() <= part.shape[0] * part.shape[1]


def test_a_clip_is_looked_at_from_its_beginning_to_its_end(write_frames: MakeClip) -> None:
    """It begins black, and only its last third shows where its bars end."""
    dark = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    clip = write_frames("clip.mp4", [dark] * 500 + [barred(LETTERBOX)] * 300)
    assert Bars.of_clip(probe(clip)) == LETTERBOX


def test_a_clip_that_ends_early_is_looked_at_as_far_as_it_goes(write_frames: MakeClip) -> None:
    clip = write_frames("clip.mkv", [barred(LETTERBOX, seed) for seed in range(20)])
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) // 2])
    assert Bars.of_clip(probe(clip)) == LETTERBOX


DARK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


@pytest.mark.parametrize(
    ("pictures", "bars"),
    [
        ([barred(LETTERBOX)] * 4 + [lit()] * 40, Bars()),
        ([DARK] * 4 + [barred(LETTERBOX)] * 40, LETTERBOX),
        ([barred(LETTERBOX), barred(LETTERBOX, 1)], LETTERBOX),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".h264"])
def test_one_key_frame_does_not_speak_for_a_clip(
    tmp_path: Path, pictures: Sequence[Image], bars: Bars, suffix: str
) -> None:
    """The usual encoder makes one every 250 frames; and not every file can be sought in."""
    path = tmp_path / f"clip{suffix}"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", 25, options={"crf": "10", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(video.encode())
    assert Bars.of_clip(probe(path)) == bars


def test_a_painting_tells_its_bars() -> None:
    assert Bars.of_stamp({"bars": [1, 2, 0, 0]}) == Bars(1, 2)
    assert Bars.of_stamp({}) == Bars()

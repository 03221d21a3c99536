"""The page of a comparison, from clips to a file that a browser opens without a network."""

import base64
import errno
import io
import re
from collections.abc import Callable
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.errors import InputError, ResourceError, UsageError
from vidstyle.jobs import compare as compare_module
from vidstyle.jobs.compare import CompareReport, compare
from vidstyle.jobs.measuring.evaluation import EvaluateConfig

pytestmark = pytest.mark.usefixtures("offline")

MakePan = Callable[..., Path]

VOID = {"meta", "link", "img", "br", "input", "hr"}


class Outline(HTMLParser):
    """Every element of a page; closing tags must match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.seen if name == tag]


def flickering(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rng = np.random.default_rng(int(image.sum()) % 997)
    return np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)


def lighter(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return (image * 0.8 + 40).astype(np.uint8)


@pytest.fixture
def clips(make_pan: MakePan) -> list[Path]:
    """A source, a steady and a flickering clip of another rate."""
    return [
        make_pan(frames=12),
        make_pan("steady.mp4", frames=12, change=lighter),
        make_pan("flicker <b>&.mp4", frames=24, rate=50, size=(192, 128), change=flickering),
    ]


def compared(clips: list[Path], page: Path, **options: object) -> CompareReport:
    source, *candidates = clips
    return compare(EvaluateConfig(source, tuple(candidates)), page, **options)  # type: ignore[arg-type]


def test_the_page_is_whole_and_stands_alone(clips: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    report = compared(clips, page)
    text = page.read_text(encoding="utf-8")
    outline = Outline(text)
    assert outline.of("html")[0]["lang"] == "en"
    assert outline.of("link") == []
    addresses = [
        value
        for _, attributes in outline.seen
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "data", "srcset", "action", "poster")
    ]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "http" not in re.sub(r"data:[^\"]*", "", text).replace("http-equiv", "")
    assert not re.search(r"@import|url\((?!#)", text)
    policy = outline.of("meta")[2]["content"]
    assert policy.startswith("default-src 'none'")
    assert len(outline.of("svg")) == 2
    assert report.output == page
    assert list(tmp_path.glob(".*")) == []


def test_every_candidate_is_named_and_its_name_is_only_text(
    clips: list[Path], tmp_path: Path
) -> None:
    compared(clips, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "flicker <b>&.mp4" not in text
    assert "flicker &lt;b&gt;&amp;.mp4" in text
    words = " ".join(Outline(text).words)
    assert "pan.mp4" in words
    assert "steady.mp4" in words
    assert "flicker <b>&.mp4" in words
    assert "50 frames a second against the source's 25" in words


def test_names_cannot_steer_and_need_not_be_utf8(make_pan: MakePan, tmp_path: Path) -> None:
    candidate = make_pan("plain.mp4", frames=4, change=lighter)
    odd = candidate.rename(tmp_path / "a\x1b[31m\u202egnp\udcff.mp4")
    compared([make_pan(frames=4), odd], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_bytes().decode("utf-8")
    assert "a [31m gnp?.mp4" in text
    assert not {"\x1b", "\u202e"} & set(text)


def test_the_video_holds_every_clip_frame_by_frame(clips: list[Path], tmp_path: Path) -> None:
    report = compared(clips, tmp_path / "page.html")
    outline = Outline((tmp_path / "page.html").read_text(encoding="utf-8"))
    kind, data = outline.of("video")[0]["src"].split(",")
    assert kind == "data:video/mp4;base64"
    with av.open(io.BytesIO(base64.b64decode(data))) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    assert len(frames) == len(report.reel.times) == report.evaluation.method.frames == 12
    source, steady = frames[5][:64, :96].astype(int), frames[5][:64, 96:].astype(int)
    assert np.abs(source * 0.8 + 40 - steady).mean() < 6
    assert "beginning only" not in " ".join(outline.words)


def test_a_long_video_is_cut_and_that_is_said(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare_module, "REEL_SECONDS", Fraction(1, 5))
    report = compared(clips, tmp_path / "page.html")
    assert len(report.reel.times) == 5
    assert "the beginning only" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_numbers_tell_which_holds_still(clips: list[Path], tmp_path: Path) -> None:
    evaluation = compared(clips, tmp_path / "page.html").evaluation
    steady, flicker = (clip.short.e_warp for clip in evaluation.outputs)
    assert steady is not None
    assert flicker is not None
    assert flicker > 5 * steady
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    line, _ = [line for line in text.splitlines() if 'scope="row">E_warp (Lai)<' in line]
    cells = re.findall(r"<td[^>]*>[^<]*", text[text.index(line) :])[:3]
    assert ['class="best"' in cell for cell in cells] == [False, True, False]


def test_the_worst_moments_are_shown_with_their_heat(clips: list[Path], tmp_path: Path) -> None:
    compared(clips, tmp_path / "page.html")
    images = Outline((tmp_path / "page.html").read_text(encoding="utf-8")).of("img")
    assert len(images) == 2 * 4  # 12 frames hold one moment each that is half a second from others
    assert all(
        image["alt"] and image["src"].startswith("data:image/jpeg;base64,") for image in images
    )


def test_an_existing_page_is_kept_unless_told(clips: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    with pytest.raises(UsageError, match=r"page\.html: exists"):
        compared(clips[:2], page)
    assert page.read_text() == "mine"
    compared(clips[:2], page, overwrite=True)
    assert "steady.mp4" in page.read_text(encoding="utf-8")


def test_a_folder_that_is_not_there_is_told_of_before_the_work(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "vidstyle.jobs.compare.evaluate_clips", lambda *_, **__: pytest.fail("measured")
    )
    with pytest.raises(UsageError, match="no such folder"):
        compared(clips, tmp_path / "none" / "page.html")


def test_where_nothing_can_be_written_nothing_is_measured(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(
        "vidstyle.jobs.compare.evaluate_clips", lambda *_, **__: pytest.fail("measured")
    )
    with pytest.raises(ResourceError, match="cannot be written"):
        compare(EvaluateConfig(clips[0], tuple(clips[1:])), tmp_path / "page.html")


def test_the_source_is_never_overwritten(clips: list[Path]) -> None:
    before = clips[0].read_bytes()
    with pytest.raises(UsageError, match="is one of the clips"):
        compared(clips[:2], clips[0], overwrite=True)
    assert clips[0].read_bytes() == before


def test_steps_that_another_rate_makes_longer_are_not_measured(
    make_pan: MakePan, tmp_path: Path
) -> None:
    """At 24 frames a second against 25 one frame is shown twice, in which the source moves on."""
    source, film = make_pan(frames=30), make_pan("film.mp4", frames=30, rate=24)
    (clip,) = compared([source, film], tmp_path / "page.html").evaluation.outputs
    errors = clip.short.warp_error.values
    assert [place for place, error in enumerate(errors) if error is None] == [0, 25]
    assert clip.mean("frozen") == 0
    assert all(error < 0.001 for error in errors if error is not None)


def test_another_shot_leaves_no_page(make_pan: MakePan, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not show"):
        compared([make_pan(), make_pan("other.mp4", seed=3)], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidstyle.errors import InputError, ResourceError, UsageError
from vidstyle.types import EncodeOptions, Frame
from vidstyle.video.info import is_cover, probe
from vidstyle.video.joining import Joining
from vidstyle.video.lanes import Copy, Sound
from vidstyle.video.mux import MuxSummary, mux
from vidstyle.video.part import move
from vidstyle.video.read import ReadReport, read_frames
from vidstyle.video.stamp import fingerprint, output_tags, read_stamp
from vidstyle.video.write import encode_track

Make = Callable[..., Path]
Look = Callable[[Path], Any]
STAMP = {"style": "monet", "strength": 0.5, "note": "naïve"}
CONTAINERS = ["mp4", "mov", "mkv"]
LINES = [(100, 200, "one"), (210, 300, "two"), (350, 400, "three")]
CHAPTERS = [(0, 200, "Bank"), (200, 400, "Bridge")]
FILM = {"time_base": Fraction(1, 30_000), "rate": Fraction(30_000, 1001)}


def through(
    source: Path,
    container: str,
    *,
    start: Fraction | None = None,
    duration: Fraction | None = None,
    options: EncodeOptions | None = None,
) -> tuple[Path, MuxSummary]:
    """Decode, encode and join a clip without painting it."""
    info = probe(source)
    track, output = source.with_name("track.nut"), source.with_name("output.part")
    options = options or EncodeOptions("libvpx-vp9" if container == "webm" else "libx264")
    frames = read_frames(info, start=start, duration=duration)
    encoded = encode_track(frames, track, info, options)
    summary = mux(
        [track],
        info,
        output,
        container=container,
        stamp=STAMP,
        start=start,
        duration=duration,
        last_duration=encoded.last_duration,
    )
    return output, summary


def milliseconds(times: list[Fraction]) -> list[int]:
    return [round(time * 1000) for time in times]


@pytest.mark.parametrize("container", ["mp4", "mov"])
@pytest.mark.parametrize(
    "sound",
    [
        {},
        {"rate": 44_100, "start": Fraction(1940, 44_100)},
        {"start": Fraction(1, 3), "codec": "ac3"},
        {"codec": "libmp3lame", "start": Fraction(7, 9)},
        {"codec": "alac", "rate": 44_100},
    ],
)
def test_every_time_of_picture_and_sound_is_the_input_s(
    make_media: Make, facts: Look, container: str, sound: dict[str, Any]
) -> None:
    pts = [0, 1001, 2002, 3300, 9000, 9001, 15_015, 16_016, 17_017, 40_000]
    source = make_media(f"clip.{container}", pts=pts, last_duration=777, sounds=[sound], **FILM)
    output, summary = through(source, container)
    before, after = facts(source), facts(output)
    assert after.pictures == before.pictures
    assert after.of("audio") == before.of("audio")
    assert abs(after.duration - Fraction(40_777, 30_000)) <= Fraction(1, 1000)
    assert after.time_bases[0] == Fraction(1, 30_000)
    assert summary.notes == ()
    assert len(summary.copied) == 1


@pytest.mark.parametrize("container", CONTAINERS)
def test_pictures_that_begin_after_the_sound_stay_behind_it(
    make_media: Make, facts: Look, container: str
) -> None:
    source = make_media(f"clip.{container}", pts=range(7, 27), sounds=[{}])
    output, _ = through(source, container)
    before, after = facts(source), facts(output)
    assert after.pictures == before.pictures
    assert after.pictures[0] == Fraction(7, 25)
    tick = Fraction(1, 1000) if container == "mkv" else 0
    assert abs(after.of("audio")[0][0] - before.of("audio")[0][0]) <= tick


def test_matroska_keeps_its_milliseconds(make_media: Make, facts: Look) -> None:
    pts = [0, 33, 67, 100, 133, 301, 302, 400]
    sounds = [{}, {"codec": "flac"}, {"codec": "libopus"}, {"codec": "vorbis"}]
    source = make_media(
        "clip.mkv",
        pts=pts,
        time_base=Fraction(1, 1000),
        rate=Fraction(30),
        sounds=sounds,
        subtitles=[("srt", LINES), ("ass", LINES)],
        chapters=CHAPTERS,
        tags={"title": "Pond", "DIRECTOR": "Me"},
        attachments=[("font.ttf", "font/ttf", b"glyphs")],
        track_tags={"language": "fra", "title": "main"},
    )
    output, summary = through(source, "mkv")
    before, after = facts(source), facts(output)
    assert after.pictures == before.pictures
    assert after.of("audio") == before.of("audio")
    assert after.of("subtitle") == before.of("subtitle")
    assert after.kinds == before.kinds
    assert after.codecs == before.codecs
    assert after.chapters == before.chapters
    assert after.tags["title"] == "Pond"
    assert after.tags["DIRECTOR"] == "Me"
    assert after.track_tags[0]["language"] == "fra"
    assert after.track_tags[0]["title"] == "main"
    assert after.track_tags[-1]["filename"] == "font.ttf"
    assert summary.notes == ()


def test_statistics_of_the_unpainted_track_are_dropped(make_media: Make, facts: Look) -> None:
    stale = {"BPS": "123", "NUMBER_OF_FRAMES": "5", "_STATISTICS_TAGS": "BPS", "language": "fra"}
    output, _ = through(make_media("clip.mkv", track_tags=stale), "mkv")
    assert facts(output).track_tags[0].keys() == {"language", "DURATION"}


def test_mp4_takes_captions_chapters_and_a_second_video_over(make_media: Make, facts: Look) -> None:
    source = make_media(
        pts=range(0, 12_012, 1001),
        last_duration=1001,
        sounds=[{"tags": {"language": "eng"}}, {"tags": {"language": "fra"}}],
        subtitles=[("mov_text", LINES)],
        chapters=CHAPTERS,
        second_video=True,
        tags={"title": "Pond", "artist": "Me", "comment": "still"},
        track_tags={"timecode": "01:00:00;02"},
        **FILM,
    )
    output, summary = through(source, "mp4")
    before, after = facts(source), facts(output)
    assert after.pictures == before.pictures
    assert after.of("audio") == before.of("audio")
    assert after.of("video")[1] == before.of("video")[1]
    assert after.chapters == before.chapters
    assert sorted(after.kinds) == sorted(before.kinds)
    assert [t.get("language") for t in after.track_tags] == [
        t.get("language") for t in before.track_tags
    ]
    assert after.track_tags[0]["timecode"] == "01:00:00;02"
    assert {key: after.tags[key] for key in ("title", "artist", "comment")} == {
        "title": "Pond",
        "artist": "Me",
        "comment": "still",
    }
    assert after.captions == before.captions
    assert after.of("subtitle") == before.of("subtitle")
    assert summary.notes == ("video track 2 (h264) copied unpainted: one track is painted",)


@pytest.mark.parametrize("container", CONTAINERS)
def test_what_a_container_cannot_hold_is_converted_with_a_word(
    make_media: Make, facts: Look, container: str
) -> None:
    source = make_media(
        "clip.mkv",
        sounds=[{"codec": "pcm_u8", "rate": 8000, "start": Fraction(1, 5)}, {"codec": "flac"}],
        subtitles=[("ass", LINES)],
        attachments=[("font.ttf", "font/ttf", b"glyphs")],
    )
    output, summary = through(source, container)
    after = facts(output)
    notes = "\n".join(summary.notes)
    if container == "mkv":
        assert notes == ""
        return
    assert after.kinds[:4] == ["video", "audio", "audio", "subtitle"]
    assert ("pcm_u8) re-encoded to aac" in notes) == (container == "mp4")
    assert ("flac) re-encoded to aac" in notes) == (container == "mov")
    for times, end in zip(after.of("audio"), [Fraction(7, 10), Fraction(1, 2)], strict=True):
        assert abs(times[-1] - end) <= Fraction(1, 5)
    assert "subtitle track 1 (ass) rewritten as mov_text" in notes
    assert f"attachment track 1 left out: {container} cannot hold it" in notes
    assert [text for _, _, text in after.captions] == ["one", "two", "three"]
    assert [milliseconds([begin])[0] for begin, _, _ in after.captions] == [100, 210, 350]


@pytest.mark.parametrize("container", ["mp4", "mov", "webm"])
@pytest.mark.parametrize("layout", ["stereo", "quad", "5.1", "6.1"])
def test_sound_that_only_tells_how_many_channels_it_has_keeps_them(
    make_media: Make, container: str, layout: str
) -> None:
    """As that of AVI does; MP4 wants to know which."""
    source = make_media("clip.nut", sounds=[{"codec": "pcm_s16le", "layout": layout}])
    with av.open(source) as clip:
        (sound,) = clip.streams.audio
        assert sound.layout.name.endswith(" channels")
    output, _ = through(source, container)
    with av.open(output) as clip:
        (sound,) = clip.streams.audio
        assert sound.layout.name == layout


def test_captions_become_text_in_matroska(make_media: Make, facts: Look) -> None:
    output, summary = through(make_media(subtitles=[("mov_text", LINES)]), "mkv")
    after = facts(output)
    assert after.codecs[1] == "subrip"
    assert milliseconds(after.of("subtitle")[0]) == [100, 210, 350]
    assert summary.notes == (
        "subtitle track 1 (mov_text) rewritten as srt: mkv cannot hold it",
        "times are rounded to milliseconds: mkv has no finer ones",
    )


def test_webm_holds_sound_and_text_of_any_kind(make_media: Make, facts: Look) -> None:
    source = make_media(
        "clip.mkv",
        sounds=[
            {"codec": "aac", "rate": 44_100, "start": Fraction(1, 5)},
            {"codec": "ac3", "layout": "5.1"},
            {"codec": "libopus"},
        ],
        subtitles=[("srt", LINES)],
        chapters=CHAPTERS,
        tags={"title": "Pond"},
        attachments=[("font.ttf", "font/ttf", b"glyphs")],
    )
    output, summary = through(source, "webm")
    before, after = facts(source), facts(output)
    assert probe(output).container == "webm"
    assert after.codecs == ["vp9", "opus", "opus", "opus", "webvtt"]
    assert after.pictures == before.pictures
    assert after.chapters == before.chapters
    assert after.tags["title"] == "Pond"
    assert read_stamp(output) == STAMP
    assert [text for _, _, text in after.captions] == ["one", "two", "three"]
    assert after.of("audio")[2] == before.of("audio")[2]
    assert abs(after.of("audio")[0][0] - Fraction(1, 5)) <= Fraction(1, 40)
    instead = "webm cannot hold it"
    assert summary.copied == ("audio track 3 (opus)",)
    assert summary.notes == (
        f"attachment track 1 left out: {instead}",
        f"audio track 1 (aac) re-encoded to opus: {instead}",
        f"audio track 2 (ac3) re-encoded to opus: {instead}",
        f"subtitle track 1 (subrip) rewritten as webvtt: {instead}",
    )


STEPS = {
    "shown after zero and decoded before it": (25, 1, [3, 1, 3, 1, 5, 1]),
    "a few ticks apart": (90_000, 700, [3, 2, 3, 2, 5, 1, 14]),
    "closer than a millisecond at the end": (90_000, 0, [2, 3, 2, 1, 900, 2, 1]),
}


@pytest.mark.parametrize("container", ["mp4", "mov"])
@pytest.mark.parametrize("steps", STEPS)
def test_odd_steps_at_the_ends_move_and_lose_nothing(
    make_media: Make, facts: Look, container: str, steps: str
) -> None:
    base, start, gaps = STEPS[steps]
    pts = [start + sum((3 * gaps)[:n]) for n in range(3 * len(gaps) + 1)]
    source = make_media(
        f"clip.{container}",
        pts=pts,
        time_base=Fraction(1, base),
        rate=Fraction(25),
        sounds=[{"start": Fraction(1, 7)}],
    )
    before = facts(source)
    assert before.pictures == [Fraction(number, base) for number in pts]
    after = facts(through(source, container)[0])
    assert after.pictures == before.pictures
    assert after.of("audio") == before.of("audio")


def loudest(path: Path) -> Fraction:
    """When a click is heard, in seconds."""
    with av.open(str(path)) as file:
        planar = av.AudioResampler("fltp")
        best, when = 0.0, Fraction(0)
        for sound in file.decode(file.streams.audio[0]):
            for frame in planar.resample(sound):
                level = np.abs(frame.to_ndarray()).max(axis=0)
                if level.max() > best:
                    best = level.max()
                    when = frame.pts * frame.time_base + Fraction(int(level.argmax()), frame.rate)
        return when


def flash(path: Path) -> Fraction:
    """When the brightest picture is shown, in seconds."""
    with av.open(str(path)) as file:
        frames = [(frame.to_ndarray(format="gray").mean(), frame) for frame in file.decode(video=0)]
        brightest = max(frames, key=lambda pair: pair[0])[1]
        return brightest.pts * brightest.time_base


@pytest.mark.parametrize("container", [*CONTAINERS, "webm"])
@pytest.mark.parametrize("codec", ["aac", "pcm_u8", "flac", "libopus"])
def test_a_click_and_its_flash_stay_together(make_media: Make, container: str, codec: str) -> None:
    """Seen and heard through a decoder, with re-encoding and priming samples in between."""
    dark, bright = np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 255, np.uint8)
    images = [bright if number == 12 else dark for number in range(25)]
    sound = {"codec": codec, "seconds": Fraction(1), "click": Fraction(12, 25)}
    source = make_media("clip.mkv", pts=range(25), images=images, sounds=[sound])
    apart = flash(source) - loudest(source)
    assert abs(apart) < Fraction(1, 200)
    output, _ = through(source, container)
    assert flash(output) == Fraction(12, 25)
    assert abs(flash(output) - loudest(output) - apart) < Fraction(1, 400)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_part_starts_at_zero_with_its_sound(
    make_media: Make, facts: Look, name: str, container: str
) -> None:
    dark, bright = np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 255, np.uint8)
    images = [bright if number == 30 else dark for number in range(60)]
    source = make_media(
        name,
        pts=range(60),
        images=images,
        options={"crf": "0", "g": "10"},
        sounds=[{"codec": "flac", "seconds": Fraction(3), "click": Fraction(30, 25)}],
        subtitles=[
            ("srt" if name.endswith("mkv") else "mov_text", [(100, 900, "a"), (1300, 1800, "b")])
        ],
        chapters=[(0, 800, "A"), (800, 1000, "B"), (1000, 2400, "C")],
    )
    output, _ = through(source, container, start=Fraction(71, 100), duration=Fraction(3, 4))
    after = facts(output)
    assert after.pictures[0] == 0
    assert len(after.pictures) == 19  # from 0.72 s, the first picture after 0.71, to 1.46
    assert flash(output) == Fraction(12, 25)
    assert abs(flash(output) - loudest(output)) < Fraction(1, 400)
    first, last = after.of("audio")[0][0], after.of("audio")[0][-1]
    first_block = Fraction(4608, 48_000)  # of FLAC: whole blocks are kept
    assert 0 <= first < Fraction(1, 8)
    assert Fraction(6, 10) < last < Fraction(74, 100) + first_block
    assert [(*milliseconds([a, b]), t) for a, b, t in after.captions] == [
        (0, 180, "a"),
        (580, 740, "b"),
    ]
    assert [(*milliseconds([a, b]), t) for a, b, t in after.chapters] == [
        (0, 80, "A"),
        (80, 280, "B"),
        (280, 740, "C"),
    ]


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_the_end_of_a_part_counts_from_the_first_picture(
    make_media: Make, facts: Look, container: str
) -> None:
    """Which a clip may show late: here after two seconds."""
    source = make_media(
        f"clip.{container}",
        pts=range(50, 100),
        sounds=[{"start": Fraction(2), "seconds": Fraction(2)}],
        chapters=[(2000, 2500, "A"), (2500, 4000, "B")],
    )
    after = facts(through(source, container, duration=Fraction(1))[0])
    (sound,) = after.of("audio")
    assert (after.pictures[0], len(after.pictures)) == (2, 25)
    assert [sound[0], sound[-1]] == pytest.approx([2, 3], abs=0.03)
    assert after.chapters[-1] == (Fraction(5, 2), 3, "B")


def test_a_chapter_that_ends_where_a_part_begins_is_none_of_it(
    make_media: Make, facts: Look
) -> None:
    chapters = [(0, 1000, "A"), (1000, 2000, "B")]
    source = make_media("clip.mkv", pts=range(50), chapters=chapters)
    output, _ = through(source, "mkv", start=Fraction(1))
    assert facts(output).chapters == [(0, 1, "B")]


def test_a_clip_that_starts_before_zero_moves_as_a_whole(
    make_media: Make, tmp_path: Path, facts: Look
) -> None:
    source = make_media("clip.mov", sounds=[{"codec": "pcm_s16le"}])
    info = replace(probe(source), start_pts=-4 * 512, time_base=Fraction(1, 12_800))
    frames = [Frame(f.image, f.pts - 4 * 512) for f in read_frames(probe(source))]
    encode_track(frames, tmp_path / "track.nut", info, EncodeOptions())
    output = tmp_path / "output.mp4"
    mux([tmp_path / "track.nut"], info, output, container="mp4", stamp={})
    after = facts(output)
    assert after.pictures == [Fraction(number, 25) for number in range(10)]
    assert after.of("audio")[0][0] == Fraction(4, 25)


@pytest.mark.parametrize("offset", [Fraction(1, 10), Fraction(-1, 10)])
def test_broadcasts_start_at_zero(make_media: Make, facts: Look, offset: Fraction) -> None:
    """With whichever track is first, and nothing of it is lost."""
    first = 90_000 * 3600 * 20
    source = make_media(
        "clip.ts",
        pts=range(first, first + 90_000, 9000),
        time_base=Fraction(1, 90_000),
        rate=Fraction(10),
        sounds=[{"codec": "mp2", "start": Fraction(72_000) + offset}],
    )
    before = facts(source)
    output, _ = through(source, "mp4")
    after = facts(output)
    earliest = min(before.pictures[0], before.of("audio")[0][0])
    assert after.pictures == [time - earliest for time in before.pictures]
    for ours, theirs in zip(after.of("audio")[0], before.of("audio")[0], strict=True):
        assert abs(ours - (theirs - earliest)) < Fraction(1, 40_000)


def test_stamps_of_sound_that_make_no_sense_are_put_right(tmp_path: Path) -> None:
    class Source:
        type, name = "audio", "mp3"

    def packet(pts: int | None, dts: int | None) -> av.Packet:
        made = av.Packet(b"x")
        made.pts, made.dts, made.duration, made.time_base = pts, dts, 10, Fraction(1, 1000)
        return made

    with av.open(str(tmp_path / "a.mp4"), "w") as output:
        lane = Copy(cast("Any", Source()), output.add_stream("aac"))
        given = [(0, 0), (10, 10), (10, 10), (None, None), (90_000_000_000, 90_000_000_000)]
        fed = [*(packet(*times) for times in given), packet(60, 60)]
        times = [(ready.pts, ready.dts) for each in fed for ready in lane.feed(each)]
    assert times == [(0, 0), (10, 10), (20, 20), (30, 30), (40, 40), (60, 60)]


def test_size_pixel_shape_and_orientation_are_what_was_seen(make_media: Make, facts: Look) -> None:
    one = 1 << 16
    quarter = [0, -one, 0, one, 0, 0, 0, 0, 1 << 30]
    for container in CONTAINERS:
        source = make_media(matrix=quarter, sample_aspect_ratio=Fraction(4, 3))
        output, _ = through(source, container)
        after = facts(output)
        assert (after.size, after.sample_aspect_ratio) == ((48, 64), Fraction(3, 4))
        assert after.rotation == 0


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_stamp_comes_back_and_the_input_s_tags_stay(
    make_media: Make, facts: Look, container: str
) -> None:
    source = make_media("clip.mkv", tags={"title": "Pond", "comment": "mine"})
    assert read_stamp(source) is None
    output, _ = through(source, container)
    assert read_stamp(output) == STAMP
    tags = {key.lower(): value for key, value in facts(output).tags.items()}
    assert (tags["title"], tags["comment"]) == ("Pond", "mine")
    again = output.rename(output.with_name("painted.mkv"))
    assert read_stamp(through(again, container)[0]) == STAMP


def test_free_tags_are_kept_where_nothing_hides_behind_them(make_media: Make, facts: Look) -> None:
    free = {"movflags": "use_metadata_tags"}
    phone = {"com.android.version": "13", "creation_time": "2026-01-02T03:04:05.000000Z"}
    output, summary = through(make_media(tags=phone, container_options=free), "mp4")
    assert facts(output).tags["com.android.version"] == "13"
    assert facts(output).tags["creation_time"] == phone["creation_time"]
    assert (read_stamp(output), summary.notes) == (STAMP, ())
    both = {"com.android.version": "13", "title": "Pond"}
    output, summary = through(make_media(tags=both, container_options=free), "mp4")
    assert facts(output).tags["title"] == "Pond"
    assert summary.notes == ("tags left out: mp4 cannot hold com.android.version",)
    assert read_stamp(output) == STAMP


def test_tags_that_are_no_utf8_pass_through(make_media: Make) -> None:
    source = make_media(tags={"title": "Weiher"})
    source.write_bytes(source.read_bytes().replace(b"Weiher", b"Weih\xe9r"))
    output, _ = through(source, "mp4")
    assert b"Weih\xe9r" in output.read_bytes()


def test_beside_a_cover_picture_only_tags_stay_that_players_show() -> None:
    """MP4 has room for it in their list alone."""
    phone = {"com.android.version": "13"}
    assert output_tags(phone, {}, "mp4")[1:] == (True, ())
    assert output_tags(phone, {}, "mp4", has_cover=True)[1:] == (False, tuple(phone))


def cover_codecs(path: Path) -> list[str]:
    with av.open(path) as file:
        return [s.codec_context.codec.canonical_name for s in file.streams.video if is_cover(s)]


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_part_does_not_bear_the_time_code_of_the_whole(
    make_media: Make, facts: Look, container: str
) -> None:
    source = make_media("clip.mov", pts=range(50), track_tags={"timecode": "01:00:00:00"})
    whole = facts(through(source, container)[0])
    part = facts(through(source, container, start=Fraction(1))[0])
    assert any("timecode" in key.lower() for tags in whole.track_tags for key in tags)
    assert not any("timecode" in key.lower() for tags in part.track_tags for key in tags)


def test_a_part_does_not_bear_a_time_code_in_capitals(make_media: Make, facts: Look) -> None:
    """As Matroska writes it."""
    source = make_media("clip.mkv", pts=range(50), tags={"TIMECODE": "01:00:00:00"})
    assert "TIMECODE" in facts(through(source, "mkv")[0]).tags
    assert "TIMECODE" not in facts(through(source, "mkv", start=Fraction(1))[0]).tags


def test_players_choose_among_the_tracks_as_they_did(make_media: Make, facts: Look) -> None:
    """What is played by default, what is a dub, and which captions are forced."""
    sounds = [{"tags": {"language": language}} for language in ("eng", "fra")]
    plain = make_media("plain.mkv", sounds=sounds, subtitles=[("srt", LINES)])
    source = plain.with_name("clip.mkv")
    marks = Disposition.default, Disposition.original, Disposition.dub, Disposition.forced
    with av.open(plain) as file, av.open(source, "w") as target:
        tracks = [target.add_stream_from_template(s, opaque=True) for s in file.streams]
        for track, mark in zip(tracks, marks, strict=True):
            track.disposition = mark
        for packet in filter(lambda packet: packet.size, file.demux()):
            packet.stream = tracks[packet.stream.index]
            target.mux(packet)
    found = []
    for path in (source, through(source, "mkv")[0]):
        with av.open(path) as file:
            found.append([stream.disposition for stream in file.streams])
    assert found[0] == list(marks)
    assert found[1] == found[0]


@pytest.mark.parametrize("container", CONTAINERS)
def test_cover_pictures_stay_or_are_named(
    make_media: Make, add_cover: Callable[[Path], Path], facts: Look, container: str
) -> None:
    source = add_cover(make_media())
    output, summary = through(source, container)
    covers = cover_codecs(output)
    if container == "mov":
        assert covers == []
        assert summary.notes == ("cover picture 1 (mjpeg) left out: mov cannot hold it",)
    else:
        assert covers == ["mjpeg"]
        assert summary.copied == ("cover picture 1 (mjpeg)",)
        assert ("milliseconds" in "".join(summary.notes)) == (container == "mkv")


def test_hevc_in_mp4_bears_the_tag_that_apple_plays(make_media: Make) -> None:
    options = EncodeOptions(codec="libx265", preset="ultrafast")
    output, _ = through(make_media(), "mp4", options=options)
    with av.open(str(output)) as file:
        assert file.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_full_disk_and_a_missing_folder(make_media: Make, tmp_path: Path, container: str) -> None:
    info = probe(make_media(sounds=[{}]))
    track = tmp_path / "track.nut"
    encode_track(read_frames(info), track, info, EncodeOptions())

    def write(output: Path) -> None:
        mux([track], info, output, container=container, stamp={})

    with pytest.raises(ResourceError, match="folder does not exist"):
        write(tmp_path / "no" / "output.mp4")
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(ResourceError, match="disk is full"):
        write(Path("/dev/full"))


def with_a_damaged_packet(source: Path) -> Path:
    """A transport stream with one AAC header overwritten."""
    content = bytearray(source.read_bytes())
    headers = [match.start() for match in re.finditer(b"\xff\xf1", content)]
    content[headers[5] : headers[5] + 7] = bytes(7)
    source.write_bytes(content)
    return source


def test_a_damaged_packet_of_sound_is_lost_and_no_more(make_media: Make, facts: Look) -> None:
    source = with_a_damaged_packet(make_media("clip.ts", sounds=[{}]))
    output, summary = through(source, "mp4")
    assert summary.notes == ("1 damaged packets of sound or subtitles left out",)
    assert len(facts(output).pictures) == 10
    assert len(facts(output).of("audio")[0]) >= len(facts(source).of("audio")[0]) - 2


def test_the_painting_is_saved_without_the_sound_if_need_be(
    make_media: Make, facts: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidstyle.video.joining._MAX_REFUSED", 1)
    source = with_a_damaged_packet(make_media("clip.ts", sounds=[{}]))
    output, summary = through(source, "mp4")
    assert summary.copied == ()
    assert summary.notes == ("audio track 1 (aac) left out: it is empty or damaged",)
    assert facts(output).codecs == ["h264"]
    assert len(facts(output).pictures) == 10


def test_tracks_that_spoil_it_are_left_out_one_after_another(
    make_media: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was left out stays so, or the attempts would never end."""
    source, tried = make_media(sounds=[{}, {}]), []

    def needs_three_attempts(joining: Joining, *_: object) -> bool:
        tried.append(set(joining._left_out))
        return len(tried) == 3

    suspects = iter([{1}, {2}])
    monkeypatch.setattr(Joining, "write", needs_three_attempts)
    monkeypatch.setattr(Joining, "suspects", lambda _: next(suspects))
    through(source, "mp4")
    assert tried == [set(), {1}, {1, 2}]


def with_unreadable_sound(source: Path, pieces: slice) -> Path:
    """An MP4 with pieces of sound that lie behind the end of the file, as its index says."""
    content = bytearray(source.read_bytes())
    table = content.rindex(b"stco") + 8  # the sound's, of the two: a count, then places
    for piece in range(int.from_bytes(content[table : table + 4]))[pieces]:
        place = table + 4 + 4 * piece
        content[place : place + 4] = bytes((127, 255, 255, 0))
    source.write_bytes(content)
    return source


@pytest.mark.parametrize(
    ("pieces", "until", "said"),
    [
        (slice(20, 22), Fraction(39, 10), "damaged in places: what can be read is kept"),
        (slice(20, None), Fraction(1, 5), "s early: the file is cut short or damaged there"),
    ],
)
def test_damage_in_the_sound_costs_no_pictures_and_no_other_sound(
    make_media: Make, facts: Look, pieces: slice, until: Fraction, said: str
) -> None:
    source = make_media(pts=range(100), sounds=[{"seconds": 4}])
    with_unreadable_sound(source, pieces)
    report = ReadReport()
    assert len(list(read_frames(probe(source), report=report))) == 100
    assert not report.is_partial
    output, summary = through(source, "mp4")
    (sound,) = facts(output).of("audio")
    assert sound[-1] > until
    assert [note for note in summary.notes if said in note]


def test_scratches_in_the_sound_are_no_end_however_many(
    make_media: Make, facts: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidstyle.video.joining._MAX_FRUITLESS", 4)
    source = make_media(pts=range(100), sounds=[{"seconds": 4}])
    with_unreadable_sound(source, slice(10, 80, 10))
    (sound,) = facts(through(source, "mp4")[0]).of("audio")
    assert sound[-1] > Fraction(39, 10)


def test_sound_that_is_converted_keeps_its_rate(make_media: Make) -> None:
    source = make_media("clip.mkv", sounds=[{"codec": "pcm_u8", "rate": 44_100}])
    with av.open(through(source, "mp4")[0]) as file:
        assert file.streams.audio[0].rate == 44_100


def test_sound_that_needs_no_conversion_keeps_its_time(make_media: Make, tmp_path: Path) -> None:
    """Behind sound that needs it, and which counts in other ticks then."""

    def piece(number: int) -> Any:
        layout, channels = ("5.1", 6) if number < 20 else ("stereo", 2)
        levels = np.zeros((channels, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(levels, "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 1920 * number, Fraction(1, 90_000)
        return SimpleNamespace(decode=lambda: [frame])

    with (
        av.open(make_media("clip.mkv", sounds=[{"codec": "ac3"}])) as source,
        av.open(tmp_path / "o.mp4", "w") as output,
    ):
        lane = Sound(source.streams.audio[0], output, "aac")
        packets = [packet for number in range(60) for packet in lane.feed(piece(number))]
        packets += lane.flush()
    times = [packet.pts * packet.time_base for packet in packets]
    assert times[-1] == pytest.approx(60 * 1024 / 48_000, abs=0.05)
    assert max(b - a for a, b in pairwise(times)) < 0.05


def test_sound_may_change_its_channels(make_media: Make) -> None:
    """As broadcasts do: half a second of stereo, then 5.1, in which a click is heard."""
    halves = [
        make_media("stereo.ts", sounds=[{"codec": "ac3", "seconds": Fraction(1, 2)}]),
        make_media("5.1.ts", sounds=[{"codec": "ac3", "layout": "5.1", "click": Fraction(1, 5)}]),
    ]
    source = halves[0].with_name("whole.ts")
    with av.open(source, "w") as joined:
        for number, half in enumerate(halves):
            with av.open(half) as file:
                if not number:
                    tracks = [joined.add_stream_from_template(s, opaque=True) for s in file.streams]
                for packet in filter(lambda packet: packet.size, file.demux()):
                    move(packet, number * 45_000)
                    packet.stream = tracks[packet.stream.index]
                    joined.mux(packet)
    output, summary = through(source, "webm")
    assert "audio track 1 (ac3) re-encoded to opus: webm cannot hold it" in summary.notes
    assert abs(loudest(output) - Fraction(7, 10)) < Fraction(1, 20)


def test_a_caption_that_began_long_before_the_part_is_shown(make_media: Make, facts: Look) -> None:
    source = make_media(
        "clip.mkv",
        pts=range(0, 500),
        options={"crf": "40", "preset": "ultrafast", "g": "25"},
        sounds=[{"seconds": Fraction(20)}],
        subtitles=[("subrip", [(1000, 15_000, "long"), (15_500, 19_000, "last")])],
    )
    output, _ = through(source, "mkv", start=Fraction(14), duration=Fraction(4))
    shown = [(float(start), float(end), text) for start, end, text in facts(output).captions]
    assert shown == [(0, 1, "long"), (1.5, 4, "last")]


def test_a_track_with_nothing_in_the_part_is_told_of(make_media: Make, facts: Look) -> None:
    sounds = [{"codec": "ac3", "seconds": Fraction(1, 5)}, {"seconds": Fraction(3)}]
    source = make_media("clip.mkv", pts=range(60), sounds=sounds)
    output, summary = through(source, "mp4", start=Fraction(1))
    assert facts(output).codecs == ["h264", "aac"]
    assert summary.copied == ("audio track 2 (aac)",)
    assert summary.notes == ("audio track 1 (ac3) is empty",)
    assert len(facts(output).pictures) == 35


@pytest.mark.parametrize(
    "stamp",
    [
        *({"strength": "x"}, {"strength": 7}, {"start": "1/0"}, {"start": [1]}, {"start": "late"}),
        *({"start": "1e999999999"}, {"start": "-2"}, []),
        *({"rate": "9" * 30}, {"rate": "1/0"}, {"rate": "0"}, {"rate": "1/100000"}),
        *({"brush": 0.5}, {"brush": "wide"}, {"brush": None}),
        *({"bars": [1] * 5}, {"bars": [-1]}, {"bars": "12"}, {"bars": 3}, {"bars": [0.5]}),
    ],
)
def test_a_tag_that_holds_no_stamp_is_none(make_media: Make, stamp: object) -> None:
    assert read_stamp(make_media(tags={"comment": json.dumps({"vidstyle": stamp})})) is None


def test_a_tag_of_brackets_alone_is_none(make_media: Make) -> None:
    assert read_stamp(make_media(tags={"comment": '{"vidstyle":' + 100_000 * "["})) is None


def test_files_are_told_apart_by_all_that_they_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of large ones by samples, their ends among them."""
    monkeypatch.setattr("vidstyle.video.stamp._SAMPLE", 8)
    monkeypatch.setattr("vidstyle.video.stamp._SAMPLES", 4)

    def seen(size: int) -> list[int]:
        """The places at which a byte makes a difference."""
        path, content = tmp_path / "file", bytearray(size)
        path.write_bytes(content)
        plain, places = fingerprint(path), []
        for place in range(size):
            path.write_bytes(content[:place] + b"x" + content[place + 1 :])
            places += [place] if fingerprint(path) != plain else []
        return places

    assert seen(32) == list(range(32))
    assert seen(7) == list(range(7))
    far = seen(100)
    assert (far[:8], far[-8:], len(far)) == (list(range(8)), list(range(92, 100)), 32)
    (tmp_path / "a").write_bytes(bytes(100))
    (tmp_path / "b").write_bytes(bytes(101))
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")


@pytest.mark.parametrize("container", [*CONTAINERS, "webm"])
def test_the_same_painting_makes_the_same_file(make_media: Make, container: str) -> None:
    source = make_media(sounds=[{}], subtitles=[("mov_text", LINES)])
    first, again = (through(source, container)[0].read_bytes() for _ in range(2))
    assert first == again


def test_what_cannot_be_joined_is_one_line(make_media: Make, tmp_path: Path) -> None:
    info = probe(make_media())
    track = tmp_path / "track.nut"
    encode_track(read_frames(info), track, info, EncodeOptions(codec="ffv1"))
    with pytest.raises(UsageError, match="mov cannot hold ffv1"):
        mux([track], info, tmp_path / "o", container="mov", stamp={})
    with pytest.raises(UsageError, match="unknown container 'avi'"):
        mux([track], info, tmp_path / "o", container="avi", stamp={})
    info.path.unlink()
    with pytest.raises(InputError, match="does not exist"):
        mux([track], info, tmp_path / "o", container="mkv", stamp={})


def test_a_cut_off_clip_keeps_the_sound_it_has(make_media: Make, facts: Look) -> None:
    options = {"crf": "20", "g": "5"}
    sound = {"seconds": Fraction(4)}
    source = make_media("clip.mkv", pts=range(100), options=options, sounds=[sound])
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    output, _ = through(source, "mkv")
    after = facts(output)
    assert len(after.pictures) < 80
    assert abs(after.pictures[-1] - after.of("audio")[0][-1]) < 1


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    gaps=st.lists(st.integers(-3, 60).map(lambda n: 64 * n), min_size=5, max_size=30),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    start=st.sampled_from([0, -5120, 7040]),
)
def test_segments_join_without_a_trace(
    make_media: Make, tmp_path: Path, gaps: list[int], lengths: list[int], start: int
) -> None:
    """Whatever the times are and wherever it is cut: pictures are shown when they would be."""
    check_joint(make_media, tmp_path, gaps, lengths, start, "libx264")


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "libsvtav1"])
def test_segments_of_other_codecs_join(make_media: Make, tmp_path: Path, codec: str) -> None:
    check_joint(make_media, tmp_path, [512, 900, 0, 512, 77, 512, 1024], [3, 1], 0, codec)


def check_joint(
    make_media: Make, folder: Path, gaps: list[int], lengths: list[int], start: int, codec: str
) -> None:
    clip = make_media(time_base=Fraction(1, 12_800), pts=range(0, 1536, 512), last_duration=512)
    info = replace(probe(clip), start_pts=start)
    options = EncodeOptions(codec=codec, preset="veryfast")
    pts = [start + sum(gaps[:number]) for number in range(len(gaps))]
    images = [np.full((info.height, info.width, 3), 5 * n, np.uint8) for n in range(len(gaps))]
    frames = [Frame(image, time) for image, time in zip(images, pts, strict=True)]
    whole = encode_track(frames, folder / "whole.nut", info, options)
    segments, after, parts = [], None, iter(frames)
    for number, length in enumerate([*lengths, len(frames)]):
        if part := list(islice(parts, length)):
            segments.append(folder / f"{number}.nut")
            after = encode_track(
                part, segments[-1], info, options, after=after and after.last_placed
            )
    assert after is not None
    assert after.last_duration == whole.last_duration
    shown = []
    for tracks in ([folder / "whole.nut"], segments):
        output = folder / "output.mp4"
        mux(tracks, info, output, container="mp4", stamp={}, last_duration=whole.last_duration)
        with av.open(str(output)) as file:
            shown.append([(f.pts, f.to_ndarray(format="gray").mean()) for f in file.decode()])
    for (time, grey), (other_time, other_grey) in zip(*shown, strict=True):
        assert time == other_time
        assert grey == pytest.approx(other_grey, abs=2)


@pytest.mark.parametrize("hertz", [1_000_000, 10_000_000])
def test_a_picture_may_stand_for_long_by_a_fine_clock(make_media: Make, hertz: int) -> None:
    """MP4 has 31 bits for a step: at 10 MHz not four minutes."""
    near = 1303.5 + 1 / hertz
    seconds = (0, 0.5, 1, 1302, 1303, 1303.5, near, 4000, 4000.25)
    source = make_media(
        pts=[round(second * hertz) for second in seconds],
        time_base=Fraction(1, hertz),
        rate=Fraction(2),
        name="clip.nut",
    )
    info, track, output = probe(source), source.with_name("t.nut"), source.with_name("o.mp4")
    assert info.time_base == Fraction(1, hertz)
    summary = encode_track(read_frames(info), track, info, EncodeOptions())
    assert summary.nudged == 0
    mux([track], info, output, container="mp4", stamp={}, last_duration=900 * hertz)
    after = probe(output)
    assert float(after.duration or 0) == pytest.approx(4900.25, abs=1e-3)
    times = [float(frame.pts * after.time_base) for frame in read_frames(after)]
    assert times == pytest.approx(seconds, abs=1e-5)

"""The steps one at a time are what `read_frames` and `encode_track` do together."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from vidstyle.types import EncodeOptions
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames
from vidstyle.video.steps import decode, encode, to_rgb, to_yuv
from vidstyle.video.write import encode_track

MakeClip = Callable[..., Path]


def test_decoding_and_converting_is_reading(make_clip: MakeClip) -> None:
    info = probe(make_clip(frames=7))
    whole = list(read_frames(info))
    stepwise = list(to_rgb(list(decode(info)), info))
    assert [f.pts for f in stepwise] == [f.pts for f in whole]
    assert all((a.image == b.image).all() for a, b in zip(stepwise, whole, strict=True))


def test_converting_and_encoding_is_writing(make_clip: MakeClip, tmp_path: Path) -> None:
    info, options = probe(make_clip(frames=7)), EncodeOptions()
    frames = list(read_frames(info))
    written = encode_track(frames, tmp_path / "whole.nut", info, options)
    pictures = list(to_yuv([f.image for f in frames], info, written.pixel_format))
    encode(pictures, tmp_path / "steps.nut", info, options)
    whole, steps = (list(read_frames(probe(tmp_path / f"{n}.nut"))) for n in ("whole", "steps"))
    assert len(whole) == len(steps) == 7
    assert all((a.image == b.image).all() for a, b in zip(whole, steps, strict=True))
    spaces = [{b.pts - a.pts for a, b in pairwise(clip)} for clip in (whole, steps)]
    assert spaces[0] == spaces[1]

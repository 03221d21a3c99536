"""Files that would have other files or sockets opened: nothing but the named file is read."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from vidstyle.errors import InputError
from vidstyle.video.info import probe
from vidstyle.video.read import ReadReport, read_frames

Make = Callable[..., Path]


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Listens, and answers nobody: whoever calls is caught in `accept`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        yield listener


def nobody_called(server: socket.socket) -> bool:
    try:
        server.accept()
    except TimeoutError:
        return True
    return False


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
    '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>{}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n;{}",
    "m3u": "{}\n",
}


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "list.ts", "list"])
@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("target", ["local", "remote"])
def test_a_playlist_opens_neither_files_nor_sockets(
    make_media: Make, server: socket.socket, tmp_path: Path, kind: str, name: str, target: str
) -> None:
    part = make_media("part.ts")
    url = f"http://127.0.0.1:{server.getsockname()[1]}/part.ts"
    path = tmp_path / name
    path.write_text(PLAYLISTS[kind].format(part if target == "local" else url))
    with pytest.raises(InputError) as caught:
        probe(path)
    assert "\n" not in str(caught.value)
    assert nobody_called(server)


def test_the_playlist_would_be_opened_if_it_were_not_forbidden(
    make_media: Make, tmp_path: Path
) -> None:
    """So that the test above fails when FFmpeg is let loose."""
    path = tmp_path / "list.m3u8"
    path.write_text(PLAYLISTS["hls"].format(make_media("part.ts").name))
    with av.open(str(path)) as file:
        assert file.format.name == "hls"


@pytest.mark.parametrize("prefix", ["http:", "file:", "concat:", "subfile,,start,0,end,9,,:", "-"])
def test_addresses_are_names_of_files(server: socket.socket, prefix: str) -> None:
    with pytest.raises(InputError, match="does not exist"):
        probe(Path(f"{prefix}//127.0.0.1:{server.getsockname()[1]}/clip.mp4"))
    assert nobody_called(server)


def test_a_fragmented_recording_cut_within_a_fragment_keeps_the_rest(make_media: Make) -> None:
    flags = {"movflags": "frag_keyframe+empty_moov"}
    options: dict[str, Any] = {"options": {"crf": "20", "g": "10"}, "container_options": flags}
    path = make_media(pts=range(100), sounds=[{"seconds": 4}], **options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    report = ReadReport()
    frames = list(read_frames(probe(path), report=report))
    assert 40 <= len(frames) < 70

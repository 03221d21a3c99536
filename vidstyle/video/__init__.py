"""Files to frames and back: the only place that knows PyAV.

A clip goes through `info` (probe), `read`, `write` (a video-only NUT file) and `mux` (everything
else of the input joined in); `images` is the way of still pictures, `stamp` tells how a file was
painted. The other modules serve these.
"""

"""Where one frame shows what another does not."""

from __future__ import annotations

from vidstyle.motion.opencv_ops import OpenCvOps
from vidstyle.motion.ops import Array, Ops

# Grey levels by which something hidden differs from what takes its place.
_UNLIKE = 6
_OPENCV = OpenCvOps()


def occlusion(forward: Array, backward: Array, ops: Ops = _OPENCV) -> Array:
    """Pixels whose motion does not lead back to where it started: hidden in the other frame.

    `forward` (H, W, 2) leads from this frame to the other, `backward` from the other to this one,
    in pixels. Returns (H, W) bool, True where `forward` is not to be trusted. The threshold is that
    of Sundaram et al. (ECCV 2010): |f + b|² > 0.01 (|f|² + |b|²) + 0.5.
    """
    returned = ops.fetch(backward, ops.grid(forward.shape[:2]) + forward, "linear")
    lengths = ops.squared_length(forward) + ops.squared_length(returned)
    return ops.squared_length(forward + returned) > 0.01 * lengths + 0.5


def hidden(a: Array, b: Array, forward: Array, backward: Array, ops: Ops) -> Array:
    """Where the (H, W, 3) picture `a` shows what `b` does not; the flows are as in `occlusion`.

    In flat areas the flow back often differs too, so something else must be seen there as well.
    """
    moved = ops.fetch(b, ops.grid(a.shape[:2]) + forward, "linear")
    now, then = ops.blur(a, 3), ops.blur(moved, 3)
    unlike = ops.largest(ops.maximum(ops.excess(now, then), ops.excess(then, now)))
    return occlusion(forward, backward, ops) & ops.widened(unlike > _UNLIKE, 5)

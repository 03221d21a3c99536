"""How the camera moves, and flow that follows it wherever it would otherwise follow noise."""

from __future__ import annotations

from vidstyle.motion.ops import Array, Ops, Size, ramp

# How much coarser than the flow noise is looked for, and how much coarser still the camera is.
_COARSE, _COARSER = 2, 2
# Pixels of a side over which texture is judged, and over which a flow is.
_PATCH, _NEAR = 5, 15
# Squared slope below which there is no texture, and above which more of it does not count for the
# camera: a few strong edges are not to decide for all.
_FLAT, _STRONG = 1e-3, 50.0
# Levels that a picture of whole levels leaves unexplained, however good the flow is.
_ROUNDING = 0.02
# Texture counts half where it is so many times the squared noise.
_NOISY = 30.0
# Squared pixels by which flow is out at most: more tells nothing of the camera.
_MOST_DOUBT = 4.0
# Rounds of fitting. What differs by more than so many pixels, and by more than flow is in doubt,
# has little say in the last one, and what differs by twice as many in the one before.
_ROUNDS, _ALIKE = 4, 0.1
# Part of the texture around that has to move with the camera: up to the first the camera does not
# count, from the second on entirely.
_UNLIKELY, _CERTAIN = 0.75, 0.95
# Coarse pixels that are around, and how much the whole picture counts beside them.
_AROUND, _WHOLE = 25, 0.3
# How many times worse than flow the camera may explain a place: up to the first it is noise, from
# the second on something moves there.
_NOISE, _MOTION = 1.2, 1.5


def without_noise(a: Array, b: Array, there: Array, back: Array, ops: Ops) -> tuple[Array, Array]:
    """The flow `there`, from (h, w, 3) picture `a` to `b`, and the one `back`, less their noise.

    Flow takes noise for motion, a different one in each frame, and paint that follows it wobbles.
    So flows (h, w, 2) become the camera's motion, as far as noise outweighs texture, what is around
    moves with the camera, and that explains the place as well. Noise is what flow leaves
    unexplained: clean pictures keep theirs.
    """
    size: Size = there.shape[0], there.shape[1]
    small = _reduced(size, _COARSE)
    greys = (ops.floats(ops.grey(picture)) for picture in (a, b))
    here, other = (ops.smooth(ops.resized(grey, small, "area")) for grey in greys)

    def misfit(flow: Array) -> Array:
        """Levels that a flow leaves unexplained, in the mean around each pixel."""
        moved = ops.fetch(other, ops.grid(small) + flow, "linear")
        return ops.blur(abs(here - moved), _NEAR) + _ROUNDING

    flow = ops.resized(there, small, "area") / _COARSE
    left, texture = misfit(flow), _texture(here, ops)
    noise = 1 / (1 / left).mean()  # of the quietest places: noise is everywhere, error is not
    clear = texture / (texture + _NOISY * noise**2)
    doubt = (noise**2 / texture).clip(0, _MOST_DOUBT)  # flow is out by noise over slope
    camera, alike = camera_motion(flow, clear * texture.clip(0, _STRONG), doubt, ops)
    unmoved = 1 - ramp(misfit(camera) / left, _NOISE, _MOTION)
    share = (1 - clear) * unmoved * ramp(alike, _UNLIKELY, _CERTAIN)
    share = ops.resized(ops.blur(share, 3), size, "linear")
    camera = ops.resized(camera, size, "linear") * _COARSE
    return (
        there + ops.weighted(camera - there, share),
        back + ops.weighted(-camera - back, share),
    )


def camera_motion(flow: Array, weight: Array, doubt: Array, ops: Ops) -> tuple[Array, Array]:
    """The shift, turn and zoom that most of a flow follows, and how much of it does, by place.

    Least squares, in rounds that leave out more and more of what differs, by the weights of Geman
    and McClure (1987).

    Args:
        flow: (h, w, 2), in pixels.
        weight: (h, w): how much each pixel has to say, 0 or more.
        doubt: (h, w): the square of the pixels by which the flow may be out.
        ops: of these arrays.

    Returns:
        The motion as a flow (h, w, 2), and (h, w): the part of the weight around each pixel that
        moves so, 0 to 1.
    """
    size: Size = flow.shape[0], flow.shape[1]
    coarse = _reduced(size, _COARSER)
    flow, weight, doubt = (ops.resized(each, coarse, "area") for each in (flow, weight, doubt))
    say = weight
    for doublings in reversed(range(_ROUNDS)):
        camera = _similarity(flow, say, ops)
        apart = ops.squared_length(flow - camera)
        say = weight / (1 + apart / ((_ALIKE * 2**doublings) ** 2 + doubt)) ** 2
    moved_so = weight * ops.floats(apart < _ALIKE**2 + doubt)
    whole = _WHOLE * weight.mean() + 1e-6
    everywhere = moved_so.mean() / (weight.mean() + 1e-6)
    around, all_around = ops.blur(moved_so, _AROUND), ops.blur(weight, _AROUND)
    part = (around + whole * everywhere) / (all_around + whole)
    return ops.resized(camera, size, "linear"), ops.resized(part, size, "linear")


def _similarity(flow: Array, weight: Array, ops: Ops) -> Array:
    """The shift, turn and zoom that differ least from a flow by weighted squares, as a flow."""
    total = weight.sum() + 1e-6

    def mean(plane: Array) -> Array:
        return (weight * plane).sum() / total

    grid = ops.grid((flow.shape[0], flow.shape[1]))
    x, y, u, v = grid[..., 0], grid[..., 1], flow[..., 0], flow[..., 1]
    x, y, shift_x, shift_y = x - mean(x), y - mean(y), mean(u), mean(v)
    u, v = u - shift_x, v - shift_y
    spread = mean(x * x + y * y) + 1e-6
    zoom, turn = mean(x * u + y * v) / spread, mean(x * v - y * u) / spread
    return ops.stacked((shift_x + zoom * x - turn * y, shift_y + turn * x + zoom * y), -1)


def _reduced(size: Size, factor: int) -> Size:
    return max(size[0] // factor, 1), max(size[1] // factor, 1)


def _texture(plane: Array, ops: Ops) -> Array:
    """Twice the squared slope around each pixel in the direction in which it is least.

    The lesser eigenvalue of the structure tensor (Shi and Tomasi 1994): along a straight edge flow
    knows nothing, however steep the edge is.
    """
    across, down = ops.slopes(plane)
    xx, yy, xy = (ops.blur(x, _PATCH) for x in (across * across, down * down, across * down))
    return (xx + yy - ops.hypot(xx - yy, 2 * xy)).clip(_FLAT)

"""The second scene: a harbour village under the stars, the camera slowly drawing nearer."""

from __future__ import annotations

import numpy as np
from boats import reflection, sloop
from brushes import Canvas, Random, colour, crown, glow, mix, profile, ramp, smoothstep
from buildings import church, house, lighthouse
from clouds import veil
from jetty import jetty
from layers import Array, Layer, Matrix, Place, shift
from plants import meadow, wind
from water import Water

FRAMES = 108
MIDDLE = (FRAMES - 1) / 2
HORIZON, SHORE = 196.0, 214.0
MOON = (486.0, 62.0)
GOAL = (300.0, 190.0)
"""What the camera draws nearer to."""
CHURCH = 250.0

SEA = Water(HORIZON, SHORE, MOON[0], "38567f 24406c 162c54 0d1c3c", "8fa9c8 e9f0e2", 1.3, 0.5)
CYPRESS = "050b16 0a1622 122630 224444 466a62 8fae9c"
LEAVES = "070f1c 0e1d2c 1a3440 2f5350 5b7f70 a5bfa4"
WALLS = ("5d6a88", "7a7f92", "6f6a80", "85807f")
ROOFS = ("26345c", "34406a", "4a3f5c", "3a4a74")
PANES = ("ffd98a", "ffc566", "ffb04e", "26304c")


def near(zoom: float, speed: float) -> Place:
    """Growing by the share `zoom` over the scene, passing to the left at `speed` pixels a frame."""

    def place(t: float) -> Matrix:
        scale = 1 + zoom * (t - MIDDLE) / FRAMES
        return shift(-speed * (t - MIDDLE), scale=scale, about=GOAL)

    return place


def sail_past(x: float, y: float, speed: float) -> Place:
    """A boat seen at (x, y) in the middle of the scene, rocking on the swell."""

    def place(t: float) -> Matrix:
        heave, roll = 0.5 * np.sin(0.12 * t), 0.014 * np.sin(0.1 * t)
        return shift(x + speed * (t - MIDDLE), y + heave, turn=roll)

    return place


def star(canvas: Canvas, rng: Random, light: Array, great: bool) -> None:
    """Add a star to the (h, w, 3) light of the sky; a great one has a halo."""
    x, y = rng.uniform(-60, 700), rng.uniform(-10, 185)
    power = rng.uniform(0.8, 1.0) if great else 0.12 + 0.6 * rng.uniform() ** 4
    core, reach = (1.25, 22.0) if great else (0.62 + 0.4 * power, 4.0)
    part = canvas.part(x - reach, y - reach, x + reach, y + reach)
    far = np.hypot(canvas.x[part] - x, canvas.y[part] - y)
    shine = power * np.exp(-((far / core) ** 2))
    if great:
        shine = shine + 0.4 * np.exp(-far / 7) * smoothstep(22, 8, far)
    tint = ramp(rng.uniform(), "ffd9a0 fff1d4 e8efff b9d0ff")
    light[part] += (shine * smoothstep(HORIZON - 15, 90, canvas.y[part]))[..., None] * tint


def stars(canvas: Canvas, rng: Random) -> Array:
    """(h, w, 3) light of stars great and small, and of the Milky Way."""
    along = (canvas.x - 250) * 0.6 - (canvas.y - 60) * 0.8
    milky = np.exp(-((along / 60) ** 2)) * (0.75 + 0.5 * canvas.noise(rng, 60, octaves=6, gain=0.6))
    light = np.clip(milky, 0, 1.2)[..., None] * colour("5a5f7c") * np.float32(0.34)
    for i in range(620):
        star(canvas, rng, light, great=i < 17)
    return np.asarray(light, np.float32)


def sky(rng: Random, density: float) -> Canvas:
    """Deep blue overhead, the last of the day over the hills; stars, veils, the moon."""
    canvas = Canvas(-60, -30, 700, 240, density)
    high = np.clip((HORIZON - canvas.y) / HORIZON, 0, 1)
    rgb = ramp(high, "d3b487 adb09f 7598ac 4873a0 2e558c 213f74 1a325f")
    rgb = rgb * (0.97 + 0.05 * canvas.noise(rng, 120, 30, octaves=6))[..., None]
    rgb = rgb + stars(canvas, rng)
    far = np.hypot(canvas.x - MOON[0], canvas.y - MOON[1])
    shine = np.clip(0.6 * np.exp(-far / 24) + 0.22 * np.exp(-far / 90), 0, 1)
    rgb = mix(rgb, colour("dfe6dc"), shine)
    cover, light = veil(canvas, rng, MOON, HORIZON)
    lit = ramp(light, "27406f 4a669b 8aa3c6 cfdbe3 f5f3e4")
    rgb = mix(rgb, mix(lit, colour("f6ecd0"), 0.8 * shine), 0.62 * cover)
    seas = np.clip(canvas.noise(rng, 9, octaves=4), 0, 1)
    disc = smoothstep(10.6, 9.4, far) * (0.96 - 0.1 * seas)
    canvas.paste(mix(rgb, colour("fff6dc"), disc))
    return canvas


def hills(rng: Random, density: float, top: float, rough: float, codes: str, air: float) -> Canvas:
    """Dark wooded hills, the moon on their flanks."""
    canvas = Canvas(-80, 110, 720, 222, density)
    below = canvas.y - top - rough * profile(rng, canvas.x[0], 230, 7, 0.46)
    flank = canvas.bend(canvas.noise(rng, 40, 28, octaves=5), 0.6 * below, 0 * below)
    relief = np.tanh(np.gradient(flank, axis=1) * density * 6)
    light = 0.45 - 0.2 * relief + 0.16 * canvas.noise(rng, 3, 1.6, octaves=3)
    canvas.paste(ramp(np.clip(light, 0, 1), codes), smoothstep(-0.4, 0.4, below))
    canvas.tint(colour("7f97ad"), np.clip(air + 0.006 * below, 0, 0.8))
    return canvas


def houses(canvas: Canvas, rng: Random) -> None:
    """Four rows that climb towards the church, the farthest first."""
    for row in range(4):
        if row == 1:
            church(canvas, CHURCH - 4, 190, 1.65, "33446a 6d80a0 1f2c50 4a5f8c", "ffcf7a")
        for x in range(60 + 9 * row, 450 - 8 * row, 19):
            y = 211.4 - 8 * (3 - row) * float(np.exp(-(((x - CHURCH) / 120) ** 2)))
            width, height = rng.uniform(10, 15), rng.uniform(6, 10)
            codes = f"{rng.choice(WALLS)} {rng.choice(ROOFS)}"
            panes = [str(pane) for pane in rng.choice(PANES, 3)]
            if rng.uniform() < 0.86:
                house(canvas, x + rng.normal(0, 3), y, width, height, codes, panes)
            if rng.uniform() < 0.3:
                crown(canvas, rng, (x - 3, y - 5), (4.5, 6), LEAVES, 150, 0.7)


def quay(canvas: Canvas, rng: Random) -> None:
    """The harbour wall with its lamps."""
    ends = smoothstep(40, 44, canvas.x) * smoothstep(470, 466, canvas.x)
    stone = np.clip(0.5 + 0.5 * canvas.noise(rng, 5, 2), 0, 1)
    wall = smoothstep(-0.4, 0.4, canvas.y - 210.5) * ends
    canvas.paste(ramp(stone, "2a3350 4a4f66 77706f"), wall)
    for x in np.arange(62, 462, 36) + rng.normal(0, 4, 12):
        canvas.line(np.array([(x, 211), (x, 202)]), 0.7, colour("141c30"))
        canvas.ellipse(x, 201.4, 1.3, 1.3, colour("fff0c0"))
        glow(canvas, x, 201.4, 5.5, "ffb75a", 0.75)


def village(rng: Random, density: float) -> Canvas:
    """Roofs climbing from the quay to the church, and a lighthouse on its rock."""
    canvas = Canvas(-90, 60, 730, SHORE + 3, density)
    x = canvas.x[0]
    hill = 206 - 20 * np.exp(-(((x - CHURCH) / 120) ** 2)) + 2 * profile(rng, x, 70, 5)
    rock = 210 - 22 * np.exp(-(((x - 596) / 46) ** 4)) + 3 * profile(rng, x, 24, 5)
    land = np.minimum(hill, rock)
    stone = np.clip(0.45 + 0.35 * canvas.noise(rng, 8, 5) + 0.1 * (canvas.x - 596) / 46, 0, 1)
    canvas.paste(ramp(stone, "101c36 1b2d4c 33496a 5f7690"), smoothstep(-0.5, 0.5, canvas.y - land))
    for at in rng.uniform(-90, 730, 190):
        top, size = float(np.interp(at, x, land)), rng.uniform(2, 6)
        crown(canvas, rng, (at, top - size * 0.3), (size * 1.2, size * 0.9), LEAVES, 70, 0.7)
    houses(canvas, rng)
    lighthouse(canvas, 596, 192, "2c3c60 5a6d90 a9b6c4 e6e6da", "fff0b8")
    glow(canvas, 596, 135, 15, "ffc878", 0.55)
    quay(canvas, rng)
    return canvas


def boats(rng: Random, density: float) -> list[Layer]:
    """A boat on its way home, a lantern at its stern."""
    boat = sloop(rng, density, 0.95, "1c2a48", "22345c 46608c 8fa6c0 dfe4da")
    boat.ellipse(-31, -15, 1.7, 2.2, colour("fff0b4"))
    glow(boat, -31, -15, 6, "ffb45a", 0.8)
    mirror = reflection(boat, rng, "1a3058", 0.25, 1.3)
    course = sail_past(215, 262, 1.25)
    return [mirror.layer(course), boat.layer(course)]


def cypresses(rng: Random, density: float) -> Canvas:
    """Dark flames of trees, silvered by the moon on the right."""
    canvas = Canvas(-40, -40, 280, 410, density)
    for x, root, tall, wide in ((76, 398, 275, 26), (121, 398, 376, 33), (166, 400, 212, 22)):
        for share in np.linspace(0.08, 1, 26):
            part = 0.97 * (1 - share**1.35) + 0.06
            lean = 5 * np.sin(5.5 * part + x) + rng.normal(0, wide * 0.25 * share)
            centre, radius = (x + lean, root - tall * part), (wide * 0.5 * share + 3, tall * 0.09)
            leaves = 330 * share + 130
            crown(canvas, rng, centre, radius, CYPRESS, leaves, 1.25, (0.95, -0.3), slim=1.9)
    return canvas


def bank(rng: Random, density: float) -> Canvas:
    """The meadow the cypresses stand in, by night."""
    canvas = Canvas(-230, 300, 560, 430, density)
    x = canvas.x[0]
    rise = 26 * np.exp(-(((x - 90) / 130) ** 2)) - 45 * smoothstep(230, 460, x)
    meadow(canvas, rng, 368 - rise + 3 * profile(rng, x, 90, 3))
    canvas.tint(colour("16264a"), 0.62)
    return canvas


def paint(density: float) -> list[Layer]:
    """All layers of the scene, the farthest first; `density` texels a unit."""
    seeds = iter(np.random.default_rng(5).spawn(9))
    high, low = "1d3157 2b4672 47658f 7d98b4", "142444 1e365a 365578 6485a0"
    shore = near(0.09, 0.30)
    behind = [
        sky(next(seeds), density).layer(near(0.03, 0.10)),
        hills(next(seeds), density, 158, 13, high, 0.34).layer(near(0.05, 0.16)),
        hills(next(seeds), density, 178, 8, low, 0.16).layer(near(0.06, 0.20)),
        village(next(seeds), density).layer(shore),
    ]
    surface = Canvas(-90, SHORE - 0.5, 730, 372, density)
    SEA.paint(surface, next(seeds), behind, MIDDLE)
    return [
        *behind[:-1],
        surface.layer(shore, SEA.swell()),
        behind[-1],
        *boats(next(seeds), density),
        jetty(next(seeds), density).layer(near(0.2, 0.5)),
        cypresses(next(seeds), density).layer(near(0.26, 1.1)),
        bank(next(seeds), density).layer(near(0.3, 1.4), wind(400, 2.5)),
    ]

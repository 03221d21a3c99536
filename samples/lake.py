"""The first scene: a lake at golden hour, the camera travelling to the right along its shore."""

from __future__ import annotations

import numpy as np
from boats import reflection, sloop
from brushes import Canvas, Random, colour, crown, mix, profile, ramp, smoothstep
from buildings import church, house
from clouds import cumulus, veil
from layers import Layer, Matrix, Numbers, Place, shift
from lilies import lilies
from plants import birch, meadow, reeds, trees, willow, wind
from water import Water

FRAMES = 132
MIDDLE = (FRAMES - 1) / 2
HORIZON, SHORE = 184.0, 203.0
SUN = (476.0, 118.0)
FAR = 0.34
"""Pixels a frame of what is infinitely far, at the middle of the scene."""
NEARNESS = 0.0125
"""Pixels a frame that the ground moves faster for each unit it lies below the horizon."""

LEAVES = "0f1d24 1a302c 304a31 596a36 a19243 f0c86c"
LAKE = Water(HORIZON, SHORE, SUN[0], "6f8890 3f5f66 24464a 1a3436", "ffdf9c fff3cd")
HEAPS = [
    (95, 168, 120, 16),
    (330, 166, 150, 14),
    (610, 169, 130, 15),
    (215, 157, 150, 26),
    (20, 150, 150, 40),
    (600, 148, 170, 26),
    (120, 128, 210, 62),
    (330, 140, 120, 30),
]
"""Middle, base, width and height of each cumulus, the far ones first."""


def travel(t: float) -> float:
    """How far the camera has gone, in frames at full speed, 0 in the middle: it starts gently."""
    s = (t - MIDDLE) / (FRAMES / 2)
    return FRAMES / 2 * (s - 0.22 * s**3)


def pan(speed: float) -> Place:
    """Standing still in the world, seen to pass at `speed` pixels a frame."""
    return lambda t: shift(-speed * travel(t))


def on_ground(t: float) -> Matrix:
    """The whole level plane of water and meadow: the nearer, the faster."""
    return shift(-FAR * travel(t), shear=-NEARNESS * travel(t), about=(0.0, HORIZON))


def sail_past(x: float, y: float, speed: float, rock: float) -> Place:
    """A boat seen at (x, y) in the middle of the scene, going `speed` pixels a frame, rocking."""

    def place(t: float) -> Matrix:
        heave, roll = 12 * rock * np.sin(0.11 * t), rock * np.sin(0.09 * t)
        return shift(x + speed * (t - MIDDLE), y + heave, turn=roll)

    return place


def sky(rng: Random, density: float) -> Canvas:
    """Blue overhead, peach below, clouds lit by a low sun."""
    canvas = Canvas(-60, -4, 700, 230, density)
    high = np.clip((HORIZON - canvas.y) / HORIZON, 0, 1)
    near = np.exp(-np.hypot((canvas.x - SUN[0]) / 2.1, (canvas.y - SUN[1]) * 1.1) / 85)
    rgb = ramp(high, "f5cf9c f2d6b0 d6d2c8 a9c0d4 7fa6cb 5f8ec0")
    rgb = mix(rgb, colour("ffd591"), 0.85 * near)
    layers = (veil(canvas, rng, SUN, HORIZON), 0.75), (cumulus(canvas, rng, SUN, HEAPS), 0.97)
    for (cover, light), strength in layers:
        lit = ramp(light, "7f83a6 a99fb4 dcb9b0 ffe0bb fff6e2")
        lit = mix(lit, ramp(light, "b98a90 e3a27c ffca8c ffe9b8 fff6dc"), 0.8 * near)
        lit = mix(lit, rgb, 0.55 * (1 - smoothstep(0.0, 0.5, high)))
        rgb = mix(rgb, lit, strength * cover)
    disc = np.hypot(canvas.x - SUN[0], canvas.y - SUN[1])
    halo = 0.95 * np.exp(-disc / 9) + 0.4 * np.exp(-disc / 40)
    rgb = mix(rgb, colour("fff4cf"), np.clip(halo, 0, 1))
    canvas.paste(mix(rgb, colour("fffdf0"), smoothstep(8.5, 5.5, disc)))
    return canvas


def haze(canvas: Canvas, amount: Numbers) -> None:
    """Air between the viewer and what is painted, golden towards the sun."""
    golden = np.exp(-(((canvas.x - SUN[0]) / 190) ** 2))
    canvas.tint(ramp(golden, "c3bcc4 ffd9a0"), amount)


def mountains(
    rng: Random, density: float, top: float, rough: float, codes: str, air: float
) -> Canvas:
    """A range of hills whose flanks catch the light from the right."""
    canvas = Canvas(-80, 90, 720, 210, density)
    below = canvas.y - top - rough * profile(rng, canvas.x[0], 210, 7, 0.48)
    flank = canvas.bend(canvas.noise(rng, 46, 34, octaves=5), 0.7 * below, 0 * below)
    relief = np.tanh(np.gradient(flank, axis=1) * density * 9)
    light = 0.48 - 0.3 * relief + 0.1 * flank + 0.07 * canvas.noise(rng, 4, 2, octaves=3)
    canvas.paste(ramp(np.clip(light, 0, 1), codes), smoothstep(-0.4, 0.4, below))
    haze(canvas, np.clip(air + 0.012 * (below - 8), 0, 0.94))
    return canvas


def woods(rng: Random, density: float) -> Canvas:
    """Rolling land behind the lake: fields, hedges and woods."""
    canvas = Canvas(-90, 130, 730, 212, density)
    ridge = 170 + 7 * profile(rng, canvas.x[0], 260, 3, 0.4)
    fields = canvas.noise(rng, 70, 7, octaves=2) + 0.25 * canvas.noise(rng, 6, 2, octaves=3)
    green = ramp(np.clip(0.5 + 0.55 * fields, 0, 1), "52683f 71824a 96994f b9ae5f d2bd72")
    canvas.paste(green, smoothstep(-0.4, 0.4, canvas.y - ridge))
    wooded = canvas.noise(rng, 46, 5, octaves=4, gain=0.6)
    near = np.sort(rng.uniform(0, 1, 9000) ** 1.3)
    x, size = rng.uniform(canvas.left, canvas.right, 9000), rng.uniform(0.9, 2.1, 9000)
    top = np.interp(x, canvas.x[0], ridge)
    spots = np.stack([x, top + near * (SHORE - 4 - top)], axis=1)
    wanted = 0.12 + 0.3 * rng.uniform(size=9000) - 0.35 * (near < 0.08)
    grows = canvas.pick(wooded, spots) > wanted
    trees(canvas, rng, spots[grows], (size * (0.8 + 0.9 * near))[grows])
    haze(canvas, np.clip(0.5 - 0.012 * (canvas.y - 168), 0.12, 0.6))
    return canvas


def poplars(canvas: Canvas, rng: Random) -> None:
    """A row of them that recedes to the right."""
    spots = (-62, -28, 4, 35, 64, 92, 118, 143, 167, 189, 210, 230, 249, 267, 284)
    for i, x in enumerate(spots):
        tall, lean = 148 * 0.915**i * rng.uniform(0.93, 1.05), rng.normal(0, 1.5)
        trunk = np.array([(x, 202), (x + lean, 202 - tall * 0.9)])
        canvas.line(trunk, np.array([2.4, 0.8]) * (0.6 + tall / 200), colour("4a3b30"))
        centre, radius = (x + lean * 0.6, 202 - tall * 0.54), (tall * 0.1 + 2, tall * 0.47)
        leaf = 0.8 + tall / 320
        crown(canvas, rng, centre, radius, LEAVES, 52 * tall, leaf, clump=0.17, slim=1.45)


def round_trees(canvas: Canvas, rng: Random) -> None:
    """Broad trees along the shore, and bushes under all of them."""
    spots = (-70, -30, 318, 345, 402, 425, 455, 540, 568, 602, 640, 690, 720)
    sizes = (26, 20, 12, 9, 12, 17, 11, 14, 22, 26, 20, 30, 24)
    for x, size in zip(spots, sizes * rng.uniform(0.9, 1.1, len(sizes)), strict=True):
        canvas.line(np.array([(x, 201), (x + 0.5, 201 - size)]), 1.4, colour("3b3129"))
        centre, radius = (x, 200 - size * 0.95), (size * 0.85, size * 0.8)
        crown(canvas, rng, centre, radius, LEAVES, 190 * size, 0.75 + size * 0.012, clump=0.22)
    for left in rng.uniform(-90, 730, 260):
        bush = rng.uniform(1.8, 4.2) * (0.8 if 300 < left < 520 else 1.5)
        centre, radius = (left, 201 - bush * 0.6), (bush * 1.2, bush * 0.8)
        crown(canvas, rng, centre, radius, LEAVES, 50, 0.7, clump=0.4)


def bank(rng: Random, density: float) -> Canvas:
    """The far shore: a village, trees, and the grass at the water's edge."""
    canvas = Canvas(-90, 60, 730, 206, density)
    house(canvas, 352, 196.5, 15, 8, "ecd3ae b0573c", ["40394a", "40394a"])
    house(canvas, 388, 196.5, 12, 7, "e3c6a4 96493a", ["40394a", "40394a"])
    house(canvas, 330, 196.5, 12, 6.5, "d9c3a8 a3624a", ["40394a", "40394a"])
    church(canvas, 376, 196, 1.0, "cdb092 f3d9ae 5d6478 8e8d93", "55495a")
    round_trees(canvas, rng)
    poplars(canvas, rng)
    top = 198.5 + 1.3 * profile(rng, canvas.x[0], 60, 5)
    edge = SHORE + 0.6 * profile(rng, canvas.x[0], 30, 4)
    light = np.clip(0.5 + 0.4 * canvas.noise(rng, 9, 1.6) + 0.12 * (200 - canvas.y), 0, 1)
    share = smoothstep(-0.5, 0.5, canvas.y - top) * smoothstep(0.4, -0.4, canvas.y - edge)
    canvas.paste(ramp(light, "3a4a2e 596b38 8c8f45 c4ad58"), share)
    haze(canvas, 0.1)
    return canvas


def boats(rng: Random, density: float) -> list[Layer]:
    """A small one far off, a large one that sails past."""
    layers = []
    for size, x, y, speed, hull, cloth in (
        (0.34, 560, 211, -0.05, "6d4a3a", "a5563a c97a45 e9a75a f6cf86"),
        (0.92, 285, 236, 0.95, "2f4d68", "938b98 c9b2a4 f0dab4 fff1d2"),
    ):
        boat = sloop(rng, density, size, hull, cloth)
        mirror = reflection(boat, rng, "4a5f66", 0.2, 0.5 + size)
        layers.append(mirror.layer(sail_past(x, y, speed, 0.0)))
        layers.append(boat.layer(sail_past(x, y, speed, 0.012)))
    return layers


def foreground(rng: Random, density: float) -> list[Layer]:
    """What passes close by: reeds, a birch, a willow, a meadow in flower."""
    rushes = Canvas(-240, 180, 900, 366, density)
    for x, spread, tall, count in (
        (-120, 22, 130, 60),
        (20, 14, 110, 40),
        (235, 20, 135, 62),
        (560, 18, 120, 50),
        (760, 26, 140, 70),
    ):
        reeds(rushes, rng, x, spread, 358, tall, count)
    tree = Canvas(600, -6, 860, 372, density)
    birch(tree, rng, 724, 372, 21)
    curtain = Canvas(-330, -8, 80, 210, density)
    willow(curtain, rng, -130, 62, 200, 90)
    flowers = Canvas(-330, 280, 990, 372, density)
    ground = 352 + 9 * profile(rng, flowers.x[0], 260, 3) - 8 * np.cos(flowers.x[0] / 120)
    meadow(flowers, rng, ground)
    return [
        rushes.layer(pan(2.9), wind(360, 3.0)),
        tree.layer(pan(3.3)),
        curtain.layer(pan(3.5), wind(-8, 3.2, from_top=True)),
        flowers.layer(pan(3.9), wind(366, 2.2)),
    ]


def paint(density: float) -> list[Layer]:
    """All layers of the scene, the farthest first; `density` texels a unit."""
    seeds = iter(np.random.default_rng(4).spawn(9))
    violet, green = "5c6c94 7484a6 9f9cb0 cdb09f", "4a5f68 5c766c 808a68 b9a474"
    shore = pan(FAR + NEARNESS * (SHORE - HORIZON))
    behind = [
        sky(next(seeds), density).layer(pan(FAR)),
        mountains(next(seeds), density, 150, 13, violet, 0.5).layer(pan(FAR + 0.04)),
        mountains(next(seeds), density, 163, 8, green, 0.4).layer(pan(FAR + 0.08)),
        woods(next(seeds), density).layer(pan(FAR + 0.15)),
        bank(next(seeds), density).layer(shore),
    ]
    surface = Canvas(-80, SHORE - 0.5, 720, 364, density)
    LAKE.paint(surface, next(seeds), behind, MIDDLE)
    return [
        *behind[:-1],
        surface.layer(shore, LAKE.swell()),
        behind[-1],
        *boats(next(seeds), density),
        lilies(next(seeds), density, LAKE).layer(on_ground),
        *foreground(next(seeds), density),
    ]

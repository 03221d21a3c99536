"""The measures and the flow against pairs of MPI-Sintel, whose true flow is known.

    python benchmarks/sintel.py --data CLIPS [-o FILE.md]

CLIPS holds folders seq_sintel_SCENE_PASS with frame_0002.png, frame_0003.png, the true flow from
the one to the other (flow_gt/frame_0002.flo) and masks of what is occluded and invalid (Butler et
al., ECCV 2012). First the input's own errors with the true flow, which must come out as they were
measured by an independent program: a measure that cannot reproduce them is wrong, and this script
fails. Then the end-point error of the project's own flow: the one that measures (`fine_flow`) and
the ones that blend (`FlowEstimator`, and on GPUs `TorchFlowEstimator`).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pages import write_page
from PIL import Image

from vidstyle.metrics.steadiness import SourceMotion, pair_error
from vidstyle.motion.flow import fine_flow, outside
from vidstyle.motion.ops import open_ops

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

EXPECTED = {
    "alley1_clean": (".970", ".00700", ".000195", ".0140", ".000201"),
    "cave2_clean": (".915", ".00618", ".000286", ".0169", ".000312"),
    "market5_clean": (".874", ".01297", ".001509", ".0388", ".001726"),
    "alley1_final": (".970", ".00377", ".000085", ".0092", ".000088"),
    "cave2_final": (".915", ".00393", ".000248", ".0157", ".000271"),
    "market5_final": (".874", ".01925", ".002208", ".0470", ".002525"),
}
"""Coverage, mean square without motion, Ruder's error, e_stab and Lai's error of the input."""


@dataclass(frozen=True)
class Scene:
    """Two frames, and what is known of the motion between them."""

    name: str
    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    flow: Array
    occluded: Mask
    valid: Mask

    @classmethod
    def read(cls, folder: Path) -> Scene:
        """Read one of the folders."""
        first, second = (picture(folder / f"frame_000{k}.png") for k in (2, 3))
        occluded, invalid = (
            picture(folder / kind / "frame_0002.png").max(axis=-1) > 0
            for kind in ("occlusions", "invalid")
        )
        flow = read_flow(folder / "flow_gt" / "frame_0002.flo")
        return cls(folder.name.split("_", 2)[2], first, second, flow, occluded, ~invalid)

    @property
    def trusted(self) -> Mask:
        """Pixels that are seen in both frames."""
        return ~self.occluded & self.valid & ~outside(self.flow)


def picture(path: Path) -> NDArray[np.uint8]:
    """A picture as (H, W, 3) RGB."""
    return np.asarray(Image.open(path).convert("RGB"))


def read_flow(path: Path) -> Array:
    """A .flo file (Baker et al., IJCV 2011) as (H, W, 2) pixels."""
    header = np.fromfile(path, np.float32, 1)
    if header[0] != np.float32(202021.25):
        raise SystemExit(f"{path}: no .flo file")
    width, height = np.fromfile(path, np.int32, 2, offset=4)
    return np.fromfile(path, np.float32, offset=12).reshape(height, width, 2)


def own_errors(scene: Scene) -> tuple[str, ...]:
    """The input's own errors, as they are printed in `EXPECTED`."""
    error = pair_error(scene.first, scene.second, SourceMotion(scene.flow, scene.trusted))
    assert error is not None
    still = np.square((scene.second.astype(np.float64) - scene.first) / 255).mean()
    figures = (scene.trusted.mean(), still, error.ruder, sqrt(error.ruder), error.lai)
    return tuple(
        f"{figure:.{digits}f}".removeprefix("0")
        for figure, digits in zip(figures, (3, 5, 6, 4, 6), strict=True)
    )


def end_point_errors(scene: Scene) -> list[str]:
    """Mean distance, in pixels, of all flows from the true one: where visible, and everywhere."""
    cells = []
    for flow in (
        fine_flow(scene.first, scene.second),
        blending_flow(scene.first, scene.second, None),
        blending_flow(scene.first, scene.second, "cpu"),
    ):
        off = np.linalg.norm(flow - scene.flow, axis=-1)
        cells += [f"{off[mask].mean():.2f}" for mask in (scene.trusted, scene.valid)]
    return cells


def blending_flow(first: NDArray[np.uint8], second: NDArray[np.uint8], device: str | None) -> Array:
    """The flow that blends: OpenCV's where `device` is None, else torch's."""
    height, width = first.shape[:2]
    ops, estimator = open_ops(height, width, device)
    halves = (
        ops.resized(ops.array(frame), estimator.half_size, "area") for frame in (first, second)
    )
    flow = ops.host(estimator.there_and_back(*halves)[0])
    scale = np.array((width / flow.shape[1], height / flow.shape[0]), np.float32)
    return cv2.resize(flow, (width, height)) * scale


def main() -> None:
    """Print and write both tables; fail where a figure differs from what is expected."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).parent / "results/sintel.md"
    )
    options = parser.parse_args()
    scenes = [Scene.read(folder) for folder in sorted(options.data.glob("seq_sintel_*"))]
    if not scenes:
        raise SystemExit(f"{options.data}: there is no folder seq_sintel_* in it")
    found = {scene.name: own_errors(scene) for scene in scenes}
    wrong = [name for name, figures in found.items() if figures != EXPECTED[name]]
    text = "\n".join(
        [
            "# Measures and flow on MPI-Sintel",
            "",
            "`python benchmarks/sintel.py --data CLIPS`: frames 2 and 3 of each scene, 1024x436.",
            "",
            "The input's own errors with the true flow; expected figures, measured independently, "
            f"are {'**not** ' if wrong else ''}reproduced to all digits.",
            "",
            "| scene | coverage | MSE without motion | Ruder | e_stab | Lai |",
            "|---|---|---|---|---|---|",
            *(f"| {name} | {' | '.join(figures)} |" for name, figures in found.items()),
            "",
            "End-point error in pixels of the flow that measures and of those that blend, on a CPU "
            "and on a GPU: over the pixels seen in both frames, and over all.",
            "",
            "| scene | mean motion | measuring, seen | all | blending, seen | all "
            "| on a GPU, seen | all |",
            "|---|---|---|---|---|---|---|---|",
            *(
                f"| {scene.name} | {np.linalg.norm(scene.flow, axis=-1).mean():.2f} "
                f"| {' | '.join(end_point_errors(scene))} |"
                for scene in scenes
            ),
            "",
        ]
    )
    write_page(options.output, text)
    if wrong:
        raise SystemExit("\n".join(f"{n}: expected {EXPECTED[n]}" for n in wrong))


if __name__ == "__main__":
    main()

"""Dense optical flow between two frames, and where it can be trusted."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.motion.ops import half_size
from vidstyle.motion.warp import grid
from vidstyle.types import Picture

Grey = NDArray[np.uint8]
Flow = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Pixels between patches and steps a patch, both finer and rougher than the preset's 4 and 12.
_STRIDE, _DESCENTS = 5, 8
_STRIDE_BACK, _DESCENTS_BACK = 6, 6
_ROUNDS = 3
# A quarter of OpenCV's default: painted strokes show every small motion that is smoothed away.
_SMOOTHNESS = 5.0


class FlowEstimator:
    """Optical flow for blending, for frames of one size; it works on half the width and height.

    Dense inverse search (Kroeger et al., ECCV 2016) finds the motion of patches; a variational
    refinement (Brox et al., ECCV 2004) makes it exact to a tenth of a pixel or so. That is worth
    more than anything else done here: paint that is held moves with every error of the flow.
    """

    def __init__(self, height: int, width: int) -> None:
        self.half_size = half_size(height, width)
        self._search = _dense_search(_STRIDE, _DESCENTS)
        self._search_back = _dense_search(_STRIDE_BACK, _DESCENTS_BACK)
        self._refinement = cv2.VariationalRefinement_create()
        self._refinement.setFixedPointIterations(_ROUNDS)
        self._refinement.setAlpha(_SMOOTHNESS)

    def there_and_back(self, a: Picture, b: Picture) -> tuple[Flow, Flow]:
        """See `Estimator`: the flows between two frames of `half_size`, in its pixels."""
        grey_a, grey_b = _grey(a), _grey(b)
        return self._fine(grey_a, grey_b), self._search_back.calc(grey_b, grey_a, None)

    def _fine(self, a: Grey, b: Grey) -> Flow:
        x, y = cv2.split(self._search.calc(a, b, None))
        self._refinement.calcUV(a, b, x, y)
        return cv2.merge((x, y))


def _dense_search(stride: int, descents: int) -> cv2.DISOpticalFlow:
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    search.setFinestScale(0)
    search.setPatchStride(stride)
    search.setGradientDescentIterations(descents)
    return search


def fine_flow(a: Picture, b: Picture) -> Flow:
    """Where each pixel of `a` lies in `b`: dense inverse search on every pixel.

    Meant for measuring: some 20 times the work of blending's flow, with nothing that it adds.
    Takes two (H, W, 3) uint8 RGB frames, H and W from 12 on; returns (H, W, 2) float32 x and y
    offsets in pixels, so that a(p) is about b(p + flow(p)).
    """
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    return search.calc(_grey(a), _grey(b), None)


def _grey(image: Picture) -> Grey:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def motion_boundary(flow: Flow) -> Mask:
    """Pixels beside a jump of the flow: |∇u|² + |∇v|² > 0.01 |w|² + 0.002 (Sundaram et al., 2010).

    Takes (H, W, 2) float32 pixels; returns (H, W) bool.
    """
    steepness = np.zeros(flow.shape[:2], np.float32)
    steepness[:, :-1] += _square(np.diff(flow, axis=1))
    steepness[:-1] += _square(np.diff(flow, axis=0))
    return steepness > 0.01 * _square(flow) + 0.002


def outside(flow: Flow) -> Mask:
    """Pixels whose motion leads out of the picture; (H, W, 2) pixels to (H, W) bool."""
    height, width = flow.shape[:2]
    x, y = np.moveaxis(grid(height, width) + flow, -1, 0)
    return (x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)


def _square(flow: Flow) -> NDArray[np.float32]:
    """Squared length of each vector."""
    x, y = cv2.split(flow)
    return x * x + y * y

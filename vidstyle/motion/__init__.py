"""Motion between frames: optical flow, warping, occlusion and cuts. The only place with OpenCV.

The modules are imported by name (`vidstyle.motion.flow`, `.warp`, `.cuts`), so that importing this
package loads nothing.
"""

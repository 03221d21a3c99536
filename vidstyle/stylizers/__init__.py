"""The painters: networks, the files that hold them, and the engines that run them."""

import sys

# Where OpenVINO finds this module, it tells its makers of every graph that it converts, unasked.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

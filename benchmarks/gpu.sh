#!/usr/bin/env bash
# Every GPU figure in about ten minutes, unattended: benchmarks/gpu.sh [FOLDER-FOR-RESULTS]
#
# For a machine without internet, on its own Python (PYTHON=python3), which must have torch,
# torchvision, opencv, numpy, pillow, safetensors, click and rich; nothing of vidstyle has to be
# installed. Wheels of what it lacks, PyAV's above all, are taken from the folder WHEELS, if that is
# set. With pytest, pytest-timeout and hypothesis the tests that need a GPU are run first. Without
# PyAV no clip can be painted from file to file: then only painters, flow and blend are measured.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

results=${1:-benchmarks/results}
python=${PYTHON:-python3}
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
export PYTHONPATH="$PWD:$site${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1

if [[ -n ${WHEELS:-} ]]; then
  "$python" -m pip install --quiet --no-index --no-deps --no-compile --target "$site" "$WHEELS"/*.whl
fi
# The package reads its own version, which an installation would tell.
"$python" - "$site" << 'PYTHON'
import sys, tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

try:
    version("vidstyle")
except PackageNotFoundError:
    number = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    folder = Path(sys.argv[1], f"vidstyle-{number}.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vidstyle\nVersion: {number}\n")
PYTHON

if ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  echo "gpu.sh: torch finds no GPU here" >&2
  exit 5
fi
# Tests that only a GPU can run say whether the figures below are of the right pictures.
if "$python" -c 'import av, hypothesis, pytest, pytest_timeout' 2> /dev/null; then
  # Where OpenVINO is not, one file cannot be read; the others can.
  VIDSTYLE_REQUIRE_CUDA=1 timeout 300 "$python" -m pytest -q --continue-on-collection-errors \
    -k cuda tests/test_cuda.py tests/motion tests/coherence tests/stylizers/test_engine.py ||
    echo "gpu.sh: tests fail on this GPU" >&2
fi
"$python" benchmarks/network.py --device cuda -o "$results/gpu-network.md"
if "$python" -c 'import av' 2> /dev/null; then
  "$python" benchmarks/speed.py --device cuda --long 3000 -o "$results/gpu-speed.md"
else
  echo "gpu.sh: no PyAV here: nothing was painted from file to file; set WHEELS" >&2
fi

#!/usr/bin/env bash
# imgsim beside PyTorch and FAISS on this machine: one table of ratios, and compare.json in the build folder.
# usage: bench/compare.sh [--build DIR] [options of compare.py: --threads 2 --rounds 7 --only encode --rows FILE.npy]
#
# The peers come from PyPI into DIR/peers; PEERS_PYTHON names a Python that has them already (Debian's, with
# python3-torch and python3-faiss). Photos are milliseconds each. Run it on an idle machine.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

build=build-bench
if [ "${1:-}" = --build ]; then
  build=$2
  shift 2
fi
[ -f "$build/build.ninja" ] || cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DIMGSIM_BUILD_BENCH=ON \
  -DIMGSIM_BUILD_TESTS=OFF >&2
cmake --build "$build" --target compare_peers >&2

python=${PEERS_PYTHON:-$build/peers/bin/python}
if [ -z "${PEERS_PYTHON:-}" ] && ! "$python" -c 'import faiss, torch' 2>/dev/null; then
  python3 -m venv "$build/peers"
  # The index of CPU builds is smaller; PyPI's own build runs on a CPU, too.
  "$build/peers/bin/pip" install --quiet numpy faiss-cpu
  "$build/peers/bin/pip" install --quiet torch --index-url https://download.pytorch.org/whl/cpu ||
    "$build/peers/bin/pip" install --quiet torch
fi
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
exec "$python" bench/compare.py "$build/bin/compare_peers" --commit "$commit" --json "$build/compare.json" "$@"

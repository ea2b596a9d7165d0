#!/usr/bin/env bash
# Installs what is missing, builds imgsim into build/, and runs every test. Exit code 0 only where all passed.
#
#   ./tests/run.sh              every test
#   ./tests/run.sh -L fast      what follows goes to ctest: only the fast ones here
#
# Environment: IMGSIM_BUILD (the build folder), IMGSIM_CMAKE_OPTIONS, IMGSIM_TARGETS.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=${IMGSIM_BUILD:-$root/build}
"$root/third_party/install.sh"

# A folder that is made here has the sources of each program compiled together: half of the time, and it is built from nothing.
[ -f "$build/CMakeCache.txt" ] || IMGSIM_CMAKE_OPTIONS="-DIMGSIM_UNITY=ON ${IMGSIM_CMAKE_OPTIONS:-}"
cmake -S "$root" -B "$build" -G Ninja ${IMGSIM_CMAKE_OPTIONS:-} >/dev/null
# shellcheck disable=SC2086  # a list of targets
cmake --build "$build" --target ${IMGSIM_TARGETS:-all}

status=0
ctest --test-dir "$build" --output-on-failure --no-tests=error -j "$(nproc)" "$@" || status=$?

# ctest counts programs; a case within one that had to be skipped says so in its output.
if skipped=$(grep -h '^SKIPPED ' "$build/Testing/Temporary/LastTest.log"); then
  printf '\n%d test cases skipped:\n%s\n' "$(wc -l <<<"$skipped")" "$(sort <<<"$skipped")"
fi
exit $status

#!/usr/bin/env bash
# clang-tidy, Debian's, over every header of the library and its CPU backend in one source, and over a few sources that
# instantiate them.
# usage: tests/tidy.sh [source...]
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

third_party/install.sh clang-tidy
mkdir -p build/tidy
git ls-files 'include/imgsim/*.hpp' 'kernels/imgsim/cpu.hpp' 'kernels/imgsim/cpu/*.hpp' |
  sed -E 's|^(include\|kernels)/(.*)$|#include <\2>|' >build/tidy/headers.cpp

sources=("$@")
[ ${#sources[@]} -gt 0 ] || sources=(build/tidy/headers.cpp apps/imgsim/device/cpu_search.cpp
  apps/imgsim/device/cpu_cluster.cpp apps/imgsim/pipeline/open_model.cpp apps/imgsim/commands/query.cpp)

# shellcheck disable=SC2046  # a list of flags
printf '%s\0' "${sources[@]}" | xargs -0 -P "$(nproc)" -I '{}' \
  clang-tidy --quiet --config-file=.clang-tidy '{}' -- \
  -std=c++20 -fopenmp -Iinclude -Ikernels -Iapps/imgsim $(pkg-config --cflags eigen3 hdf5 | sed 's/-I/-isystem /g')
echo "tidy: ${#sources[@]} sources, clean"

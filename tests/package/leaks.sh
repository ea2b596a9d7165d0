#!/usr/bin/env bash
# What including imgsim does to its user, beside what it declares: every macro that its headers leave behind is called
# IMGSIM_..., no namespace is opened to the user's, no diagnostic stays switched off, nothing of <iostream> is run, and
# no thread is started by code that other libraries would take for theirs.
# usage: tests/package/leaks.sh COMPILER SOURCE_FOLDER
set -euo pipefail
compiler=$1 source=$2
failed=0
complain() { printf '%s\n' "$*" >&2; failed=1; }

# As the compiler sees them: -dD keeps the macros, and says of each line which file it is from.
unit=$(mktemp --suffix=.cpp)
trap 'rm -f "$unit"' EXIT
printf '#include <imgsim/cpu.hpp>\n#include <imgsim/imgsim.hpp>\n' >"$unit"
mapfile -t seen < <("$compiler" -std=c++20 -E -dD -I"$source/include" -I"$source/kernels" "$unit" | awk '
  $1 == "#" && $2 ~ /^[0-9]+$/ { file = $0; next }
  $1 == "#define" && file ~ /(include|kernels)\/imgsim\// { sub(/\(.*/, "", $2); print $2 }
  $1 == "#undef" && file ~ /(include|kernels)\/imgsim\// { print "undefines:" $2 }')
[ ${#seen[@]} -ge 5 ] || complain "the macros of macros.hpp were not seen"
for macro in "${seen[@]}"; do
  [[ $macro == IMGSIM_* ]] || complain "including <imgsim/imgsim.hpp> defines $macro"
done

# As written, those of every backend included, that another compiler or another branch of #if would see.
while IFS= read -r hit; do complain "$hit: a macro of a header is called IMGSIM_..."; done \
  < <(grep -rnE '^[[:space:]]*#[[:space:]]*(define|undef)[[:space:]]' "$source/include" "$source/kernels" --include='*.hpp' \
      --include='*.cuh' | grep -vE '#[[:space:]]*define[[:space:]]+IMGSIM_' |
      grep -vE 'cpu/hnsw\.hpp:.*NO_MANUAL_VECTORIZATION$' || true)  # hnswlib's, set around its header and taken back
while IFS= read -r hit; do complain "$hit: leaks into its user"; done \
  < <(grep -rnE '^using namespace|^[^/]*#[[:space:]]*pragma[[:space:]]+(GCC|clang)[[:space:]]+(diagnostic|optimize|target|options)|#include <iostream>' \
      "$source/include" "$source/kernels" || true)
# What the standard library's thread has of a lambda or a type of imgsim's is visible in every shared library, and the
# loader takes that of one for another's: threads are given addresses (core/thread_pool.hpp).
while IFS= read -r hit; do complain "$hit: give the thread a function's address"; done \
  < <(grep -rnE 'std::(async|j?thread)[^;]*\[|workers_\.emplace_back\(\[' "$source/include" "$source/kernels" || true)
[ $failed -eq 0 ] && echo "leaks: ${#seen[@]} macros, all of them IMGSIM_"
exit $failed

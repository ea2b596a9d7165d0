#!/usr/bin/env bash
# What including imgsim does to its user, beside what it declares: every macro that its headers leave behind is called
# IMGSIM_..., no namespace is opened to the user's, no diagnostic stays switched off, and nothing of <iostream> is run.
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
  $1 == "#" && $2 ~ /^[0-9]+$/ { file = $3; next }
  $1 == "#define" && file ~ /\/imgsim\// { sub(/\(.*/, "", $2); print $2 }
  $1 == "#undef" && file ~ /\/imgsim\// { print "undefines:" $2 }')
[ ${#seen[@]} -ge 5 ] || complain "the macros of macros.hpp were not seen"
for macro in "${seen[@]}"; do
  [[ $macro == IMGSIM_* ]] || complain "including <imgsim/imgsim.hpp> defines $macro"
done

# As written, those of every backend included, that another compiler or another branch of #if would see.
while IFS= read -r hit; do complain "$hit: a macro of a header is called IMGSIM_..."; done \
  < <(grep -rnE '^[[:space:]]*#[[:space:]]*(define|undef)[[:space:]]' "$source/include" "$source/kernels" --include='*.hpp' \
      --include='*.cuh' | grep -vE '#[[:space:]]*define[[:space:]]+IMGSIM_' || true)
while IFS= read -r hit; do complain "$hit: leaks into its user"; done \
  < <(grep -rnE '^using namespace|^[^/]*#[[:space:]]*pragma[[:space:]]+(GCC|clang)[[:space:]]+(diagnostic|optimize|target|options)|#include <iostream>' \
      "$source/include" "$source/kernels" || true)
[ $failed -eq 0 ] && echo "leaks: ${#seen[@]} macros, all of them IMGSIM_"
exit $failed

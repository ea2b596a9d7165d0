#!/usr/bin/env bash
# What each kernel of the CUDA module takes of an SM, by ptxas: registers for each architecture, static shared memory,
# stack and spills. Compares it with the table that is kept in resources.tsv; fails where a kernel spills.
# usage: resources.sh NVCC TABLE [--update] REPORT.ptxas...      --update writes the table
set -euo pipefail
nvcc=$1 table=$2
shift 2
update=""
[ "$1" = --update ] && { update=yes; shift; }
version=$("$nvcc" --version | sed -n 's/.*, V\([0-9.]*\)$/\1/p')

found=$(mktemp)
trap 'rm -f "$found"' EXIT
{
  echo "# registers of each kernel, nvcc $version; written by tests/cuda_device/resources.sh --update"
  # One line for each kernel and architecture, then one for each kernel.
  cat "$@" | awk '
    /Compiling entry function/ { split($0, q, "\047"); name = q[2]; arch = q[4]; next }
    /bytes stack frame/ && name { stack = $1; spill = $5 + $9; next }
    /Used [0-9]+ registers/ && name {
      match($0, /Used [0-9]+/); registers = substr($0, RSTART + 5, RLENGTH - 5)
      shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) : 0
      print name "\t" arch "\t" registers "\t" shared "\t" stack "\t" spill
      name = ""
    }' | c++filt | sed -E 's/imgsim::cuda:://g; s/imgsim:://g; s/^void //' | awk -F '\t' '
    function without_arguments(name,   i, depth) {
      for (i = length(name); i > 0; --i) {
        if (substr(name, i, 1) == ")") ++depth
        if (substr(name, i, 1) == "(" && --depth == 0) return substr(name, 1, i - 1)
      }
      return name
    }
    { id = $1; if (!(id in seen)) { seen[id] = without_arguments(id); order[++n] = id }
      archs[$2] = 1; registers[id, $2] = $3
      if ($4 > shared[id]) shared[id] = $4
      if ($5 > stack[id]) stack[id] = $5
      if ($6 > spill[id]) spill[id] = $6 }
    END {
      count = split("sm_75 sm_80 sm_86 sm_89 sm_90 sm_100 sm_120", list, " ")
      printf "kernel"; for (i = 1; i <= count; ++i) if (list[i] in archs) printf "\t%s", list[i]
      print "\tshared\tstack\tspills"
      for (k = 1; k <= n; ++k) {
        id = order[k]; printf "%s", seen[id]
        for (i = 1; i <= count; ++i) if (list[i] in archs) printf "\t%s", registers[id, list[i]]
        printf "\t%d\t%d\t%d\n", shared[id], stack[id], spill[id]
      }
    }' | { IFS= read -r head; echo "$head"; LC_ALL=C sort -u; }
} >"$found"

kernels=$(tail -n +3 "$found" | wc -l)
[ "$kernels" -gt 0 ] || { echo "resources: ptxas reported no kernel" >&2; exit 1; }
if spilling=$(tail -n +3 "$found" | awk -F '\t' '$NF > 0' | grep .); then
  printf 'resources: these kernels spill:\n%s\n' "$spilling" >&2
  exit 1
fi
if [ -n "$update" ]; then
  cp "$found" "$table"
  echo "resources: wrote $kernels kernels to $table"
elif [ "$(head -2 "$table")" != "$(head -2 "$found")" ]; then
  echo "SKIPPED resources: the table is of another nvcc or of other architectures; no kernel of $kernels spills"
elif ! diff -u "$table" "$found"; then
  echo "resources: the table is out of date: run ninja resources_update, and look at what changed" >&2
  exit 1
else
  echo "resources: $kernels kernels as in the table, none spills"
fi

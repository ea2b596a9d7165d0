#!/usr/bin/env bash
# Strong and weak scaling of the MPI backend on 1, 2 and 4 ranks, as tables in Markdown.
#
#   bench/mpi_scaling.sh PROGRAM [ROWS [PHOTOS]]     PROGRAM: build-bench/bin/mpi_scaling
#
# Strong: the same rows and photos for any number of ranks. Weak: rows times the root of the ranks, as work goes with
# their square, and photos times the ranks, so that each rank has the same to do. Times mean something with a core a
# rank, on an idle machine; messages and memory on any.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '4p' "${BASH_SOURCE[0]}" | sed 's/^# *//' >&2; exit 2; }
program=$1 rows=${2:-8000} photos=${3:-32}

run() { # title, rows of a number of ranks, photos of it
  printf '\n%s\n\n' "$1"
  echo '| work | ranks | rows | s | MiB sent by a rank | model | MiB taken by a rank | model |'
  echo '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |'
  for ranks in 1 2 4; do
    mpirun --oversubscribe --bind-to none --allow-run-as-root -n "$ranks" "$program" --rows "$($2 "$ranks")" \
      --photos "$($3 "$ranks")"
  done | LC_ALL=C sort -s -t $'\t' -k1,1 | awk -F '\t' '{ printf "| %s | %s | %s | %.2f | %.2f | %.2f | %.1f | %s |\n", $1, $2, $3, $4, $5,
    $6, $7, $8 == "" ? "" : sprintf("%.1f", $8) }'
}
same_rows() { echo "$rows"; }
same_photos() { echo "$photos"; }
more_rows() { awk -v rows="$rows" -v ranks="$1" 'BEGIN { printf "%d", rows * sqrt(ranks) }'; }
more_photos() { echo $((photos * $1)); }

run 'Strong scaling' same_rows same_photos
run 'Weak scaling' more_rows more_photos

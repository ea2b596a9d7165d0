#!/usr/bin/env bash
# Fuzzes every target in turn, quietly (nice 19, one process), and keeps the corpora and what came of it.
#
#   tests/fuzz/run_for_hours.sh KEEP SECONDS [TARGET...]
#
# KEEP is a folder outside the repository: KEEP/corpus/TARGET grows from run to run, KEEP/found/TARGET-* holds what a
# target was found guilty of, KEEP/runs.tsv one line a turn, KEEP/table.md all turns so far, summed. Each target (all of
# them where none is named) runs until it has had SECONDS of CPU, in turns of two minutes by the clock, so that an early
# end leaves none out.
# IMGSIM_FUZZ_BUILD names the build folder (build-fuzz) in which fuzz_all was built as tests/fuzz/README.md says;
# IMGSIM_FUZZ_TURN the seconds of a turn. Exit code 1 where something was found.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
programs=${IMGSIM_FUZZ_BUILD:-$root/build-fuzz}/tests/fuzz
turn=${IMGSIM_FUZZ_TURN:-120}
if [ $# -lt 2 ] || ! [[ $2 =~ ^[1-9][0-9]*$ ]] || [ ! -x "$programs/fuzz_seeds" ]; then
  sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
mkdir -p -- "$1/corpus" "$1/found"
keep=$(cd -- "$1" && pwd) seconds=$2
shift 2
"$programs/fuzz_seeds" "$keep/corpus"
targets=("$@")
[ $# -gt 0 ] || for corpus in "$keep"/corpus/*/; do targets+=("$(basename -- "$corpus")"); done

# target, executions, CPU seconds, edges reached, inputs found guilty
write_table() {
  {
    echo '| target | executions | CPU seconds | edges | found |'
    echo '| --- | ---: | ---: | ---: | ---: |'
    LC_ALL=C sort -t $'\t' -k1,1 -s "$keep/runs.tsv" | awk -F '\t' '
      { runs[$1] += $2; cpu[$1] += $3; if ($4 > edges[$1]) edges[$1] = $4; found[$1] += $5
        if (!($1 in seen)) { seen[$1] = 1; order[++n] = $1 } all_runs += $2; all_cpu += $3; all_found += $5 }
      END { for (i = 1; i <= n; ++i) { t = order[i]
              printf "| `%s` | %d | %.0f | %d | %d |\n", t, runs[t], cpu[t], edges[t], found[t] }
            printf "| all | %d | %.0f | | %d |\n", all_runs, all_cpu, all_found }'
  } >"$keep/table.md"
}

guilty=0
log=$(mktemp)
trap 'rm -f -- "$log"' EXIT
declare -A spent # CPU seconds of this run
while [ ${#targets[@]} -gt 0 ]; do
  for target in "${targets[@]}"; do
    left=$((seconds - ${spent[$target]:-0}))
    [ "$left" -lt "$turn" ] || left=$turn
    before=$(find "$keep/found" -name "$target-*" | wc -l)
    # Twice the memory of .ci/run: corpora grow. The time of child processes counts: HDF5 is read in one.
    cpu=$({
      TIMEFORMAT='%U %S'
      time nice -n 19 "$programs/fuzz_$target" -max_total_time="$left" -rss_limit_mb=4096 -timeout=20 -reload=0 \
        -print_final_stats=1 -artifact_prefix="$keep/found/$target-" "$keep/corpus/$target" >"$log" 2>&1 || true
    } 2>&1 | awk '{ print $1 + $2 }')
    spent[$target]=$(awk -v before="${spent[$target]:-0}" -v now="$cpu" 'BEGIN { spent = before + now
      # One that ends at once does not run for ever.
      printf "%d", (spent > before + 1 ? spent + 0.5 : before + 1) }')
    found=$(($(find "$keep/found" -name "$target-*" | wc -l) - before))
    guilty=$((guilty + found))
    # A process that it forked may tell its own.
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
    # Where it ended early there are no statistics: the last line of progress tells.
    [ -n "$runs" ] || runs=$(sed -nE 's/^#([0-9]+)\s.*/\1/p' "$log" | tail -n 1)
    if [ -z "$runs" ]; then
      cat -- "$log" >&2
      printf 'fuzz_%s did not run: is there such a target, and is the build up to date?\n' "$target" >&2
      exit 2
    fi
    edges=$(sed -nE 's/^#[0-9]+.* cov: ([0-9]+) .*/\1/p' "$log" | tail -n 1)
    printf '%s\t%s\t%s\t%s\t%s\n' "$target" "$runs" "$cpu" "${edges:-0}" "$found" >>"$keep/runs.tsv"
    if [ "$found" -gt 0 ]; then
      cp -- "$log" "$keep/found/$target.log"
      printf '%s: found something, see %s\n' "$target" "$keep/found" >&2
    fi
    write_table
  done
  unfinished=()
  for target in "${targets[@]}"; do
    [ "${spent[$target]}" -ge "$seconds" ] || unfinished+=("$target")
  done
  targets=("${unfinished[@]}")
done
cat "$keep/table.md"
[ "$guilty" -eq 0 ]

#!/usr/bin/env python3
"""Counts the instructions of the hot loops (valgrind, callgrind) and holds them against counts.tsv.

    instructions.py HOT_LOOPS [--update]

A loop fails where it takes 5 % more instructions than recorded, and where it takes 5 % fewer: then the record is out of
date (--update writes it anew). Counts do not depend on how busy the machine is. valgrind offers no AVX-512, so it is the
AVX2 paths that are counted; the record belongs to one compiler. Exit code 77, with the reason, where either is another.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from held_counts import HeldCounts  # noqa: E402


def skip(reason):
    print("SKIPPED instructions:", reason)
    sys.exit(77)


def count(program, name):
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=measured",
                          program, name], stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    found = re.search(r"Collected *: *(\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"{name}: {run.stderr}")
    return int(found[1])


def main():
    program, update = sys.argv[1], "--update" in sys.argv
    if shutil.which("valgrind") is None:
        skip("there is no valgrind")
    if " avx2 " not in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace"):
        skip("this machine has no AVX2")
    compiler = subprocess.run([program, "--compiler"], capture_output=True, text=True, check=True).stdout.strip()
    held = HeldCounts(pathlib.Path(__file__).with_name("counts.tsv"), tolerance=0.05)
    if held.compiler != compiler and not update:
        skip(f"the record is of {held.compiler}, this is {compiler}")
    names = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    counts = {name: count(program, name) for name in names}
    for name, now in counts.items():
        print(f"{name:16} {now:12,d}  {held.change(name, now):+.2%}")
    if update:
        held.write(compiler, counts)
    elif faults := held.faults(counts, "instructions"):
        sys.exit("\n".join(faults) + f"\nWhere that is meant: {sys.argv[0]} {program} --update")


if __name__ == "__main__":
    main()

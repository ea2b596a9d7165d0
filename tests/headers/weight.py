#!/usr/bin/env python3
"""What a program takes on with an include: the lines behind the preprocessor, held against weight.tsv.

    weight.py COMPILER SOURCE_DIR [--update]

A header fails where it has 10 % more lines than recorded, or 10 % fewer: then the record is out of date. Lines are what
can be held; the time that a compiler takes for them goes with them and is printed. Exit code 77, with the reason, where
the compiler is another than the record's.
"""
import pathlib
import resource
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from held_counts import HeldCounts  # noqa: E402

HEADERS = ["imgsim/imgsim.hpp", "imgsim/cpu.hpp", "imgsim/search/top_n.hpp", "imgsim/cluster/k_medoids.hpp",
           "imgsim/embedding/photo_index.hpp"]


def compile_include(compiler, source, header, *more):
    """(what the compiler prints, its processor seconds)"""
    begin = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    text = subprocess.run([compiler, "-std=c++20", f"-I{source}/include", f"-I{source}/kernels", "-x", "c++", "-", *more],
                          input=f"#include <{header}>\n", capture_output=True, text=True, check=True).stdout
    return text, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begin


def main():
    compiler, source = sys.argv[1:3]
    update = "--update" in sys.argv
    name = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    held = HeldCounts(pathlib.Path(__file__).with_name("weight.tsv"), tolerance=0.1)
    if held.compiler != name and not update:
        print(f"SKIPPED headers_weight: the record is of {held.compiler}, this is {name}")
        sys.exit(77)
    counts = {}
    for header in HEADERS:
        counts[header] = now = compile_include(compiler, source, header, "-E", "-P")[0].count("\n")
        seconds = compile_include(compiler, source, header, "-fsyntax-only")[1]
        print(f"{header:34} {now:8,d} lines {held.change(header, now):+7.1%} {seconds:6.2f} s")
    if update:
        held.write(name, counts)
    elif faults := held.faults(counts, "lines"):
        sys.exit("\n".join(faults) + f"\nWhere that is meant: {sys.argv[0]} {compiler} {source} --update")


if __name__ == "__main__":
    main()

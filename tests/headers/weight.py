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

RECORD = pathlib.Path(__file__).with_name("weight.tsv")
HEADERS = ["imgsim/imgsim.hpp", "imgsim/cpu.hpp", "imgsim/search/top_n.hpp", "imgsim/cluster/k_medoids.hpp",
           "imgsim/embedding/photo_index.hpp"]
TOLERANCE = 0.1


def compile_include(compiler, source, header, *more):
    """(what the compiler prints, its processor seconds)"""
    begin = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    text = subprocess.run([compiler, "-std=c++20", f"-I{source}/include", f"-I{source}/kernels", "-x", "c++", "-", *more],
                          input=f"#include <{header}>\n", capture_output=True, text=True, check=True).stdout
    return text, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begin


def main():
    compiler, source = sys.argv[1:3]
    name = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    lines = RECORD.read_text(encoding="ascii").splitlines() if RECORD.exists() else [""]
    if lines[0] != f"# {name}" and "--update" not in sys.argv:
        print(f"SKIPPED headers_weight: the record is of {lines[0][2:]}, this is {name}")
        return 77
    recorded = dict(line.split("\t") for line in lines[1:])
    counts, faults = {}, []
    for header in HEADERS:
        counts[header] = now = compile_include(compiler, source, header, "-E", "-P")[0].count("\n")
        seconds = compile_include(compiler, source, header, "-fsyntax-only")[1]
        before = int(recorded.get(header, 0))
        print(f"{header:34} {now:8,d} lines {now / before - 1 if before else 0:+7.1%} {seconds:6.2f} s")
        if abs(now - before) > TOLERANCE * before:
            faults.append(f"{header}: {now:,d} lines, {before:,d} recorded")
    if "--update" in sys.argv:
        RECORD.write_text(f"# {name}\n" + "".join(f"{header}\t{now}\n" for header, now in counts.items()), "ascii")
        return 0
    if faults:
        print("\n".join(faults) + f"\nWhere that is meant: {sys.argv[0]} {compiler} {source} --update")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What each part of the default embedding and of its training gains: labelled folders, several seeds, mean and deviation.

    bench/quality/ablation.py --imgsim build/bin/imgsim --program build-bench/bin/quality_ablation --keep DIR \\
        clothing10=FOLDER mini53=FOLDER rendered=

Each set is NAME=FOLDER, whose subfolders are labels; NAME= alone is the sample set that imgsim renders. For every set
and seed it trains without the labels, indexes, and evaluates with them: precision@10 and mAP, each photo left out of its
own answer. Training and embedding are told apart: TRAININGS varies the one, quality_ablation the other, over the
features of one model. "half" is every second photo (of a permutation by the seed) with a model trained on that half, and
with one trained on the rest.

KEEP/runs.jsonl holds one line a run, and what stands there is not run again: it may be stopped and continued, with other
seeds or sets. Prints tables in Markdown: the mean over the seeds and, from two on, the standard deviation behind +-.
Seconds are processor time of `train`. Nothing but Python's own library is needed.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys

SMALL = ["--size", "96", "--epochs", "8"]
VIEWS = "crop=0.8,flip=0.5,rotation=5,colour=0.5,blur=0.3"


def invariance(weight):
    return ["--invariance", str(weight), "--augment", VIEWS]


TRAININGS = {
    "128 pixels, 20 epochs: **the default**": [],
    "128 pixels, 8 epochs": ["--epochs", "8"],
    "128 pixels, 8 epochs, `--invariance 0.1`": ["--epochs", "8", *invariance(0.1)],
    "96 pixels, 8 epochs": SMALL,
    "96 pixels, 8 epochs, `--invariance 0.1`": [*SMALL, *invariance(0.1)],
    "96 pixels, 8 epochs, `--invariance 1`": [*SMALL, *invariance(1)],
    "96 pixels, 8 epochs, `--ema 0.99`": [*SMALL, "--ema", "0.99"],
    "96 pixels, 8 epochs, `--mask 0.4`": [*SMALL, "--mask", "0.4"],
    "96 pixels, 20 epochs": ["--size", "96", "--epochs", "20"],
}
DEFAULT = next(iter(TRAININGS))
OWN_HALF, OTHER_HALF = "half of the photos, trained on them", "the same half, trained on the other"


class Bench:
    def __init__(self, arguments):
        self.arguments, self.keep = arguments, arguments.keep
        self.keep.mkdir(parents=True, exist_ok=True)
        self.file = self.keep / "runs.jsonl"
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        self.runs = {(r["set"], r["seed"], r["name"]): r for r in map(json.loads, lines)}

    def imgsim(self, *words):
        """(what it prints, processor seconds)."""
        line = [self.arguments.imgsim, *map(str, words), "--threads", str(self.arguments.threads), "--device", "cpu"]
        begun = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        out = begun.stdout.read()
        _, status, usage = os.wait4(begun.pid, 0)
        begun.returncode = os.waitstatus_to_exitcode(status)
        if begun.returncode not in (0, 3):
            sys.exit(f"exit code {begun.returncode}: {' '.join(line)}")
        return out, usage.ru_utime + usage.ru_stime

    def folder_of(self, name, folder):
        if folder:
            return pathlib.Path(folder)
        made = self.keep / name
        if not (made / "index.html").exists():
            self.imgsim("demo", "--out", made, "--epochs", "1", "--quiet")
        return made / "photos"

    def evaluated(self, index, *more):
        return json.loads(self.imgsim("evaluate", "--index", index, "--json", "--quiet", *more)[0])

    def record(self, set_, seed, name, work):
        if (set_, seed, name) in self.runs:
            return
        print(f"{set_}, seed {seed}: {name}", file=sys.stderr, flush=True)
        run = {"set": set_, "seed": seed, "name": name, **work()}
        self.runs[set_, seed, name] = run
        with open(self.file, "a", encoding="utf-8") as out:
            out.write(json.dumps(run) + "\n")

    def trained(self, photos, seed, options, indexed=None, lines=False, baselines=False):
        """Figures of one model; where `indexed` is given, on those photos."""
        work = self.keep / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        model = work / "m.safetensors"
        seconds = self.imgsim("train", "--images", photos, "--model", model, "--seed", seed, "--quiet", *options)[1]
        self.imgsim("index", "--images", indexed or photos, "--model", model, "--index", work / "idx", "--quiet")
        found = self.evaluated(work / "idx", *([] if baselines else ["--no-baselines"]))
        run = {"seconds": seconds, "figures": [found["precision_at_n"], found["map"]]}
        if baselines:
            run["baselines"] = {name: [b["precision_at_n"], b["map"]] for name, b in found["baselines"].items()}
        if lines:
            text = subprocess.run([self.arguments.program, photos, model, str(self.arguments.threads)], check=True,
                                  capture_output=True, text=True).stdout
            run["lines"] = {name: [float(precision), float(average)] for name, precision, average in
                            re.findall(r"^(\S.*?)\s+\d+\s+(\d\.\d+)\s+(\d\.\d+)$", text, re.M)}
        return run

    def halves(self, set_, photos, seed):
        """Two folders of links."""
        names = sorted(p.relative_to(photos) for p in photos.rglob("*") if p.is_file())
        random.Random(seed).shuffle(names)
        folders = [self.keep / "halves" / f"{set_}-{seed}-{half}" for half in "ab"]
        for half, folder in enumerate(folders):
            shutil.rmtree(folder, ignore_errors=True)
            for name in names[half::2]:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).symlink_to((photos / name).resolve())
        return folders

    def half(self, set_, photos, seed, learned_from):
        folders = self.halves(set_, photos, seed)
        return self.trained(folders[learned_from], seed, [], indexed=folders[1])

    def run_all(self, sets):
        # Seeds last: a table of one seed is there before the others begin.
        for seed in self.arguments.seeds:
            for set_, photos in sets.items():
                self.record(set_, seed, DEFAULT, lambda: self.trained(photos, seed, [], lines=True, baselines=True))
            for set_, photos in sets.items():
                for name, options in TRAININGS.items():
                    self.record(set_, seed, name, lambda: self.trained(photos, seed, options))
            for set_, photos in sets.items():
                for name, learned_from in ((OWN_HALF, 1), (OTHER_HALF, 0)):
                    self.record(set_, seed, name, lambda: self.half(set_, photos, seed, learned_from))

    # Tables.

    def over_seeds(self, set_, name, figures):
        """The mean and deviation of the figures of each run, as text: "" where there is none."""
        rows = [figures(self.runs[key]) for key in self.runs if key[0] == set_ and key[2] == name and key[1] in self.arguments.seeds]
        rows = [row for row in rows if row is not None]
        if not rows:
            return ""
        return " / ".join(mean_text(column) for column in zip(*rows))

    def table(self, title, sets, rows):
        """rows: (text, name of the run, figures of a run)."""
        print(f"| {title} | " + " | ".join(sets) + " |")
        print("| --- |" + " --- |" * len(sets))
        for text, name, figures in rows:
            print(f"| {text} | " + " | ".join(self.over_seeds(set_, name, figures) for set_ in sets) + " |")
        print()

    def print_tables(self, sets):
        default = [run for key, run in self.runs.items() if key[2] == DEFAULT]
        lines = list(dict.fromkeys(line for run in default for line in run["lines"]))
        others = list(dict.fromkeys(name for run in default for name in run["baselines"]))
        self.table("embedding, features of one model", sets,
                   [(line, DEFAULT, lambda run, line=line: run["lines"].get(line)) for line in lines] +
                   [("baseline: " + name, DEFAULT, lambda run, name=name: run["baselines"].get(name)) for name in others])
        self.table("training; processor seconds, then precision@10 / mAP", sets,
                   [(name, name, lambda run: [run["seconds"], *run["figures"]]) for name in [*TRAININGS, OWN_HALF, OTHER_HALF]])


def mean_text(values):
    digits = 0 if max(values) > 1 else 3
    text = f"{statistics.mean(values):.{digits}f}"
    return text + (f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--imgsim", required=True)
    parser.add_argument("--program", required=True, help="quality_ablation")
    parser.add_argument("--keep", required=True, type=pathlib.Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only-print", action="store_true", help="the tables of what was run so far")
    parser.add_argument("sets", nargs="+", metavar="NAME=FOLDER")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    sets = dict(one.split("=", 1) for one in arguments.sets)
    if not arguments.only_print:
        bench.run_all({name: bench.folder_of(name, folder) for name, folder in sets.items()})
    bench.print_tables(list(sets))


if __name__ == "__main__":
    main()

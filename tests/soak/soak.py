#!/usr/bin/env python3
"""Mixed commands in parallel on one index of many photos, for a given time, while the photos change.

    soak.py --imgsim build/bin/imgsim --render build/tests/soak/render_photos --photos 100000 --minutes 120

Renders the photos, trains a small network on some of them, indexes a tenth of them and then all, and lets these run
side by side: `imgsim serve`, asked without a pause for neighbours and with new photos; `imgsim watch`, which follows
the folder; one that changes the folder (adds, replaces, renames, removes); and --workers of query, info, verify,
neighbors, cluster and index. It then asks:

- did every command succeed, or say that another one was at work on the index;
- is the memory flat: of serve and watch, the most in the last third of the time against the middle third, and of
  indexing all photos against a tenth of them, give or take what the index itself holds;
- is the index sound, does it hold exactly the photos of the folder, and are its embeddings and its list, byte for byte,
  those of an index made afresh: no update was lost.

Prints one JSON document; exit code 1 where an answer is no. Nothing but Python's own library is needed.
"""
import argparse
import http.client
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

NETWORK = """{"name": "tiny", "input": [32, 32, 3],
 "encoder": [{"type": "convolution", "filters": 8, "kernel": [3, 3], "stride": [2, 2]}, {"type": "relu"},
             {"type": "convolution", "filters": 8, "kernel": [3, 3], "stride": [2, 2]}, {"type": "relu"}],
 "decoder": [{"type": "upsampling", "factor": 4, "interpolation": "nearest"},
             {"type": "convolution", "filters": 3, "kernel": [3, 3]}, {"type": "sigmoid"}],
 "loss": "mean_squared_error", "training": {"epochs": 2, "batch": 32, "learning_rate": 0.01},
 "embedding": {"taps": [{"layer": "code", "pool": "mean", "grid": 2}], "centre": true, "whiten": 24,
               "shrinkage": 0.1, "normalise": true}}"""
MIB = 1 << 20
SLACK = 24 * MIB  # what an allocator keeps, and a page cache that is mapped


def resident(pid):
    """Bytes in memory that belong to the process alone; 0 when it is gone. Mapped files are the system's."""
    try:
        fields = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status", encoding="ascii") if ":" in line)
        return int(fields["RssAnon"].split()[0]) * 1024
    except (OSError, KeyError):
        return 0


class Soak:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.photos, self.index, self.model = folder / "photos", folder / "idx", folder / "m.safetensors"
        self.faults, self.counts, self.samples = [], {}, {}
        self.lock, self.is_over = threading.Lock(), threading.Event()

    def note(self, fault):
        with self.lock:
            self.faults.append(fault)

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def run(self, *line, may_meet_another=False):
        """The finished command; what is no success is noted, unless it met another writer and may."""
        begun = subprocess.Popen([self.arguments.imgsim, *map(str, line)], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        peak = [0]

        def look():
            while begun.poll() is None:
                peak[0] = max(peak[0], resident(begun.pid))
                time.sleep(0.02)

        watcher = threading.Thread(target=look)
        watcher.start()
        out, err = begun.communicate()
        watcher.join()
        if begun.returncode not in (0, 3):
            if may_meet_another and begun.returncode == 1 and b"another imgsim" in err:
                self.count("met another")
            else:
                self.note(f"{' '.join(map(str, line))}: exit code {begun.returncode}: {err.decode(errors='replace')}")
        self.count(line[0])
        return out, peak[0], begun.returncode

    def files(self):
        return sorted(str(p.relative_to(self.photos)) for p in self.photos.rglob("*.jpg"))

    # What runs side by side.

    def change_photos(self):
        chance, number, known = random.Random(1), 0, self.files()
        spare = [str(p) for p in sorted((self.folder / "spare").rglob("*.jpg"))]
        while not self.is_over.wait(chance.uniform(0.2, 1.5)):
            kind = chance.choice(("add", "replace", "rename", "remove"))
            place = self.photos / known[chance.randrange(len(known))]
            # Whole at once, as a careful program writes.
            if kind in ("add", "replace"):
                number += 1
                target = place if kind == "replace" else place.with_name(f"new-{number}.jpg")
                part = self.folder / "part"
                shutil.copyfile(chance.choice(spare), part)
                os.replace(part, target)
                if kind == "add":
                    known.append(str(target.relative_to(self.photos)))
            elif kind == "rename":
                number += 1
                os.replace(place, place.with_name(f"moved-{number}.jpg"))
                known.remove(str(place.relative_to(self.photos)))
                known.append(str(place.with_name(f"moved-{number}.jpg").relative_to(self.photos)))
            else:
                place.unlink()
                known.remove(str(place.relative_to(self.photos)))
            self.count(f"photos: {kind}")

    def run_commands(self, seed):
        chance = random.Random(seed)
        spare = sorted((self.folder / "spare").rglob("*.jpg"))
        index = ("--index", self.index)
        while not self.is_over.is_set():
            choice = chance.random()
            if choice < 0.5:
                self.run("query", *index, chance.choice(spare), "-n", 10, "--json")
            elif choice < 0.65:
                self.run("info", self.index, "--json")
            elif choice < 0.75:
                self.run("verify", self.index, "--json")
            elif choice < 0.85:
                self.run("index", *index, "--json", may_meet_another=True)
            elif choice < 0.93:
                self.run("neighbors", *index, "-n", 5, "--quiet", may_meet_another=True)
            else:
                self.run("cluster", *index, "-k", 12, "--method", "k-means", "--quiet", may_meet_another=True)

    def ask_server(self, port, seed):
        chance = random.Random(seed)
        spare = sorted((self.folder / "spare").rglob("*.jpg"))
        host = f"127.0.0.1:{port}"
        while not self.is_over.is_set():
            connection = http.client.HTTPConnection(host, timeout=120)
            try:
                if chance.random() < 0.5:
                    connection.request("GET", f"/api/neighbours?row={chance.randrange(50)}&n=20")
                else:
                    connection.request("POST", "/api/search?n=20", chance.choice(spare).read_bytes(),
                                       {"Origin": f"http://{host}"})
                answer = connection.getresponse()
                answer.read()
                if answer.status not in (200, 503):
                    self.note(f"serve answered {answer.status}")
                self.count("serve: requests")
            except OSError as failure:
                self.note(f"serve: {failure}")
            finally:
                connection.close()

    def sample_memory(self, processes):
        begin = time.monotonic()
        while not self.is_over.wait(1):
            for name, process in list(processes.items()):
                if process.poll() is not None:
                    self.note(f"{name} ended after {time.monotonic() - begin:.0f} s with exit code {process.returncode}")
                    del processes[name]
                    continue
                self.samples.setdefault(name, []).append((time.monotonic() - begin, resident(process.pid)))

    # The steps.

    def prepare(self):
        rendered = self.arguments.rendered or self.photos
        if len(list(rendered.rglob("*.jpg"))) != self.arguments.photos:
            subprocess.run([self.arguments.render, rendered, str(self.arguments.photos)], check=True)
        if rendered != self.photos:
            # Links: what is done to the photos leaves these as they are.
            shutil.copytree(rendered, self.photos, copy_function=os.link)
        subprocess.run([self.arguments.render, self.folder / "spare", "240"], check=True)
        (self.folder / "tiny.json").write_text(NETWORK, encoding="ascii")
        self.run("train", "--images", self.folder / "spare", "--model", self.model, "--preset",
                 self.folder / "tiny.json", "--quiet")
        # The same bytes as any of the photos would be the same photo under two names, which is allowed.
        tenth = self.folder / "tenth"
        for number, name in enumerate(self.files()):
            if number % 10 == 0:
                (tenth / name).parent.mkdir(parents=True, exist_ok=True)
                os.link(self.photos / name, tenth / name)
        few = self.run("index", "--images", tenth, "--model", self.model, "--index", self.folder / "tenth.idx",
                       "--quiet")[1]
        begin = time.monotonic()
        many = self.run("index", "--images", self.photos, "--model", self.model, "--index", self.index, "--quiet")[1]
        return {"photos": self.arguments.photos, "index_seconds": round(time.monotonic() - begin, 1),
                "index_mib_of_a_tenth": few // MIB, "index_mib": many // MIB}, few, many

    def mix(self):
        quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        serve = subprocess.Popen([self.arguments.imgsim, "serve", "--index", self.index, "--port", "0", "--json",
                                  "--thumbnails", self.folder / "thumbnails"], **quiet)
        text = b""
        while not text.rstrip().endswith(b"}"):
            text += serve.stdout.readline()
        port = int(json.loads(text)["url"].rstrip("/").rpartition(":")[2])
        watch = subprocess.Popen([self.arguments.imgsim, "watch", "--index", self.index, "--settle", "1", "--quiet"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        jobs = [threading.Thread(target=self.change_photos),
                threading.Thread(target=self.sample_memory, args=({"serve": serve, "watch": watch},)),
                threading.Thread(target=self.ask_server, args=(port, 7))]
        jobs += [threading.Thread(target=self.run_commands, args=(seed,)) for seed in range(self.arguments.workers)]
        for job in jobs:
            job.start()
        time.sleep(60 * self.arguments.minutes)
        self.is_over.set()
        for job in jobs:
            job.join()
        for name, process in (("serve", serve), ("watch", watch)):
            process.terminate()
            process.wait(120)
            if process.returncode not in (0, 1):
                self.note(f"{name} ended with exit code {process.returncode}")

    def memory_is_flat(self):
        memory = {}
        for name, samples in self.samples.items():
            third = samples[-1][0] / 3
            middle = max((size for at, size in samples if third <= at < 2 * third), default=0)
            last = max((size for at, size in samples if at >= 2 * third), default=0)
            memory[name] = {"samples": len(samples), "middle_mib": middle // MIB, "last_mib": last // MIB}
            if last > 1.1 * middle + SLACK:
                self.note(f"the memory of {name} grows: {memory[name]}")
        return memory

    def nothing_is_lost(self):
        self.run("index", "--index", self.index, "--quiet")
        if not json.loads(self.run("verify", self.index, "--json")[0])["sound"]:
            self.note("the index is not sound")
        listed = [json.loads(line)["path"] for line in open(self.index / "images.jsonl", encoding="utf-8")]
        if listed != self.files():
            self.note(f"the index lists {len(listed)} photos, the folder holds {len(self.files())}, or others")
        fresh = self.folder / "fresh.idx"
        self.run("index", "--images", self.photos, "--model", self.model, "--index", fresh, "--quiet")
        for name in ("embeddings.npy", "images.jsonl"):
            if (self.index / name).read_bytes() != (fresh / name).read_bytes():
                self.note(f"{name} is not that of an index made afresh")
        return len(listed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--imgsim", required=True)
    parser.add_argument("--render", required=True)
    parser.add_argument("--photos", type=int, default=100000)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rendered", type=pathlib.Path, help="the photos, kept here for the next time; on the file "
                        "system of the folder for temporary files")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imgsim soak ") as name:
        soak = Soak(arguments, pathlib.Path(name))
        report, few, many = soak.prepare()
        soak.mix()
        report["minutes"] = arguments.minutes
        report["memory"] = soak.memory_is_flat()
        # A row is known by its embedding (mapped while it is written), its path, hash and dates.
        if many > few + SLACK + 2048 * arguments.photos:
            soak.note("indexing all photos takes more memory than their list")
        report["photos_at_the_end"] = soak.nothing_is_lost()
        report["runs"], report["faults"] = dict(sorted(soak.counts.items())), soak.faults[:50]
    print(json.dumps(report, indent=2))
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())

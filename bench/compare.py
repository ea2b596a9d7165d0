#!/usr/bin/env python3
"""imgsim beside PyTorch and FAISS: the same weights, photos and rows, answers before times. bench/compare.sh runs it.

Work is interleaved: a round runs every library once; a time is the least of all rounds, and the median beside it. Ratios
are the peer's time over imgsim's: above 1, imgsim is faster. PyTorch runs in both of its memory layouts; the better one
counts.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import struct
import subprocess
import tempfile
import time

import numpy as np

BATCH = 32


class OwnProgram:
    """compare_peers, waiting for a line to run its work once."""

    def __init__(self, *words):
        self.process = subprocess.Popen([str(w) for w in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        status = self.process.stdout.readline().split()
        if not status:
            raise SystemExit("compare.py: compare_peers did not start")
        self.first_loss = float(status[1])

    def run(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def timed(work):
    def run():
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin
    return run


def interleave(contestants, rounds):
    """Seconds of each round, by name; libraries' idle threads get time to fall asleep before the next one's turn."""
    seconds = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, run in contestants.items():
            time.sleep(0.05)
            took = run()
            if turn > 0:  # the first round warms up
                seconds[name].append(took)
    return seconds


def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data, "<f4", offset=8 + size + place["data_offsets"][0],
                                count=int(np.prod(place["shape"]))).reshape(place["shape"])
            for name, place in header.items()}


def agree(what, own, peer, allowed):
    """Allowed: the largest difference, relative to the largest value."""
    difference = np.abs(own - peer).max() / np.abs(peer).max()
    if not difference <= allowed:
        raise SystemExit(f"compare.py: {what}: answers differ by {difference:.3g} of the largest value, {allowed:.3g} allowed")


def make_torch_network(torch, preset, weights):
    """The preset's layers, in PyTorch, with imgsim's weights. Returns (encoder, decoder, loss)."""
    nn = torch.nn

    def numbered(half, i, kind):
        return torch.tensor(weights[f"{half}.{i}.{kind}"].copy())

    class Same(nn.Module):
        """Padding as in Keras where stride 2 needs one row and column after, none before."""
        def forward(self, x):
            return nn.functional.pad(x, (0, 1, 0, 1))

    class Cut(nn.Module):
        """A transposed convolution's 2n + 1 outputs without the last."""
        def forward(self, x):
            return x[:, :, :-1, :-1]

    class PixelRows(nn.Module):
        """[B, C, H, W] as rows in imgsim's order, channels last."""
        def forward(self, x):
            return x.permute(0, 2, 3, 1).flatten(1)

    class Pixels(nn.Module):
        def __init__(self, side, channels):
            super().__init__()
            self.side, self.channels = side, channels

        def forward(self, x):
            return x.view(-1, self.side, self.side, self.channels).permute(0, 3, 1, 2)

    def convolution(half, i, stride=1, transposed=False):
        kernel = numbered(half, i, "kernel").permute(3, 2, 0, 1).contiguous()
        kind = nn.ConvTranspose2d if transposed else nn.Conv2d
        channels = kernel.shape[:2] if transposed else kernel.shape[1::-1]
        layer = kind(*channels, 3, stride, padding=1 if stride == 1 else 0)
        layer.weight.data = kernel
        layer.bias.data = numbered(half, i, "bias")
        return layer

    def dense(half, i):
        kernel = numbered(half, i, "kernel").t().contiguous()
        layer = nn.Linear(kernel.shape[1], kernel.shape[0])
        layer.weight.data, layer.bias.data = kernel, numbered(half, i, "bias")
        return layer

    def norm(half, i):
        return nn.BatchNorm2d(len(weights[f"{half}.{i}.gamma"]), eps=1e-3, momentum=0.01)

    if preset == "maxpool-16-8-4":
        encoder = [m for i in (0, 3, 6) for m in (convolution("encoder", i), nn.ReLU(), nn.MaxPool2d(2))]
        up = lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        decoder = [m for i in (0, 3, 6) for m in (convolution("decoder", i), nn.ReLU(), up())]
        decoder += [convolution("decoder", 9), nn.Sigmoid()]

        def loss(out, x, kernels):
            return nn.functional.binary_cross_entropy(out, x), 0.01 * sum(k.square().sum() for k in kernels)
    else:
        encoder = [m for i in (0, 3) for m in (Same(), convolution("encoder", i, 2), nn.ReLU(), norm("encoder", i + 2))]
        encoder += [PixelRows(), dense("encoder", 7)]
        decoder = [dense("decoder", 0), Pixels(64, 64)]
        for i in (2, 5):
            decoder += [convolution("decoder", i, 2, True), Cut(), nn.ReLU(), norm("decoder", i + 2)]
        decoder += [convolution("decoder", 8, 1, True), nn.Sigmoid()]

        def loss(out, x, _):
            return nn.functional.mse_loss(out, x), 0.0
    return nn.Sequential(*encoder), nn.Sequential(*decoder), loss


def torch_layouts(torch):
    return {"NCHW": torch.contiguous_format, "channels last": torch.channels_last}


def compare_encode(torch, program, threads, rounds, preset, folder):
    own = OwnProgram(program, "encode", preset, folder, threads)
    photos = np.fromfile(folder / "photos.f32", "<f4").reshape(BATCH, 256, 256, 3)
    features = np.fromfile(folder / "features.f32", "<f4").reshape(BATCH, -1)
    contestants = {"imgsim": own.run}
    for name, layout in torch_layouts(torch).items():
        encoder, _, _ = make_torch_network(torch, preset, read_safetensors(folder / "weights.safetensors"))
        encoder = encoder.eval().to(memory_format=layout)
        x = torch.tensor(photos).permute(0, 3, 1, 2).contiguous(memory_format=layout)

        def encode(encoder=encoder, x=x):
            with torch.inference_mode():
                return encoder(x)
        agree("encode", features, encode().permute(0, 2, 3, 1).flatten(1).numpy(), 1e-5)
        contestants[f"PyTorch {name}"] = timed(encode)
    seconds = interleave(contestants, rounds)
    own.close()
    return seconds


def compare_train(torch, program, threads, rounds, preset, folder):
    own = OwnProgram(program, "train", preset, folder, threads)
    photos = np.fromfile(folder / "photos.f32", "<f4").reshape(BATCH, 256, 256, 3)
    weights = read_safetensors(folder / "weights.safetensors")
    # In float64: PyTorch's batch norm in float32 is off by 2e-4 on strided-dense-16.
    encoder, decoder, loss = make_torch_network(torch, preset, weights)
    x = torch.tensor(photos).permute(0, 3, 1, 2).double()
    with torch.no_grad():
        expected = loss(torch.nn.Sequential(encoder, decoder).double()(x), x, [])[0].item()
    agree("the loss of the first step", np.array([own.first_loss]), np.array([expected]), 1e-5)
    contestants = {"imgsim": own.run}
    for name, layout in torch_layouts(torch).items():
        encoder, decoder, loss = make_torch_network(torch, preset, weights)
        network = torch.nn.Sequential(encoder, decoder).to(memory_format=layout)
        x = torch.tensor(photos).permute(0, 3, 1, 2).contiguous(memory_format=layout)
        optimizer = torch.optim.Adam(network.parameters())
        kernels = [p for p in network.parameters() if p.dim() == 4]

        def step(network=network, x=x, optimizer=optimizer, kernels=kernels, loss=loss):
            optimizer.zero_grad()
            data, penalty = loss(network(x), x, kernels)
            (data + penalty).backward()
            optimizer.step()
        contestants[f"PyTorch {name}"] = timed(step)
    seconds = interleave(contestants, rounds)
    own.close()
    return seconds


def gallery_rows(count, dimension):
    """Like features after a ReLU: groups, a spread, zeros."""
    random = np.random.default_rng(1)
    centres = random.normal(size=(40, dimension))
    rows = centres[random.integers(0, 40, count)] + random.normal(size=(count, dimension))
    return np.maximum(rows, 0).astype(np.float32)


def compare_search(faiss, program, threads, rounds, n, queries, rows, folder):
    np.save(folder / "gallery.npy", rows)
    own = OwnProgram(program, "search", folder, threads, n, queries)
    unit = rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(unit.astype(np.float32))
    asked = unit[:queries].astype(np.float32)
    similarity, found = index.search(asked, n)
    own_rows = np.fromfile(folder / "rows.i64", "<i8").reshape(queries, n)
    agree("similarities", np.fromfile(folder / "similarity.f32", "<f4").reshape(queries, n), similarity, 1e-5)
    # Where FAISS names another row, rounding in float32 changed places: both rows' similarities in float64 must tell.
    for q, at in zip(*np.nonzero(own_rows != found)):
        ours, theirs = unit[q] @ unit[own_rows[q, at]], unit[q] @ unit[found[q, at]]
        if abs(ours - theirs) > 1e-5:
            raise SystemExit(f"compare.py: query {q}, rank {at}: rows {own_rows[q, at]} and {found[q, at]} differ")
    seconds = interleave({"imgsim": own.run, "FAISS flat": timed(lambda: index.search(asked, n))}, rounds)
    own.close()
    return seconds


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return {"cpu": next((l.split(":")[1].strip() for l in info if l.startswith("model name")), platform.machine()),
            "system": platform.platform()}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("program", help="bin/compare_peers")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--rows", type=pathlib.Path, help="float32 [M, D] .npy to search in; made up otherwise")
    options.add_argument("--only", default="", help="comparisons whose name contains this")
    options.add_argument("--commit", default="unknown")
    options.add_argument("--json", type=pathlib.Path, help="writes the figures there")
    chosen = options.parse_args()
    import faiss
    import torch
    torch.set_num_threads(chosen.threads)
    faiss.omp_set_num_threads(chosen.threads)
    common = (chosen.program, chosen.threads, chosen.rounds)
    rows = np.load(chosen.rows) if chosen.rows else gallery_rows(4738, 4096)
    work = {"encode maxpool-16-8-4": (BATCH, lambda f: compare_encode(torch, *common, "maxpool-16-8-4", f)),
            "train maxpool-16-8-4": (BATCH, lambda f: compare_train(torch, *common, "maxpool-16-8-4", f)),
            "train strided-dense-16": (BATCH, lambda f: compare_train(torch, *common, "strided-dense-16", f)),
            "all-pairs top-100": (1, lambda f: compare_search(faiss, *common, 100, len(rows), rows, f)),
            "one query top-10": (1, lambda f: compare_search(faiss, *common, 10, 1, rows, f))}
    figures = []
    print(f"{'work':24}{'library':24}{'ms':>12}{'ratio':>8}{'median':>12}{'ratio':>8}")
    for name, (photos, run) in work.items():
        if chosen.only not in name:
            continue
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as folder:
            rounds = {k: [1000 * s / photos for s in v] for k, v in run(pathlib.Path(folder)).items()}
        least = {k: min(v) for k, v in rounds.items()}
        median = {k: statistics.median(v) for k, v in rounds.items()}
        best = min((k for k in least if k != "imgsim"), key=least.get)
        for library in rounds:
            mark = " <- best peer" if library == best else ""
            print(f"{name:24}{library:24}{least[library]:12.3f}{least[library] / least['imgsim']:8.2f}"
                  f"{median[library]:12.3f}{median[library] / median['imgsim']:8.2f}{mark}", flush=True)
        figures.append({"work": name, "photos": photos, "milliseconds": least, "medians": median, "load_before": load,
                        "best_peer": best, "ratio": least[best] / least["imgsim"],
                        "median_ratio": median[best] / median["imgsim"]})
    if chosen.json:
        versions = {"torch": torch.__version__, "faiss": faiss.__version__, "numpy": np.__version__}
        chosen.json.write_text(json.dumps({"machine": machine(), "versions": versions, "commit": chosen.commit,
                                           "threads": chosen.threads, "rounds": chosen.rounds,
                                           "figures": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()

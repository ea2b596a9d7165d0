#!/usr/bin/env python3
"""K-medoids and k-means of imgsim beside other libraries: the same points, the same starts, costs before times.

    python3 -m venv venv && venv/bin/pip install numpy kmedoids scikit-learn pyclustering
    venv/bin/python bench/compare_clustering.py build-bench/bin/compare_clustering [--threads 1] [--points 500 2000]

Peers: FasterPAM of kmedoids (PyPI), kmedoids of pyclustering (alternating, on small inputs: it is slow), KMeans of
scikit-learn (Lloyd, from given centroids). A peer that is not installed is left out. Points are normal around 20
centres, from NumPy's generator with a fixed seed. A cost is the mean over the starts, relative to imgsim's; a time the
least over the starts, as a ratio to imgsim's: above 1, imgsim is faster. Times mean something on an idle machine only.
"""
import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np


def blobs(count, dimension, random):
    centres = random.normal(scale=2, size=(20, dimension))
    return (centres[np.arange(count) % 20] + random.normal(size=(count, dimension))).astype(np.float32)


def euclidean(points):
    squares = (points.astype(np.float64) ** 2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * points.astype(np.float64) @ points.T, 0))
    np.fill_diagonal(distances, 0)
    return distances.astype(np.float32)


def run_imgsim(program, *words):
    lines = subprocess.run([program, *map(str, words)], check=True, capture_output=True, text=True).stdout.split("\n")
    return [tuple(map(float, line.split())) for line in lines if line]


def timed(work, cost=float):
    """(cost, seconds) of work(): only the work is timed."""
    begin = time.perf_counter()
    found = work()
    seconds = time.perf_counter() - begin
    return float(cost(found)), seconds


def cost_of(distances, medoids):
    return distances[np.asarray(medoids, dtype=np.int64)].min(0).astype(np.float64).sum()


def k_medoids_peers(distances, starts, k, threads):
    peers = {}
    cost = lambda medoids: cost_of(distances, medoids)
    try:
        import kmedoids
        fasterpam = lambda start: kmedoids.fasterpam(distances, start, max_iter=1000, n_cpu=threads).medoids
        peers["kmedoids FasterPAM"] = [timed(lambda: fasterpam(s), cost) for s in starts.astype(np.uint64)]
        build = lambda: kmedoids.fasterpam(distances, k, init="build", max_iter=1000, n_cpu=threads).medoids
        peers["kmedoids BUILD"] = [timed(build, cost)]  # nothing in it is drawn
    except ImportError as missing:
        print("left out:", missing)
    if len(distances) <= 500:
        try:
            from pyclustering.cluster.kmedoids import kmedoids as alternating
            table = distances.astype(np.float64)

            def pyclustering(start):
                search = alternating(table, start.tolist(), data_type="distance_matrix")
                search.process()
                return search.get_medoids()
            peers["pyclustering"] = [timed(lambda: pyclustering(s), cost) for s in starts]
        except (ImportError, AttributeError) as missing:  # it asks NumPy for names that went with NumPy 1.24
            print("left out: pyclustering:", missing, "(it needs numpy<1.24)")
    return peers


def k_means_peers(points, starts, k, threads):
    try:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits
    except ImportError as missing:
        print("left out:", missing)
        return {}
    with threadpool_limits(threads):
        fit = lambda s: KMeans(k, init=s, n_init=1, max_iter=1000, tol=0, algorithm="lloyd").fit(points).inertia_
        return {"scikit-learn KMeans": [timed(lambda: fit(s)) for s in starts]}


def report(what, own, peers):
    cost, seconds = np.mean([c for c, _ in own]), min(s for _, s in own)
    print(f"{what}: imgsim cost {cost:.8g}, {seconds * 1000:.1f} ms")
    for name, runs in peers.items():
        peer_cost, peer_seconds = np.mean([c for c, _ in runs]), min(s for _, s in runs)
        print(f"    {name}: cost {peer_cost / cost:.6f} times, time {peer_seconds / seconds:.2f} times")


def compare_encodings(program, file, threads, count):
    """Real encodings, cosine: kmedoids beside imgsim, seeds of imgsim, and its choice of K, distances included."""
    points = np.load(file)
    unit = points.astype(np.float64) / np.linalg.norm(points.astype(np.float64), axis=1, keepdims=True)
    distances = np.maximum(1 - unit @ unit.T, 0).astype(np.float32)
    np.fill_diagonal(distances, 0)
    starts = np.stack([np.random.default_rng(s).choice(len(points), 19, replace=False) for s in range(count)])
    with tempfile.TemporaryDirectory() as folder:
        distance_file, start_file = (Path(folder) / name for name in ("d.npy", "s.npy"))
        np.save(distance_file, distances)
        np.save(start_file, starts.astype(np.int64))
        own = run_imgsim(program, "k-medoids", distance_file, start_file, threads)
        peers = k_medoids_peers(distances, starts, 19, threads)
        peers.pop("kmedoids BUILD", None)
    report(f"k-medoids, {len(points)} encodings, K = 19, same starts", own, peers)
    seeds = run_imgsim(program, "seeds", file, 19, threads, 20)
    print(f"20 seeds: the dearest costs {max(c for c, _ in seeds):.6f}, the slowest takes {max(s for _, s in seeds):.3f} s")
    for work in ("choose-k", "silhouettes"):
        (k, seconds), = run_imgsim(program, work, file, 100, threads)
        print(f"{work}, 2 to 100, distances included: K = {int(k)}, {seconds:.2f} s")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("program", help="bin/compare_clustering")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--starts", type=int, default=5)
    options.add_argument("--points", type=int, nargs="+", default=[500, 2000, 5000])
    options.add_argument("--groups", type=int, nargs="+", default=[5, 20, 100])
    options.add_argument("--dimension", type=int, default=32)
    options.add_argument("--encodings", help="embeddings.npy of an index: these in place of points made here")
    chosen = options.parse_args()
    if chosen.encodings:
        compare_encodings(chosen.program, chosen.encodings, chosen.threads, chosen.starts)
        return
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        point_file, distance_file, start_file = (Path(folder) / name for name in ("p.npy", "d.npy", "s.npy"))
        for count in chosen.points:
            points = blobs(count, chosen.dimension, random)
            distances = euclidean(points)
            np.save(point_file, points)
            np.save(distance_file, distances)
            for k in (k for k in chosen.groups if 2 * k <= count):
                starts = np.stack([random.choice(count, k, replace=False) for _ in range(chosen.starts)])
                np.save(start_file, starts.astype(np.int64))
                own = run_imgsim(chosen.program, "k-medoids", distance_file, start_file, chosen.threads)
                built = run_imgsim(chosen.program, "build", distance_file, k, chosen.threads)
                peers = k_medoids_peers(distances, starts, k, chosen.threads)
                build_peer = {name: peers.pop(name) for name in list(peers) if name.endswith("BUILD")}
                report(f"k-medoids, {count} points, K = {k}, same starts", own, peers)
                report(f"k-medoids, {count} points, K = {k}, BUILD", built, build_peer)
                np.save(start_file, points[starts.ravel()])
                own = run_imgsim(chosen.program, "k-means", point_file, start_file, chosen.threads, k)
                report(f"k-means, {count} points, K = {k}, same starts", own,
                       k_means_peers(points, [points[s] for s in starts], k, chosen.threads))


if __name__ == "__main__":
    main()

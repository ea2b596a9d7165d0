#!/usr/bin/env python3
"""Records what the kmedoids package (pip install kmedoids numpy) makes of planted distances: fixture recorded.txt.

Points have whole coordinates from a generator that recorded.cpp repeats, distances are L1: all numbers are exact.
A line: points dimension groups k least-loss medoid-silhouette silhouette medoids...
  least-loss          of FasterPAM from 30 random starts
  the rest            of the grouping with that loss
"""
import kmedoids
import numpy as np


def points(count, dimension, groups):
    state = 12345
    values = np.zeros((count, dimension), dtype=np.int64)

    def draw(bound):
        nonlocal state
        state = (state * 1103515245 + 12345) % 2**31
        return (state >> 8) % bound

    centres = [[draw(4000) for _ in range(dimension)] for _ in range(groups)]
    for row in range(count):
        for i in range(dimension):
            values[row, i] = centres[row % groups][i] + draw(500) + draw(500)
    return values


print("# made by record_kmedoids.py with kmedoids", __import__("importlib.metadata").metadata.version("kmedoids"))
for count, dimension, groups, ks in ((200, 2, 6, (2, 6, 11)), (600, 5, 12, (3, 12, 25)), (1500, 3, 20, (5, 20, 60))):
    p = points(count, dimension, groups)
    distances = np.abs(p[:, None] - p[None]).sum(2).astype(np.float32)
    for k in ks:
        best = min((kmedoids.fasterpam(distances, k, init="random", random_state=s, n_cpu=1) for s in range(30)),
                   key=lambda r: r.loss)
        labels = distances[best.medoids].argmin(0)
        medoid_silhouette = kmedoids.medoid_silhouette(distances, best.medoids)[0]
        silhouette = kmedoids.silhouette(distances, labels)[0]
        print(count, dimension, groups, k, int(best.loss), repr(float(medoid_silhouette)), repr(float(silhouette)),
              *best.medoids)

#!/usr/bin/env python3
"""Records what the kmedoids package (pip install kmedoids numpy) makes of planted distances: fixture recorded.txt.

Distances are L1 between the points of recorded_points.py: all numbers are exact.
A line: points dimension groups k least-loss medoid-silhouette silhouette medoids...
  least-loss          of FasterPAM from 30 random starts
  the rest            of the grouping with that loss
"""
from importlib.metadata import version

import kmedoids
import numpy as np
from recorded_points import CASES, points

print("# made by record_kmedoids.py with kmedoids", version("kmedoids"))
for count, dimension, groups, ks in CASES:
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

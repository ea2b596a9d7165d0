#!/usr/bin/env python3
"""Records what scikit-learn (pip install scikit-learn) says of planted groups: fixture recorded_scores.txt.

Of the points of recorded_points.py with the labels row % k.
A line: points dimension groups k calinski-harabasz davies-bouldin silhouette adjusted-rand-index least-inertia
  silhouette            with Euclidean distance
  adjusted-rand-index   between row % k and row % groups
  least-inertia         of k-means from 30 starts
"""
import numpy as np
import sklearn
from recorded_points import CASES, points
from sklearn import metrics
from sklearn.cluster import KMeans

print("# made by record_scikit_learn.py with scikit-learn", sklearn.__version__)
for count, dimension, groups, ks in CASES:
    p = points(count, dimension, groups).astype(np.float64)
    for k in ks:
        labels = np.arange(count) % k
        scores = (metrics.calinski_harabasz_score(p, labels), metrics.davies_bouldin_score(p, labels),
                  metrics.silhouette_score(p, labels), metrics.adjusted_rand_score(labels, np.arange(count) % groups),
                  KMeans(k, n_init=30, random_state=0, max_iter=1000, tol=0).fit(p).inertia_)
        print(count, dimension, groups, k, *(repr(float(score)) for score in scores))

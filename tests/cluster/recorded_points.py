"""The generated points that recorded.cpp repeats: groups around planted centres, whole coordinates, no library's chance."""
import numpy as np

# count, dimension, groups, and the numbers of groups to record
CASES = ((200, 2, 6, (2, 6, 11)), (600, 5, 12, (3, 12, 25)), (1500, 3, 20, (5, 20, 60)))


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

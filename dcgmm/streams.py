"""The random streams of a seed: what is drawn from each, so that no two share their numbers."""

CENTROIDS = 0  # of the cGMM layers, before training
ORDER = 1  # of the images, in every epoch
WEIGHTS = 2  # of a classifier, before training
DRAWS = 16  # images that a model samples

"""Controls of a likelihood's score, and cheap corrections, from scores and images alone.

Likelihood models can score simpler images of another kind above their own (Nalisnick et al.,
"Do deep generative models know what they don't know?", 2019). A control shows how far the images'
complexity alone gets; a correction takes it, or the height of the likelihood, out of the score.

Every function gives scores, higher for a more likely inlier, of which only the ranks mean anything:
a density of pixels in [0, 1] in place of one of bytes shifts all scores of `complexity` by D log2
255 bits, and `typicality` too is the same for both.
"""

import math

import numpy as np


def compressed(bits: np.ndarray) -> np.ndarray:
    """Score images by their losslessly compressed size L alone: -L, in bits, [n].

    The control: likelihoods follow complexity closely (Serrà et al. 2020), and one that does not
    beat it has shown nothing beyond it.
    """
    return -np.asarray(bits, np.float64)


def typicality(scores: np.ndarray, reference_mean: float) -> np.ndarray:
    """Score log-densities by their distance from the inliers' mean: -|log p - mean|, in nats, [n].

    Nalisnick et al., "Detecting out-of-distribution inputs to deep generative models using
    typicality" (2019), for a single image: the mean estimates minus the entropy of the model, so a
    log-density above it is as suspicious as one as far below.

    Args:
        scores: log-densities in nats, [n].
        reference_mean: mean log-density of inliers that were kept aside, in nats.

    Raises:
        ValueError: if the mean is not finite.
    """
    if not math.isfinite(reference_mean):
        raise ValueError(
            f"the mean log-density of inliers is {reference_mean}, not a finite number"
        )
    return -np.abs(np.asarray(scores, np.float64) - reference_mean)


def complexity(log_density: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Score log-densities against a universal code's: log2 p + L, in bits, [n].

    Serrà et al., "Input complexity and out-of-distribution detection with likelihood-based
    generative models" (2020), S = -log2 p - L, with the sign of an inlier's score. As 2^-L is the
    probability that the compressor gives the image, it is the log-ratio of both likelihoods.

    Args:
        log_density: in nats, [n].
        bits: L, the images' losslessly compressed sizes in bits, [n].

    Raises:
        ValueError: if the numbers of images differ.
    """
    log_density, bits = (np.asarray(values, np.float64) for values in (log_density, bits))
    if log_density.shape != bits.shape:
        raise ValueError(
            f"{log_density.shape} log-densities and {bits.shape} sizes are not of the same images"
        )
    return log_density / math.log(2) + bits

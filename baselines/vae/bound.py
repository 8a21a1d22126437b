"""The importance-weighted bound of the log-likelihood (Burda et al. 2016, Eq. 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

if TYPE_CHECKING:  # TensorFlow is imported when a network is first built
    from baselines.vae.network import Network


def importance_weighted_bound(
    network: Network, images: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """Log of the mean of p(x, z_k) / q(z_k | x) over codes z_k drawn from q(z | x), float64 [n].

    One draw gives an estimate of the evidence lower bound; with more draws the expectation rises
    towards the log-likelihood.

    Args:
        network: with its parameters.
        images: [n, H, W, C].
        noise: standard normal, float32 [draws, latent]: the codes of every image come from the
            same numbers, so that its score does not depend on the images beside it.
    """
    mean, log_variance = network.encode(images)
    log_weights = []
    for e in noise:
        codes = mean + np.exp(0.5 * log_variance) * e  # [n, latent]
        # log p(z) - log q(z | x); the constants of the two Gaussians cancel
        ratio = 0.5 * (np.square(e) + log_variance - np.square(codes)).sum(1, dtype="float64")
        log_weights.append(network.log_likelihood(images, codes) + ratio)
    return logsumexp(log_weights, axis=0) - np.log(len(noise))

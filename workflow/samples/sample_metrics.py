"""Distances between drawn and real images, measured on their features.

scikit-learn finds neighbours; the rest is a line each. The libraries that offer these measures
(torchmetrics, torch-fidelity, clean-fid) expect Inception's features in torch, and prdc has not
changed since 2020: each would cost more than it saves.
"""

import numpy as np
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 3  # k of Kynkäänniemi et al.


def diversity(drawn: np.ndarray, real: np.ndarray) -> float:
    """Total variance of the drawn relative to the real: 0 if all are alike, 1 if as varied.

    Args:
        drawn: features [n, D], n from 2.
        real: features [m, D], m from 2, not all alike.
    """
    spread = [np.var(np.asarray(x, np.float64), axis=0, ddof=1).sum() for x in (drawn, real)]
    return float(spread[0] / spread[1])


def frechet_distance(drawn: np.ndarray, real: np.ndarray) -> float:
    """Squared 2-Wasserstein distance of the Gaussians with the features' means and covariances.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Heusel et al. 2017, Eq. 6). With S = R'R the last
    trace is the sum of the singular values of R1 R2'. Unlike a matrix root, this is exact even
    where a covariance is singular, as with fewer images than features.

    Args:
        drawn: features [n, D], n from 2.
        real: features [m, D], m from 2.
    """
    (mean1, root1), (mean2, root2) = _moments(drawn), _moments(real)
    shift = np.sum((mean1 - mean2) ** 2)
    common = np.linalg.svd(root1 @ root2.T, compute_uv=False).sum()
    distance = shift + np.sum(root1**2) + np.sum(root2**2) - 2 * common
    return max(float(distance), 0.0)  # rounding may leave it below


def precision_recall(
    drawn: np.ndarray, real: np.ndarray, neighbours: int = NEIGHBOURS
) -> tuple[float, float]:
    """Fractions of the drawn that lie among the real, and of the real that lie among the drawn.

    A feature lies among others if it is no farther from one of them than this one's k-th neighbour
    is (Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative
    models").

    Args:
        drawn: features [n, D].
        real: features [m, D].
        neighbours: k; both sets must have more features than that.

    Raises:
        ValueError: if either set has fewer.
    """
    if min(len(drawn), len(real)) <= neighbours:
        raise ValueError(
            f"{len(drawn)} drawn and {len(real)} real features: precision and recall need more "
            f"than {neighbours} of both"
        )
    drawn, real = np.asarray(drawn, np.float64), np.asarray(real, np.float64)
    distances = pairwise_distances(drawn, real)  # [n, m]
    among_real = distances <= _radii(real, neighbours)
    among_drawn = distances <= _radii(drawn, neighbours)[:, None]
    return float(among_real.any(1).mean()), float(among_drawn.any(0).mean())


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [D], and a root R [min(n, D), D] of the covariance R'R."""
    features = np.asarray(features, np.float64)
    mean = features.mean(0)
    return mean, np.linalg.qr((features - mean) / np.sqrt(len(features) - 1), mode="r")


def _radii(features: np.ndarray, neighbours: int) -> np.ndarray:
    """Distance of every feature to its k-th neighbour, itself excluded, [n]."""
    distances, _ = NearestNeighbors(n_neighbors=neighbours).fit(features).kneighbors()
    return distances[:, -1]

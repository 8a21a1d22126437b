"""GMM: a mixture of Gaussians over whole images, by scikit-learn."""

from baselines.gmm.model import GMM

__all__ = ["GMM"]

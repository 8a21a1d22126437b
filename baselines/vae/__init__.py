"""VAE: the convolutional variational auto-encoder of Table VIII."""

from baselines.vae.model import VAE

__all__ = ["VAE"]

"""What a fit needs, known before a network is built."""

from __future__ import annotations

import math

from baselines.vae import table8
from baselines.vae.settings import Settings

# Measured on a CPU: bytes of a process that holds TensorFlow, copies of the parameters and of the
# values of all layers that a step of training makes. Off by less than 10 % for widths of 1/16 to 1
# and batches of 20 to 400 images.
_PROCESS, _PARAMETERS, _VALUES = 0.66e9, 6.0, 1.6


def estimated_memory(settings: Settings) -> int:
    """Peak bytes of the process in a step of training, the training images aside."""
    numbers = _PARAMETERS * settings.n_parameters + _VALUES * settings.batch_size * _values(
        settings
    )
    return int(_PROCESS + 4 * numbers)


def _values(settings: Settings) -> int:
    """Numbers that the layers make of one image."""
    made = table8.maps(settings.width, settings.input_shape[2])
    return sum(math.prod(size) for sizes in made.values() for size in sizes)

"""What a fit needs, known before a network is built."""

from __future__ import annotations

import math

from baselines.dgcspn.settings import Settings

# Measured on a CPU: bytes of a process that holds TensorFlow, copies of the parameters and of the
# values of all nodes that a step of training makes. Off by less than 15 % for S = 4 to 64 and
# batches of 16 to 128 images.
_PROCESS, _PARAMETERS, _VALUES = 0.6e9, 4.5, 2.4


def estimated_memory(settings: Settings) -> int:
    """Peak bytes of the process in a step of training, the training images aside."""
    numbers = _PARAMETERS * settings.n_parameters + _VALUES * settings.batch_size * _nodes(settings)
    return int(_PROCESS + 4 * numbers)


def _nodes(settings: Settings) -> int:
    """Products and sums of the network; children of the root count twice, for their dropout."""
    lowest, *cells = (math.prod(grid) for grid in settings.grids)
    return lowest * (settings.components**4 + settings.sums) + 2 * sum(cells) * settings.sums

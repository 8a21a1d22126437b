"""Deep Convolutional Gaussian Mixture Models (Gepperth 2022) on Keras 3.

`DCGMM` is loaded on first use, so that `dcgmm.notation` and `dcgmm.recipes` work without Keras.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dcgmm.model import DCGMM

__all__ = ["DCGMM"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "DCGMM":
        from dcgmm.model import DCGMM

        return DCGMM
    raise AttributeError(f"module 'dcgmm' has no attribute {name!r}")

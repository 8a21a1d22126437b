"""Deep Convolutional Gaussian Mixture Models (Gepperth 2022) on Keras 3.

Both are loaded on first use, so that `dcgmm.notation` and `dcgmm.recipes` work without Keras.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dcgmm.model import DCGMM
    from dcgmm.together import fit_together

__all__ = ["DCGMM", "fit_together"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "DCGMM":
        from dcgmm.model import DCGMM

        return DCGMM
    if name == "fit_together":
        from dcgmm.together import fit_together

        return fit_together
    raise AttributeError(f"module 'dcgmm' has no attribute {name!r}")

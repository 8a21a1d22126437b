"""Exceptions of their own kind, so that a caller can tell them apart."""


class DivergenceError(ArithmeticError):
    """Training has produced a loss that is not finite; the parameters are of no use."""

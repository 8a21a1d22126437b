"""Quad-tree circuit: a modern probabilistic circuit over bytes, through libcirkit."""

from baselines.circuit.model import QuadTreeCircuit

__all__ = ["QuadTreeCircuit"]

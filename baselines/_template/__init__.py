"""Template: one line on what the method is."""

from baselines._template.model import Template

__all__ = ["Template"]

"""The published results: plan, archive, tables."""

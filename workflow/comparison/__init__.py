"""Ours beside the paper, beside published runs, and what the seeds can show."""

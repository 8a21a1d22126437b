"""Measurements; see step_time.py."""

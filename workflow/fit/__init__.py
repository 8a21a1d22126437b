"""Fit a method, score with it, and record both."""

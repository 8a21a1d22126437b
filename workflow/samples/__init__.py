"""Drawn images and the judges of them: Table III."""

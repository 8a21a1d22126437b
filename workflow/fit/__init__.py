"""Fitting a method, scoring with it, and the records of both."""

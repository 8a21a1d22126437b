"""Densities in bits per dimension."""

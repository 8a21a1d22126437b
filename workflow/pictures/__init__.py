"""Samples, in-painted and sharpened images: Figures 5 to 9 and 11 to 14."""

"""What models draw, in-paint and sharpen: Figures 5 to 9 and 11 to 14."""

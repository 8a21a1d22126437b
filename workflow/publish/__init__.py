"""Published results: their plan, their archive, their tables."""

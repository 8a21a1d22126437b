"""What a configuration asks for: methods, grid points, the fits of every table."""

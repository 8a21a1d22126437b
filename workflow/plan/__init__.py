"""Plan a run from its configuration: methods, grid points, fits of every table."""

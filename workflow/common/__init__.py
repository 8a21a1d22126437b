"""What every room uses: files, arrays, tables, figures, intervals, provenance."""

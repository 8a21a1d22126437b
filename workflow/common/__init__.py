"""Shared by all rooms: files, arrays, tables, figures, intervals, provenance."""

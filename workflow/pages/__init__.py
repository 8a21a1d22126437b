"""Pages for readers: the front page and the report."""

"""The ready-made projects, one folder each, all of one shape."""

"""Sentences cut into tokens, and a tag for each token."""

"""Texts and a label for each."""

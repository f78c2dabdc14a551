"""Texts cut into the pieces that occur most."""

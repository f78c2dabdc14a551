"""Pages of HTML about a run: one file each, which opens by itself, without a network."""

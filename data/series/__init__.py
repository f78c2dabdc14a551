"""Series of numbers at regular steps of time."""

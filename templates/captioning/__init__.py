"""Describe a picture in a sentence (one-to-many): convolutional encoder, attention, decoder; from pictures."""

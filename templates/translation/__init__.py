"""Translate a sentence (many-to-many, lengths differ): encoder, attention, decoder, beam search; from line pairs."""

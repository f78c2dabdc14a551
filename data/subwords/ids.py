"""What the ids of subwords stand for."""

from collections.abc import Sequence

from data.vocabulary import PADDING

# Id 0 is padding; then come the ends of a sequence, the 256 bytes, and the learned pieces.
START, END = PADDING + 1, PADDING + 2
FIRST_BYTE = 3
FIRST_PIECE = FIRST_BYTE + 256


def spellings(pieces: Sequence[str]) -> list[bytes]:
    """The bytes that each id stands for, in order: none of padding, start and end, then the 256 bytes, then pieces."""
    return [b""] * FIRST_BYTE + [bytes([byte]) for byte in range(256)] + [piece.encode() for piece in pieces]

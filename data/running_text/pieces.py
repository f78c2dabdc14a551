"""What a language model predicts one by one: characters, parts of words, or words; any text can be cut into them."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from data.subwords.ids import FIRST_PIECE
from data.subwords.learning import learn_pieces
from data.subwords.pieces import count_words

Kind = Literal["characters", "subwords", "words"]
# The longest word that is a piece of its own, in bytes.
LONGEST_WORD = 24


def choose_pieces(kind: Kind, texts: Sequence[str], size: int) -> list[str]:
    """Chooses the pieces of `data.subwords.pieces.Subwords`, in which every text can be spelled: bytes are among them.

    Args:
        kind: "characters": each character beyond ASCII, where a character is a byte already; "subwords": parts of
            words, by byte-pair encoding; "words": words with the space before them.
        texts: The training texts.
        size: Ids in all, 3 + 256 for padding, start, end and the bytes included; what is rarer is spelled by shorter
            pieces, or by its bytes.

    Returns:
        The pieces, always the same for the same texts.

    Example:
        choose_pieces("characters", ["Größe"], size=1000)   # ["ö", "ß"]
    """
    if kind == "subwords":
        return learn_pieces(sum((count_words([text]) for text in texts), Counter()), size)
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text if kind == "characters" else count_words([text]))
    found = [(piece, count) for piece, count in counts.items() if _is_piece(piece, count, kind)]
    found.sort(key=lambda pair: (-pair[1], pair[0]))
    return [piece for piece, _ in found[: max(size - FIRST_PIECE, 0)]]


def _is_piece(piece: str, count: int, kind: Kind) -> bool:
    # A word that occurs once would be learned from that one place.
    return 2 <= len(piece.encode("utf-8", "replace")) <= LONGEST_WORD and (kind == "characters" or count > 1)

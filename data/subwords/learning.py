"""Learning subwords: byte-pair encoding over the words of the training texts, kept to what longest match uses."""

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from data.subwords.ids import FIRST_PIECE
from data.subwords.pieces import Subwords

# The longest piece in bytes: bounds the steps of the search in the graph.
_LONGEST_PIECE = 24
# Longer words, such as sentences of Chinese, are learned from in parts of so many characters.
_LONGEST_PART = 64
# So many times the pieces wanted are learned, of which the more useful are kept in so many rounds.
_SURPLUS, _ROUNDS = 1.5, 3


def learn_pieces(counts: Mapping[str, int], size: int, least_count: int = 2) -> list[str]:
    """Learns the pieces of `Subwords` from the words of the training texts.

    The most frequent pair of neighbouring pieces becomes a piece, from characters on, until there are half as many
    again as are wanted. Longest match hardly uses some of them, mostly the intermediate ones: those without which the
    texts would be hardly longer are left out.

    Args:
        counts: How often each word occurs, from `count_words`; the sum of two counts for a shared vocabulary.
        size: Ids in all, 3 + 256 for padding, start, end and the bytes included; fewer if the texts do not give them.
        least_count: Pairs and characters rarer than this do not become pieces.

    Returns:
        The pieces in the order in which they were learned; always the same for the same counts.

    Example:
        pieces = learn_pieces(count_words(german) + count_words(english), size=8000)

    Source: Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units", 2016,
    arXiv:1508.07909. Intermediate pieces do little: Chizhov et al., "BPE Gets Picky", 2024, arXiv:2409.04599; the rule
    for leaving them out is this project's own.
    """
    parts: Counter[str] = Counter()
    for word, count in counts.items():
        for start in range(0, len(word), _LONGEST_PART):
            parts[word[start : start + _LONGEST_PART]] += count
    wanted = max(size - FIRST_PIECE, 0)
    pieces = list(itertools.islice(byte_pair_pieces(parts, least_count), int(wanted * _SURPLUS)))
    # In rounds, because what remains takes over the uses of what is left out.
    surplus = max(len(pieces) - wanted, 0)
    for left in reversed(range(_ROUNDS)):
        pieces = _most_useful(pieces, parts, min(len(pieces), wanted + surplus * left // _ROUNDS))
    return pieces


def byte_pair_pieces(counts: Mapping[str, int], least_count: int = 2) -> Iterator[str]:
    """The pieces of byte-pair encoding, each time the one that saves most.

    A pair of neighbouring pieces saves one piece wherever it is, a character beyond ASCII all of its bytes but one. Of
    equal savings the first in the order of characters is taken. No piece has more than 24 bytes.

    Args:
        counts: How often each word occurs.
        least_count: Pairs and characters rarer than this do not become pieces.

    Yields:
        The pieces, each once, until nothing is frequent enough.

    Example:
        list(byte_pair_pieces({"low": 5, "lower": 2}))   # ["lo", "low", "er", "lower"]
    """
    merges = _Merges(counts, least_count)
    known = set()
    while merges.queue:
        negative, symbols = heapq.heappop(merges.queue)
        piece = "".join(symbols)
        if len(symbols) == 2:
            # An entry tells what the pair's count once was; since then it has only fallen, or has a newer entry.
            count = merges.pairs[symbols]
            if count != -negative:
                if count >= least_count:
                    heapq.heappush(merges.queue, (-count, symbols))
                continue
            merges.merge(*symbols)
            # Two pairs may spell the same piece: a bc, ab c.
            if piece in known:
                continue
            known.add(piece)
        yield piece


def _most_useful(pieces: list[str], parts: Mapping[str, int], keep: int) -> list[str]:
    """The pieces that shorten the texts most."""
    subwords = Subwords(pieces)
    uses: Counter[int] = Counter()
    for part, count in parts.items():
        for number in subwords.encode_word(part.encode()):
            uses[number] += count
    savings = []
    for number, piece in enumerate(pieces, start=FIRST_PIECE):
        spelled = piece.encode()
        first = subwords.longest_match(spelled, 0, len(spelled) - 1)
        savings.append(uses[number] * len(subwords.encode_word(spelled[first:])))
    best = sorted(range(len(pieces)), key=lambda index: (-savings[index], index))[:keep]
    return [pieces[index] for index in sorted(best) if savings[index]]


class _Merges:
    """The words as they are cut so far, the counts of their pairs, and the queue of what may become a piece."""

    def __init__(self, counts: Mapping[str, int], least_count: int):
        self.least_count = least_count
        self.words = [(list(word), count) for word, count in counts.items()]
        self.pairs: Counter = Counter()
        self.places = defaultdict(set)  # the words in which a pair is, or was
        characters: Counter[str] = Counter()
        for number, (symbols, count) in enumerate(self.words):
            for symbol in symbols:
                if not symbol.isascii():
                    characters[symbol] += count
            for pair in zip(symbols, symbols[1:]):
                self.pairs[pair] += count
                self.places[pair].add(number)
        self.queue = [(-count, pair) for pair, count in self.pairs.items() if count >= least_count]
        for character, count in characters.items():
            if count >= least_count:
                self.queue.append((-count * (len(character.encode()) - 1), (character,)))
        heapq.heapify(self.queue)

    def merge(self, left: str, right: str) -> None:
        """Joins a pair wherever it is."""
        piece, pairs = left + right, self.pairs
        risen = set()
        for number in self.places.pop((left, right)):
            symbols, count = self.words[number]
            merged, index, last = [], 0, len(symbols) - 1
            while index <= last:
                if symbols[index] != left or index == last or symbols[index + 1] != right:
                    merged.append(symbols[index])
                    index += 1
                    continue
                changes = []
                if merged:
                    changes.append(((merged[-1], left), (merged[-1], piece)))
                merged.append(piece)
                index += 2
                if index <= last:
                    changes.append(((right, symbols[index]), (piece, symbols[index])))
                for old, new in changes:
                    pairs[old] -= count
                    pairs[new] += count
                    self.places[new].add(number)
                    risen.add(new)
            self.words[number] = (merged, count)
        del pairs[left, right]
        for pair in risen:
            if pairs[pair] >= self.least_count and len("".join(pair).encode()) <= _LONGEST_PIECE:
                heapq.heappush(self.queue, (-pairs[pair], pair))

"""What people look at after a run: every caption beside its references, and pictures with what the words looked at."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from data.scripts import begins_word
from data.subwords.ids import END
from data.subwords.pieces import Subwords
from data.writing import replacing

from .caption_page import ShownCaption
from .evaluate import Measured, attention_of
from .pipeline import Examples


def write_captions(path: Path, examples: Examples, measured: Measured) -> None:
    """Writes a line of JSON for each picture: `image`, `caption`, `score`, `cider`, `references`.

    Args:
        path: The `.jsonl` to write.
        examples: The pictures and their references.
        measured: What was found for them.
    """
    rows = zip(examples.names, measured.captions, measured.scores, measured.ciders, examples.references, strict=True)
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as stream:
        for name, caption, score, cider, references in rows:
            row = {"image": name, "caption": caption, "score": round(float(score), 4), "cider": round(cider, 4)}
            stream.write(json.dumps({**row, "references": references}, ensure_ascii=False) + "\n")


def typical_rows(ciders: Sequence[float], count: int) -> list[int]:
    """The pictures to show: from the worst captions to the best, evenly.

    Args:
        ciders: The CIDEr of each caption.
        count: How many are wanted.

    Returns:
        Indices, at most `count`, the best caption first; always the same for the same figures.
    """
    order = np.argsort(-np.asarray(ciders), kind="stable")
    places = np.linspace(0, 1, count + 2)[1:-1] * (len(order) - 1)
    return list(dict.fromkeys(int(order[round(place)]) for place in places))


def show(
    attention_step: Callable | None,
    subwords: Subwords,
    examples: Examples,
    seen: Examples,
    measured: Measured,
    row: int,
) -> ShownCaption:
    """A caption with what each of its words looked at.

    Args:
        attention_step: What `evaluate.make_attention_step` gave; None where there is no attention.
        subwords: The captions' pieces.
        examples: The pictures.
        seen: What the encoder sees of them.
        measured: What was found for them.
        row: Which of them.
    """
    tokens = measured.tokens[row].tolist()
    words, starts = caption_words(subwords, tokens)
    attention = None
    if attention_step and tokens:
        found = attention_of(attention_step, seen.pictures[seen.at[row]], [*tokens, END])[:-1]
        # A word looks where its pieces look on average.
        found = np.stack([part.mean(axis=0) for part in np.split(found, starts[1:])])
        side = round(found.shape[1] ** 0.5)
        attention = found.reshape(-1, side, side)
    return ShownCaption(
        name=examples.names[row],
        picture=examples.pictures[examples.at[row]],
        words=words,
        attention=attention,
        references=examples.references[row],
        score=float(measured.scores[row]),
        cider=measured.ciders[row],
    )


def caption_words(subwords: Subwords, tokens: list[int]) -> tuple[list[str], list[int]]:
    """The words that pieces make.

    Args:
        subwords: The captions' pieces.
        tokens: The pieces of a caption, without the end.

    Returns:
        The words, and the number of the piece that each begins with: the first, and those that `begins_word` tells.
    """
    pieces = [subwords.decode([number]) for number in tokens]
    starts = [number for number, piece in enumerate(pieces) if number == 0 or begins_word(piece)]
    ends = [*starts[1:], len(tokens)]
    return [subwords.decode(tokens[start:end]).strip() for start, end in zip(starts, ends)], starts

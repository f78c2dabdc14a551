"""The list of a tagger's mistakes, as people read it: what stands there, what was found, in which sentence."""

import csv
from collections.abc import Iterator
from pathlib import Path

from data.tagged_sentences.columns import TaggedSentences
from data.tagged_sentences.tag_schemes import Entity
from data.writing import replacing

COLUMNS = ("split", "place", "mistake", "true_type", "true_text", "predicted_type", "predicted_text", "sentence")


def write_errors(path: Path, mistakes: list[dict[str, str]]) -> None:
    """Writes mistakes as a table with tabs, one a line; see `entity_mistakes` and `tag_mistakes`.

    Args:
        path: The `.tsv` to write.
        mistakes: A dictionary with `COLUMNS` each.
    """
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(mistakes)


def entity_mistakes(
    split: str, sentences: TaggedSentences, true: list[list[Entity]], predicted: list[list[Entity]]
) -> Iterator[dict[str, str]]:
    """Pairs the entities that are not the same on both sides.

    A missed entity and an invented one with a token in common are one mistake: of `type` (the same tokens), of `border`
    (the same type, other tokens), of `type and border`. The others are `missed` or `invented`.

    Args:
        split: The split's name.
        sentences: The sentences.
        true: The true entities of each sentence.
        predicted: The predicted ones.

    Yields:
        A dictionary with `COLUMNS`.
    """
    for number in range(len(sentences)):
        missed = [entity for entity in true[number] if entity not in predicted[number]]
        invented = [entity for entity in predicted[number] if entity not in true[number]]
        for entity in missed:
            other = next((other for other in invented if _overlap(entity, other)), None)
            if other:
                invented.remove(other)
            yield _row(split, sentences, number, _kind(entity, other), entity, other)
        for other in invented:
            yield _row(split, sentences, number, _kind(None, other), None, other)


def tag_mistakes(split: str, sentences: TaggedSentences, predicted: list[list[str]]) -> Iterator[dict[str, str]]:
    """The tokens with a wrong tag; arguments and results as for `entity_mistakes`."""
    for number, tags in enumerate(sentences.tags):
        for token, (true, found) in enumerate(zip(tags, predicted[number], strict=True)):
            if true != found:
                yield _row(
                    split, sentences, number, "tag", Entity(true, token, token + 1), Entity(found, token, token + 1)
                )


def _overlap(one: Entity, other: Entity) -> bool:
    return one.start < other.end and other.start < one.end


def _kind(true: Entity | None, predicted: Entity | None) -> str:
    if not predicted or not true:
        return "missed" if true else "invented"
    wrong = [
        name for name, differs in (("type", true[0] != predicted[0]), ("border", true[1:] != predicted[1:])) if differs
    ]
    return " and ".join(wrong)


def _row(split: str, sentences: TaggedSentences, number: int, kind: str, true: Entity | None, predicted: Entity | None):
    tokens = sentences.tokens[number]
    first = min(entity.start for entity in (true, predicted) if entity)
    place = f"line {sentences.lines[number][first]}" if sentences.lines else f"sentence {number + 1}"
    texts = [
        ("", "") if entity is None else (entity.type, " ".join(tokens[entity.start : entity.end]))
        for entity in (true, predicted)
    ]
    return dict(zip(COLUMNS, (split, place, kind, *texts[0], *texts[1], " ".join(tokens)), strict=True))

"""From the tags inside the network to tags as the data writes them, in Python and as a table for a graph."""

from collections.abc import Sequence

from data.tagged_sentences.tag_schemes import IOB1, IOB2, LETTERS, OUTSIDE, PLAIN

from .pipeline import Tags

# What the letters of IOBES are in schemes that have no E and S.
WITHOUT_ENDS = {"S": "B", "B": "B", "I": "I", "E": "I"}


def written_after(tags: Tags) -> list[list[str]]:
    """How each tag is written, depending on the tag before it.

    Args:
        tags: The tagger's tags, and the data's scheme.

    Returns:
        A table (tags + 1, tags): entry [i][j] is the tag j after the tag i, the last row at a sentence's beginning.
    """
    return [[_written(before, name, tags) for name in tags.names] for before in [*tags.names, OUTSIDE]]


def written_tags(tags: Tags, numbers: Sequence[int]) -> list[str]:
    """The tags of a sentence as the data writes them.

    Args:
        tags: The tagger's tags, and the data's scheme.
        numbers: The numbers of the sentence's tags.

    Example:
        written_tags(Tags("IOB2", ["O", "B-PER", "I-PER", "E-PER", "S-PER"]), [1, 3, 0])   # ["B-PER", "I-PER", "O"]
    """
    names = [tags.names[number] for number in numbers]
    return [_written(before, name, tags) for before, name in zip([OUTSIDE, *names], names)]


def _written(before: str, name: str, tags: Tags) -> str:
    if tags.scheme == PLAIN or name == OUTSIDE:
        return name
    letter, ending = name[0], name[1:]
    if tags.scheme in (IOB1, IOB2):
        letter = WITHOUT_ENDS[letter]
        # IOB1 has B only where an entity would else seem to go on; a softmax may also begin one with I or E.
        if tags.scheme == IOB1 and letter == "B" and (before == OUTSIDE or before[1:] != ending):
            letter = "I"
    return f"{tags.letters[LETTERS.index(letter)]}{ending}"

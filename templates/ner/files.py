"""A file of columns with the tags that were predicted: its lines as they are, each token's with its tag."""

from data.tagged_sentences.columns import Part
from data.tagged_sentences.conllu import COLUMNS

MISC = COLUMNS.index("misc")


def with_tags(part: Part, tags: list[str], is_conllu: bool) -> list[str]:
    """Some lines of a file, with the tags.

    Args:
        part: A sentence and its lines.
        tags: The tag of each token: one more column, or `Predicted=TAG` in the MISC column of CoNLL-U.
        is_conllu: Whether the columns are those of CoNLL-U.

    Returns:
        The lines, with their ends.
    """
    lines = list(part.lines)
    for place, tag in zip(part.places, tags, strict=True):
        if is_conllu:
            fields = lines[place].split("\t")
            fields[MISC] = f"Predicted={tag}" if fields[MISC] == "_" else f"{fields[MISC]}|Predicted={tag}"
            lines[place] = "\t".join(fields)
        else:
            lines[place] += f"\t{tag}" if "\t" in lines[place] else f" {tag}"
    return [f"{line}\n" for line in lines]

"""A file of columns with the tags that were predicted: its lines as they are, each token's with its tag."""

from data.tagged_sentences.columns import Part
from data.tagged_sentences.conllu import COLUMNS

MISC = COLUMNS.index("misc")


def with_tags(part: Part, tags: list[str], is_conllu: bool) -> list[str]:
    r"""Some lines of a file, with the tags.

    Args:
        part: A sentence and its lines.
        tags: The tag of each token: one more column, or `Predicted=TAG` in the MISC column of CoNLL-U. There | would
            end the tag; it is written \p, and \ is written \\, as in UDPipe's `SpacesAfter`.
        is_conllu: Whether the columns are those of CoNLL-U.

    Returns:
        The lines, with their ends.
    """
    lines = list(part.lines)
    for place, tag in zip(part.places, tags, strict=True):
        if is_conllu:
            fields = lines[place].split("\t")
            predicted = "Predicted=" + tag.replace("\\", r"\\").replace("|", r"\p")
            fields[MISC] = predicted if fields[MISC] == "_" else f"{fields[MISC]}|{predicted}"
            lines[place] = "\t".join(fields)
        else:
            lines[place] += f"\t{tag}" if "\t" in lines[place] else f" {tag}"
    return [f"{line}\n" for line in lines]

"""A file of columns to be tagged: its tokens, and its lines written again with the tags."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data.errors import BadLines
from data.files import content_suffix, decoded_lines, report_encoding, without_end
from data.tagged_sentences.conllu import COLUMNS

DOCUMENT_MARK = "-DOCSTART-"
FORM, MISC = COLUMNS.index("form"), COLUMNS.index("misc")


@dataclass
class Block:
    """Some sentences of a file, and all the lines that they stand in.

    Args:
        is_conllu: Whether the columns are those of CoNLL-U.
        lines: The lines, without their ends.
        tokens: The tokens of each sentence.
        places: The line of each token, an index of `lines`.
    """

    is_conllu: bool
    lines: list[str] = field(default_factory=list)
    tokens: list[list[str]] = field(default_factory=list)
    places: list[list[int]] = field(default_factory=list)

    def with_tags(self, tags: list[list[str]]) -> Iterator[str]:
        """The lines, each token's with its tag.

        Args:
            tags: The tags of each sentence.
        """
        lines = list(self.lines)
        for places, row in zip(self.places, tags, strict=True):
            for place, tag in zip(places, row, strict=True):
                lines[place] = self._with_tag(lines[place], tag)
        return (f"{line}\n" for line in lines)

    def _with_tag(self, line: str, tag: str) -> str:
        if self.is_conllu:
            fields = line.split("\t")
            fields[MISC:] = [f"Predicted={tag}" if fields[MISC:] in ([], ["_"]) else f"{fields[MISC]}|Predicted={tag}"]
            return "\t".join(fields)
        return f"{line}{'	' if '	' in line else ' '}{tag}"


def blocks(path: Path, encoding: str, size: int, bad_lines: BadLines | None = None) -> Iterator[Block]:
    """Reads a file some sentences at a time: it may be larger than memory.

    Args:
        path: The file: columns, of which the first is the token, or .conllu.
        encoding: How its bytes are to be read.
        size: Sentences per block.
        bad_lines: What is done with lines that are not valid in the encoding; None raises for the first.

    Raises:
        UserError: The file is missing or damaged, or a line is not valid in the encoding.
    """
    is_conllu = content_suffix(path) == ".conllu"
    block, is_open = Block(is_conllu), False
    for line in decoded_lines(path, encoding):
        if line.problem:
            report_encoding(path, encoding, line, bad_lines or BadLines())
            continue
        text = without_end(line.text)
        token = _token(text, is_conllu)
        if token is None and not (is_conllu and text.strip()):
            is_open = False
        if not is_open and len(block.tokens) == size:
            yield block
            block = Block(is_conllu)
        block.lines.append(text)
        if token is not None:
            if not is_open:
                block.tokens.append([])
                block.places.append([])
                is_open = True
            block.tokens[-1].append(token)
            block.places[-1].append(len(block.lines) - 1)
    if block.lines:
        yield block


def _token(text: str, is_conllu: bool) -> str | None:
    """The token of a line; None if it has none."""
    if is_conllu:
        fields = text.split("\t")
        # Not the ranges ("1-2") and empty nodes ("1.1").
        return fields[FORM] if len(fields) > FORM and fields[0].isdecimal() else None
    fields = text.split("\t" if "\t" in text else None)
    if not fields or not fields[0].strip() or fields[0] == DOCUMENT_MARK:
        return None
    return fields[0].strip()

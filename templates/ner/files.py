"""A file of sentences with the tags that were predicted: its lines or rows as they are, each token's with its tag."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from data.chunks import chunks
from data.errors import BadLines
from data.files import content_suffix
from data.tables.delimited import quoted
from data.tables.table_writer import TableWriter, unused_names
from data.tagged_sentences.column_layout import Wanted, cut
from data.tagged_sentences.columns import Part, describe_columns, read_parts
from data.tagged_sentences.conllu import COLUMNS, SUFFIX
from data.tagged_sentences.lists import Sentence, are_lists, read_lists
from data.writing import writing

from .config import Config

MISC = COLUMNS.index("misc")
# The column of the answers in a table of lists.
PREDICTED = "predicted_tags"
# In a file of columns whose first line names them.
PREDICTED_COLUMN = "predicted_tag"
# Sentences of a file, and the lines between them.
PARTS_AT_A_TIME = 2048

# Sentences cut into tokens -> a dictionary each: `tokens`, `tags` and, of entities, `entities`.
Answers = Callable[[list[list[str]]], list[dict]]


def tag_file(answers: Answers, config: Config, path: Path, output: Path | None, as_json: bool) -> None:
    """Tags the sentences of a file, read as in training but for the tags, which need not be there.

    Args:
        answers: Tags sentences.
        config: Says how the file is read.
        path: The file: columns, .conllu, or lists in .jsonl or .parquet.
        output: Where to: the same lines with one more column, or with `Predicted=TAG` in the MISC column of CoNLL-U; of
            lists a .jsonl file of the same rows with `predicted_tags`, or `predicted_tags (2)` where they have such a
            column. None prints.
        as_json: Write the answers alone, an object per sentence.

    Raises:
        UserError: The file cannot be read; `output` is as it was then.
    """
    bad_lines, wanted = BadLines(config.skip_bad_lines), Wanted(config.token_column, tag=None)
    if path.is_file():  # what is read once is not looked at before
        print(f"columns of {path}: {describe_columns(path, wanted, config.encoding)}", file=sys.stderr)
    if are_lists(path):
        count = _tag_lists(answers, read_lists(path, wanted, config.encoding, bad_lines), output, as_json)
    else:
        parts = read_parts(path, wanted, config.encoding, bad_lines)
        count = _tag_parts(answers, parts, output, as_json, content_suffix(path) == SUFFIX)
    if output:
        print(f"{output}: {count:,} sentences", file=sys.stderr)
    if bad_lines.count:
        print(bad_lines.summary(), file=sys.stderr)


def _tag_lists(answers: Answers, rows: Iterator[Sentence], output: Path | None, as_json: bool) -> int:
    column = ""
    with TableWriter(output or sys.stdout) as writer:
        for chunk in chunks(rows, PARTS_AT_A_TIME, lambda row: sum(map(len, row.tokens))):
            column = column or unused_names(chunk[0].row, [PREDICTED])[0]
            for row, answer in zip(chunk, answers([row.tokens for row in chunk]), strict=True):
                writer.write(answer if as_json else {**row.row, column: answer["tags"]})
    return writer.rows


def _tag_parts(answers: Answers, parts: Iterator[Part], output: Path | None, as_json: bool, is_conllu: bool) -> int:
    count = 0
    with writing(output) as stream:
        for chunk in chunks(parts, PARTS_AT_A_TIME, lambda part: sum(map(len, part.lines))):
            sentences = [part for part in chunk if part.tokens]
            found = iter(answers([part.tokens for part in sentences]))
            count += len(sentences)
            for part in sentences if as_json else chunk:
                answer = next(found) if part.tokens else {"tags": []}
                if as_json:
                    stream.write(f"{json.dumps(answer, ensure_ascii=False)}\n")
                else:
                    stream.writelines(with_tags(part, answer["tags"], is_conllu))
    return count


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
    writing = part.layout.writing if part.layout else None
    added = list(zip(part.places, tags, strict=True))
    header = part.layout.header - part.number if part.layout and part.layout.header else -1
    if 0 <= header < len(lines):
        added.append((header, unused_names(cut(lines[header], writing), [PREDICTED_COLUMN])[0]))
    for place, tag in added:
        if is_conllu:
            fields = lines[place].split("\t")
            predicted = "Predicted=" + tag.replace("\\", r"\\").replace("|", r"\p")
            fields[MISC] = predicted if fields[MISC] == "_" else f"{fields[MISC]}|{predicted}"
            lines[place] = "\t".join(fields)
        elif writing:
            lines[place] += writing.delimiter + quoted(tag, writing)
        else:
            lines[place] += f"\t{tag}" if "\t" in lines[place] else f" {tag}"
    return [f"{line}\n" for line in lines]

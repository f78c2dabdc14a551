"""Sentences in one language, each with its translation: two parallel files, or the columns of a .tsv file."""

import dataclasses
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from data.errors import BadLines, UserError, shown
from data.files import check_file, decoded_lines, report_encoding, without_end
from data.sources.rows import Rows

AUTO = "auto"
# What the sides are called where nothing tells their languages.
UNNAMED = ("source", "target")
_FLAGS = ("--source-language", "--target-language")
# "de", "DEU", "pt_BR", "zh-Hans": what a column is called, and hardly what a sentence is.
_CODE = re.compile(r"([a-z]{2,3}|[A-Z]{2,3})([-_][A-Za-z0-9]{2,8})*")


class Languages(NamedTuple):
    """The language to translate from and the one to translate into, as files or columns call them; or "auto".

    Example:
        >>> Languages("de", "en").target
        'en'
    """

    source: str = AUTO
    target: str = AUTO


@dataclasses.dataclass(frozen=True)
class SentencePairs(Rows):
    """Sentences and their translations.

    Args:
        sources: The sentences to translate, as they stand in the file.
        targets: The translation of each.
        lines: The line of each pair; empty when the pairs come from no file.
    """

    sources: list[str]
    targets: list[str]
    lines: list[int] = dataclasses.field(default_factory=list)


def choose_languages(asked: Languages, names: Iterable[str], where: str) -> Languages:
    """Chooses the two languages among those that there are.

    Args:
        asked: What `--source-language` and `--target-language` say; where one of two is given, the other follows.
        names: The languages that there are.
        where: What has them, for messages.

    Returns:
        The languages, none of them "auto", written as in `names`.

    Raises:
        UserError: One is given twice, is not there, or is not given and cannot be told.

    Example:
        >>> choose_languages(Languages(target="en"), ["de", "en"], "corpus")
        Languages(source='de', target='en')
    """
    check_different(asked)
    names = list(names)
    there = f"{where} has {', '.join(names) or 'no language'}"
    known = {name.casefold(): name for name in names}
    for language, flag in zip(asked, _FLAGS):
        if language != AUTO and language.casefold() not in known:
            raise UserError(f"{flag} {language}: {there}")
    source, target = (language if language == AUTO else known[language.casefold()] for language in asked)
    if AUTO in (source, target):
        others = [name for name in names if name not in (source, target)]
        if len(others) != 1 or source == target:
            missing = " and ".join(flag for flag, language in zip(_FLAGS, asked) if language == AUTO)
            raise UserError(f"{there}; choose with {missing}")
        source, target = (others[0] if language == AUTO else language for language in (source, target))
    return Languages(source, target)


def check_different(asked: Languages) -> None:
    """Raises UserError where both languages are the same one."""
    if AUTO not in asked and asked.source.casefold() == asked.target.casefold():
        raise UserError(f"{_FLAGS[0]} and {_FLAGS[1]} are both {asked.source}; a translation needs two languages")


def read_parallel_files(
    source: str | os.PathLike,
    target: str | os.PathLike,
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
) -> SentencePairs:
    """Reads two parallel files: line n of the one is the translation of line n of the other.

    A line that is blank in both files separates, and is no pair.

    Args:
        source: The file in the source language, plain, .gz or .xz.
        target: The file in the target language.
        encoding: How the bytes of both are to be read.
        bad_lines: What is done with lines that cannot be used; None raises for the first.

    Returns:
        The pairs, at least one.

    Raises:
        UserError: A file is missing, the files do not have the same number of lines, or a line is bad: it is not valid
            in the encoding, or only one side is blank.

    Example:
        >>> pairs = read_parallel_files("val.de.gz", "val.en.gz")
        >>> pairs.lines[0], pairs.targets[0]
        (1, 'A group of men are loading cotton onto a truck')
    """
    bad_lines = bad_lines or BadLines(skip=False)
    paths = (check_file(source), check_file(target))
    # Both to the end, first: where a line is missing, every pair after it is wrong, however good it looks.
    sides = [list(decoded_lines(path, encoding)) for path in paths]
    if len(sides[0]) != len(sides[1]):
        counts = " and ".join(f"{path} has {len(lines):,}" for path, lines in zip(paths, sides))
        raise UserError(f"parallel files must have the same number of lines; {counts}")
    before = bad_lines.count
    result = SentencePairs([], [], [])
    for lines in zip(*sides):
        invalid = [(path, line) for path, line in zip(paths, lines) if line.problem]
        for path, line in invalid[:1]:
            report_encoding(path, encoding, line, bad_lines)
        if not invalid:
            _add(result, lines[0].number, [without_end(line.text) for line in lines], paths, bad_lines)
    return _checked(result, paths[0], bad_lines, before)


def read_tsv_pairs(
    path: str | os.PathLike,
    languages: Languages = Languages(),
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
) -> SentencePairs:
    """Reads the pairs of a .tsv file.

    The first line may name the columns by their languages. Where it does not, the first column is the source and the
    second the target. Further columns are not read. A quote is a character like any other.

    Args:
        path: The file, plain, .gz or .xz.
        languages: Which columns, where they are named.
        encoding: How the file's bytes are to be read.
        bad_lines: What is done with lines that cannot be used; None raises for the first.

    Returns:
        The pairs, at least one.

    Raises:
        UserError: The file or the column is missing, or a line is bad: it is not valid in the encoding, does not have
            as many columns as the first, or only one side is blank.

    Example:
        >>> read_tsv_pairs("train.tsv", Languages("en", "de")).lines[0]   # line 1 is: de<TAB>en
        2
    """
    path = check_file(path)
    bad_lines = bad_lines or BadLines(skip=False)
    before = bad_lines.count
    languages, columns = find_columns(path, languages, encoding)
    has_header = columns is not None
    width = first = 0
    result = SentencePairs([], [], [])
    for line in decoded_lines(path, encoding):
        text = without_end(line.text)
        if line.problem:
            report_encoding(path, encoding, line, bad_lines)
            continue
        if not text.strip():
            continue
        fields = text.split("\t")
        if not width and len(fields) < 2:
            found = f"no tab in {shown(text)}"
            bad_lines.report(path, line.number, expected="a sentence, a tab and its translation", found=found)
            continue
        if not width:
            width, first = len(fields), line.number
            if has_header:
                continue
        if len(fields) != width:
            expected, found = f"{width} columns, as on line {first}", f"{len(fields)} in {shown(text)}"
            bad_lines.report(path, line.number, expected=expected, found=found)
            continue
        _add(result, line.number, [fields[column] for column in columns or (0, 1)], (path, path), bad_lines)
    return _checked(result, path, bad_lines, before)


def find_columns(
    path: str | os.PathLike, asked: Languages, encoding: str = "utf-8"
) -> tuple[Languages, tuple[int, int] | None]:
    """Finds out what the columns of a .tsv file are.

    The first line names the columns if the languages that are asked for are among its fields, or if every field looks
    like the code of a language, or says "source" or "target".

    Args:
        path: The file, plain, .gz or .xz.
        asked: The languages, or "auto".
        encoding: How the file's bytes are to be read.

    Returns:
        The languages, "source" and "target" where nothing tells them; and the source's and the target's column, from 0,
        None where no line names the columns.

    Raises:
        UserError: The file is missing, or the columns are named and a language is not among them, given twice, or not
            to be told.
    """
    check_different(asked)
    fields = _first_fields(check_file(path), encoding)
    names = [field.strip() for field in fields]
    distinct = {name.casefold() for name in names}
    given = {language.casefold() for language in asked if language != AUTO}
    are_given = bool(given) and given <= distinct
    are_codes = all(_CODE.fullmatch(name) or name.casefold() in UNNAMED for name in names)
    if len(names) < 2 or len(distinct) < len(names) or not (are_given or are_codes):
        unnamed = (name if language == AUTO else language for language, name in zip(asked, UNNAMED))
        return Languages(*unnamed), None
    if asked == Languages() and len(names) == 2:
        # Both are there, in the order of the columns, but for those that say it themselves.
        asked = Languages(*(UNNAMED if distinct == set(UNNAMED) else names))
    languages = choose_languages(asked, names, f"{path}:1")
    return languages, (names.index(languages.source), names.index(languages.target))


def _first_fields(path: Path, encoding: str) -> list[str]:
    """The fields of the first line that is not blank; none of a line that is not valid."""
    for line in decoded_lines(path, encoding):
        if line.problem:
            return []
        if line.text.strip():
            return without_end(line.text).split("\t")
    return []


def _add(pairs: SentencePairs, number: int, sides: list[str], paths: tuple[Path, Path], bad_lines: BadLines) -> None:
    """Adds a pair, unless a side is blank."""
    blank = [not text.strip() for text in sides]
    if all(blank):
        return
    if any(blank):
        empty, full = (0, 1) if blank[0] else (1, 0)
        other = "" if paths[0] == paths[1] else f" of {paths[full].name}"
        found = f"nothing beside {shown(sides[full])}{other}"
        bad_lines.report(paths[empty], number, expected=f"a {UNNAMED[empty]} sentence", found=found)
        return
    pairs.sources.append(sides[0])
    pairs.targets.append(sides[1])
    pairs.lines.append(number)


def _checked(pairs: SentencePairs, path: Path, bad_lines: BadLines, before: int) -> SentencePairs:
    if pairs.lines:
        return pairs
    if bad_lines.count > before:
        raise UserError(f"{path}: no pair can be used: {bad_lines.summary()}")
    raise UserError(f"{path} has no sentence pairs")

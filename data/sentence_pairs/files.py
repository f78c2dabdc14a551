"""Which files hold sentence pairs: one for each language, such as train.de.gz and train.en.gz, or tables."""

import dataclasses
import os
import re
from pathlib import Path

from data.errors import BadLines, UserError
from data.files import content_name, content_suffix, near_names
from data.quoting import as_typed
from data.sentence_pairs.columns import MAYBE_TABLES, Reading, find_pair_columns, is_table
from data.sentence_pairs.languages import (
    AUTO,
    SIDES,
    UNNAMED,
    Languages,
    check_different,
    choose_languages,
    is_language,
)
from data.sentence_pairs.pairs import TAGGED, SentencePairs, read_pair_table, read_parallel_files
from data.sources.split_files import Splits, find_splits, split_name
from data.tables.parquet import PARQUET
from data.tables.rows import TABLE_SUFFIXES

# What a file's name may end in that is no language.
_FORMATS = frozenset(
    "tsv csv txt json jsonl parquet md rst log xml sgm tmx ids html pdf py sh zip tar tgz bz2 7z conll conllu".split()
)
_ARCHIVES = ("zip", "tar", "tgz", "bz2", "7z")
_SPLITS = ("train", "validation", "test")
_PLAIN_OR_PACKED = "(plain, .gz or .xz)"


@dataclasses.dataclass(frozen=True)
class PairFiles(Splits):
    """The files of a source of sentence pairs: of each split its table, or its file in the source language.

    Args:
        languages: Source and target; "source" and "target" where nothing tells them.
        targets: From a file in the source language to that in the target language; empty where the files are tables.
        notice: What the user must be told about what the files were taken for, or "".
    """

    languages: Languages
    targets: dict[Path, Path]
    notice: str = ""

    @property
    def used(self) -> list[Path]:
        return [*super().used, *self.targets.values()]

    def read(self, split: str, reading: Reading = Reading(), bad_lines: BadLines | None = None) -> SentencePairs:
        """Reads a split.

        Args:
            split: Its name, as `data.sources.split_files.Splits.path` takes it.
            reading: How the files are to be read.
            bad_lines: What is done with lines that cannot be used; None raises for the first.

        Returns:
            The pairs, at least one, in the order of the file.

        Raises:
            UserError: There is no such split, and as `read_parallel_files` and `read_pair_table`.
        """
        path = self.path(split)
        if path in self.targets:
            return read_parallel_files(path, self.targets[path], reading.encoding, bad_lines)
        asked = Languages() if self.languages == UNNAMED else self.languages
        return read_pair_table(path, asked, reading, bad_lines)


def find_pairs(
    path: str | os.PathLike, asked: Languages = Languages(), reading: Reading = Reading(), *, need_train: bool = True
) -> PairFiles:
    """Finds the files of a source of sentence pairs by their names.

    Args:
        path: A folder of train.de, train.en, val.de, val.en and so on, or of train.tsv and so on; a table; or one of
            two parallel files: corpus.de means corpus.de and corpus.en. Each plain, .gz or .xz.
        asked: The languages, which are the last part of parallel files' names, or the names of a table's columns.
            Where one is "auto" it must follow from the other. Of a table both may be "auto", and of a parallel file
            that has one counterpart: it is the source.
        reading: How tables are to be read.
        need_train: Whether a folder without train files is an error; one without any split always is.

    Returns:
        The files.

    Raises:
        UserError: Nothing is there, a file has no counterpart, two files hold the same, or the languages are not there,
            not to be told, or the same.

    Example:
        >>> find_pairs("multi30k", Languages("de", "en")).targets[Path("multi30k/val.de.gz")]
        PosixPath('multi30k/val.en.gz')
    """
    path = Path(path)
    check_different(asked)
    if not path.exists():
        raise UserError(f"{path}: no such file or folder{near_names(path)}")
    if not path.is_dir():
        if is_table(path, reading):
            return _tables(Splits(path, {"all": path}, []), asked, reading)
        return _one_pair(path, asked)
    by_language, suffixes = _splits_by_language(path), _table_suffixes(path, reading)
    # train_lengths.csv is no table of pairs beside train.de and train.en.
    loosely = not _has_train(by_language)
    tables = find_splits(path, suffixes, need_train=False, loosely=loosely) if suffixes else None
    if tables and by_language:
        if "train" in tables.files and _has_train(by_language):
            kinds = ", ".join(sorted({content_suffix(file) for file in tables.files.values()}))
            languages = ", ".join(sorted(by_language))
            raise UserError(f"{path} has train files both in {kinds} and in {languages}; keep the ones or the others")
        tables = tables if "train" in tables.files else None
    if tables:
        return _tables(find_splits(path, suffixes, need_train=need_train), asked, reading)
    if by_language:
        return _parallel_folder(path, asked, by_language, need_train)
    found = ", ".join(sorted(entry.name for entry in path.iterdir())[:20]) or "nothing"
    raise UserError(
        f"{path}: expected train.tsv ({', '.join(TABLE_SUFFIXES)}), or train.de and train.en or the like "
        f"{_PLAIN_OR_PACKED}, found {found}{_renamed(path)}"
    )


def _table_suffixes(folder: Path, reading: Reading) -> list[str]:
    """The suffixes of a folder's tables; those of any text only where there are no others."""
    entries = list(folder.iterdir())
    if any(split_name(entry, TABLE_SUFFIXES) or any(entry.glob(f"*{PARQUET}")) for entry in entries):
        return list(TABLE_SUFFIXES)
    is_there = any(split_name(entry, MAYBE_TABLES) and is_table(entry, reading) for entry in entries)
    return list(MAYBE_TABLES) if is_there else []


def _tables(splits: Splits, asked: Languages, reading: Reading) -> PairFiles:
    columns = find_pair_columns(splits.files.get("train") or min(splits.files.values()), asked, reading)
    notice = "; ".join(filter(None, (str(columns), _about_splits(splits.files))))
    return PairFiles(splits.folder, splits.files, splits.ignored, columns.languages, {}, notice)


def _one_pair(path: Path, asked: Languages) -> PairFiles:
    """Finds the counterpart of a single file."""
    stem, _, language = content_name(path).rpartition(".")
    if language.lower() in _ARCHIVES:
        raise UserError(f"{path} is an archive; unpack it, and give what it holds")
    if not stem or language.lower() in _FORMATS:
        raise UserError(
            f"{path}: expected a table ({', '.join(TABLE_SUFFIXES)}, or lines with a tab), a folder, or one of two "
            f"parallel files such as corpus.de beside corpus.en {_PLAIN_OR_PACKED}{_renamed(path.parent)}"
        )
    beside: dict[str, list[Path]] = {}
    for entry in sorted(path.parent.iterdir()):
        other_stem, _, other = content_name(entry).rpartition(".")
        if other_stem == stem and other.lower() not in _FORMATS and other != language and entry.is_file():
            beside.setdefault(other, []).append(entry)
    # Europarl.de-en.de: its name tells that the other one is Europarl.de-en.en.
    pair = stem.rpartition(".")[2].split("-")
    if language in pair and beside.keys() & set(pair):
        beside = {name: entries for name, entries in beside.items() if name in pair}
    names = [language, *beside]
    where = f"{path.parent / stem}.*"
    if not beside:
        wanted = next((f"{stem}.{name}" for name in asked if name not in (AUTO, language)), "its translation")
        raise UserError(f"{path} has no counterpart; expected {wanted} {_PLAIN_OR_PACKED} beside it")
    if asked == Languages():
        asked = Languages(source=language) if len(names) == 2 else asked
    elif AUTO in asked and language.casefold() not in [name.casefold() for name in asked]:
        asked = Languages(*(language if name == AUTO else name for name in asked))
    languages = choose_languages(asked, names, where)
    if language not in languages:
        raise UserError(f"{path} is neither in {languages.source} nor in {languages.target}, which are asked for")
    for name in languages:
        if len(beside.get(name, ())) > 1:
            raise UserError(f"{beside[name][0]} and {beside[name][1]} both go with {path}; keep one of them")
    source, target = (path if name == language else beside[name][0] for name in languages)
    return PairFiles(path, {"all": source}, [], languages, {source: target}, _about_markup([source]))


def _suffixes(language: str, others: list[str]) -> list[str]:
    """What the names of files in a language end in: ".de", and ".de-en.de" or ".en-de.de" or ".tags.de-en.de"."""
    pairs = [pair for other in others for pair in (f"{language}-{other}", f"{other}-{language}")]
    endings = [f".{language}", *(f".{pair}.{language}" for pair in pairs)]
    return [*endings, *(TAGGED + ending[1:] for ending in endings)]


def _about_markup(sources: list[Path]) -> str:
    tagged = [path.name for path in sources if TAGGED in path.name]
    return f"without the lines of {', '.join(tagged)} that are marked up, such as <url>...</url>" if tagged else ""


def _about_splits(files: dict[str, Path]) -> str:
    others = [split for split in files if split not in _SPLITS]
    if "train" not in files or "validation" in files or not others:
        return ""
    return f"no validation file: some of train is held out, and {', '.join(others)} read by evaluate --split alone"


def _renamed(folder: Path) -> str:
    """Advice where the names of parallel files do not end in the language: src-train.txt, small_vocab_en."""
    named: dict[str, list[str]] = {}
    for entry in sorted(folder.iterdir()):
        stem, packed = content_name(entry).removesuffix(".txt"), entry.name.removeprefix(content_name(entry))
        first, last = re.split("[._-]", stem, maxsplit=1), re.split("[._-](?=[^._-]*$)", stem)[::-1]
        for language, *rest in (first, last):
            if rest and (language.casefold() in SIDES or is_language(language)):
                named.setdefault(rest[0], []).append(f"{entry.name} to {rest[0]}.{language}{packed}")
    pairs = {stem: found for stem, found in named.items() if len(found) == 2}
    found = pairs.get("train") or next(iter(pairs.values()), [])
    return f"; rename {' and '.join(found)}, and others likewise" if found else ""


def _splits_by_language(folder: Path) -> dict[str, set[str]]:
    """The languages that the names of a folder's files end in, and the splits that there are in each."""
    endings = {entry: content_name(entry).rpartition(".")[2] for entry in sorted(folder.iterdir())}
    names = sorted({ending for ending in endings.values() if ending and ending.lower() not in _FORMATS})
    splits: dict[str, set[str]] = {}
    for entry, ending in endings.items():
        if ending in names and (split := split_name(entry, _suffixes(ending, names))):
            splits.setdefault(ending, set()).add(split)
    # A file that has no counterpart is one of pairs only if it says so: train.de, but not notes.bak.
    return {
        name: own
        for name, own in splits.items()
        if any(split in _SPLITS for split in own) or any(own & other for key, other in splits.items() if key != name)
    }


def _has_train(by_language: dict[str, set[str]]) -> bool:
    return any("train" in splits for splits in by_language.values())


def _parallel_folder(folder: Path, asked: Languages, by_language: dict[str, set[str]], need_train: bool) -> PairFiles:
    there = {name.casefold() for name in by_language}
    for name in asked:
        if name != AUTO and name.casefold() not in there:
            wanted = f"{'train' if need_train else 'test'}.{name} {_PLAIN_OR_PACKED}"
            raise UserError(f"{folder} has no file in {name}, such as {wanted}; it has {', '.join(by_language)}")
    # Files of other kinds may have the stem of some split, but hardly that of the training files.
    trained = {name.casefold(): name for name, splits in by_language.items() if "train" in splits}
    are_trained = trained and all(name.casefold() in trained for name in asked if name != AUTO)
    languages = choose_languages(asked, trained.values() if are_trained else by_language, str(folder))
    sides = []
    for language, other in (languages, languages[::-1]):
        sides.append(find_splits(folder, _suffixes(language, [other]), need_train=False))
    files: dict[str, Path] = {}
    targets: dict[Path, Path] = {}
    alone: list[Path] = []
    for split in sorted({*sides[0].files, *sides[1].files}):
        found = [side.files[split] for side in sides if split in side.files]
        if len(found) == 2:
            files[split], targets[found[0]] = found
            continue
        (present,) = found
        missing = languages.target if split in sides[0].files else languages.source
        if split in _SPLITS:
            wanted = f"{content_name(present).rpartition('.')[0]}.{missing}"
            raise UserError(f"{present} has no counterpart; expected {wanted} {_PLAIN_OR_PACKED} beside it")
        alone.append(present)
    if not files or (need_train and "train" not in files):
        wanted = "train" if need_train else "test"
        pair = next(iter(files.values()), None)
        advice = f"; {as_typed('--data', pair)} takes that pair of files" if pair else ""
        raise UserError(
            f"{folder} has no {wanted} files; expected {wanted}.{languages.source} and {wanted}.{languages.target} "
            f"{_PLAIN_OR_PACKED}{advice}"
        )
    used = {*targets, *targets.values()}
    ignored = sorted({*sides[0].ignored, *sides[1].ignored, *alone} - used)
    notices = _about_markup(list(targets)), _about_splits(files)
    return PairFiles(folder, files, ignored, languages, targets, "; ".join(filter(None, notices)))

"""Files of running text: one file, a folder of splits, or a folder of documents."""

from collections import Counter
from pathlib import Path

from data.errors import BadLines, UserError
from data.files import content_name, decoded_lines, parts, report_encoding, without_end
from data.running_text.documents import Documents
from data.sources.split_files import Splits, find_splits, known_split, split_name

# Of a folder's files, those that may be text; a single file may be called as it likes.
SUFFIXES = (".txt", ".text", ".tokens", ".raw", ".md", "")
_STANDARD = ("train", "validation", "test")
# A text may have no line end at all, and is held in memory anyway.
LONGEST_LINE = 2**30  # bytes


def find_documents(path: Path, need_train: bool = True) -> Splits:
    """Finds the files of running text at a path.

    Args:
        path: One file; a folder that holds train, validation and test files; or a folder of documents, a file each,
            which are read in the order of their names.
        need_train: Whether a folder of splits without a train file is an error.

    Returns:
        The splits; of one file, and of a folder of documents, "all" (documents are one path, with a `*`).

    Raises:
        UserError: Nothing is there, or no file of text.

    Example:
        >>> find_documents(Path("novels")).files
        {'all': PosixPath('novels/*.txt')}
    """
    if not path.is_dir():
        return find_splits(path, SUFFIXES)
    entries = sorted(path.iterdir())
    names = [(entry, split_name(entry, SUFFIXES)) for entry in entries]
    if any(name and known_split(name) in _STANDARD for _, name in names):
        return find_splits(path, SUFFIXES, need_train=need_train, last=())
    kinds = Counter(_ending(entry) for entry, name in names if name and _ending(entry))
    if not kinds:
        return find_splits(path, SUFFIXES, need_train=need_train, last=())
    (ending, _), *_ = kinds.most_common(1)
    documents = path / f"*{ending}"
    found = set(_documents(documents))
    return Splits(path, {"all": documents}, [entry for entry in entries if entry not in found])


def read_documents(path: Path, encoding: str, bad_lines: BadLines) -> Documents:
    r"""Reads the files of one split, each a document.

    Args:
        path: A file, plain, `.gz` or `.xz`, or several by a `*`.
        encoding: How they are to be read; "\r\n" becomes "\n".
        bad_lines: What is done with a line that is not valid in the encoding.

    Raises:
        UserError: A file is damaged or has such a line, or there is no text in any.
    """
    lines: list[str] = []
    begins: list[bool] = []
    for file in _documents(path):
        start = len(lines)
        for line in decoded_lines(file, encoding, LONGEST_LINE):
            if line.problem:
                report_encoding(file, encoding, line, bad_lines)
                continue
            text = without_end(line.text)
            lines.append(text + "\n" if len(text) < len(line.text) else text)
        begins += [place == start for place in range(start, len(lines))]
    if not lines:
        raise UserError(f"{path}: there is no text in it")
    return Documents(lines, begins)


def _documents(path: Path) -> list[Path]:
    """The files that a path stands for, without a README and the like beside documents."""
    found = parts(path)
    return [file for file in found if split_name(file, SUFFIXES)] if len(found) > 1 else found


def _ending(path: Path) -> str:
    """What a file's name ends in, the suffix of a compression included; "" where it has no suffix of a text."""
    suffix = Path(content_name(path)).suffix
    return suffix + path.name[len(content_name(path)) :] if suffix.lower() in SUFFIXES else ""

"""Text files as users have them: plain, gzip or xz, UTF-8 or another encoding, with or without a byte order mark."""

import codecs
import contextlib
import difflib
import gzip
import hashlib
import io
import lzma
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, cast

from data.errors import BadLines, UserError

COMPRESSIONS = (".gz", ".xz")

# The first bytes by which a file tells what it is, whatever its name says.
_SIGNATURES = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
}
# So many bytes tell how a file's lines end.
_LOOKED_AT = 2**16
# A longer line is none: it would take all the memory.
LONGEST_LINE = 2**26  # bytes
# A file that unpacks to more than this, and to so many times its own size, was made to fill the memory. Texts become 3
# to 20 times as large.
MOST_UNPACKED, MOST_TIMES = 2**30, 100
# Of a file's first lines, what is looked at to tell how it is written.
MOST_SAMPLED = 2**24  # characters
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


class Line(NamedTuple):
    """One line of a file: its number from 1, its text with the line end, and why it is not valid text ("" if it is)."""

    number: int
    text: str
    problem: str


def content_suffix(path: str | os.PathLike) -> str:
    """The suffix that tells the format, in lower case, without that of a compression.

    Args:
        path: A file's name.

    Returns:
        The suffix with its dot, or "".

    Example:
        >>> content_suffix("reviews.csv.gz")
        '.csv'
    """
    return Path(content_name(path)).suffix.lower()


def content_name(path: str | os.PathLike) -> str:
    """A file's name without its folder and without the suffix of a compression: "a/x.csv.gz" is "x.csv"."""
    name = Path(path).name
    for compression in COMPRESSIONS:
        if name.lower().endswith(compression):
            return name[: -len(compression)]
    return name


def check_file(path: str | os.PathLike) -> Path:
    """The path of a file that exists.

    Args:
        path: Where the file should be.

    Returns:
        The path.

    Raises:
        UserError: Nothing is there (similar names in the folder are given), or a folder is.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder; expected a file")
    if not path.exists():
        raise UserError(f"{path}: no such file{near_names(path)}")
    return path


def parts(path: str | os.PathLike) -> list[Path]:
    """The files that a path stands for: itself, or where it has a `*`, those that it matches, in order of their names.

    Example:
        >>> parts("imdb/train-*-of-00002.parquet")
        [PosixPath('imdb/train-00000-of-00002.parquet'), PosixPath('imdb/train-00001-of-00002.parquet')]
    """
    path = Path(path)
    start = next((number for number, part in enumerate(path.parts) if "*" in part), None)
    if start is None or path.exists():
        return [path]
    return sorted(Path(*path.parts[:start]).glob("/".join(path.parts[start:]))) or [path]


def near_names(path: Path) -> str:
    """What to add to "no such file": similar names in its folder, or that the folder itself is missing."""
    folder = path.parent
    if not folder.is_dir():
        return f"; the folder {folder} does not exist"
    names = [entry.name for entry in folder.iterdir()]
    plain = content_name(path)
    near = [name for name in names if content_name(name) == plain]
    near += [name for name in difflib.get_close_matches(path.name, names, n=3) if name not in near]
    return f"; did you mean {' or '.join(str(folder / name) for name in near[:3])}?" if near else ""


def numbered_lines(
    path: str | os.PathLike, encoding: str = "utf-8", bad_lines: BadLines | None = None
) -> Iterator[tuple[int, str]]:
    r"""Reads a text file line by line, without holding it in memory.

    Only "\n" and "\r\n" end a line: a text may hold U+2028, form feeds and the like.

    Args:
        path: The file, plain or compressed as its name says (`.gz`, `.xz`).
        encoding: How its bytes are to be read; a byte order mark of UTF-8 is dropped.
        bad_lines: What is done with a line that is not valid in the encoding; None raises.

    Returns:
        An iterator of (line number from 1, the line without its end).

    Raises:
        UserError: The file is missing, is damaged or has a line that is not valid in the encoding; the first at
            once, the others when the iterator gets there.

    Example:
        >>> for number, line in numbered_lines("reviews.txt.gz"):
        ...     print(number, line)
    """
    lines = decoded_lines(path, encoding)
    return _valid_lines(path, encoding, lines, bad_lines or BadLines(skip=False))


def _valid_lines(
    path: str | os.PathLike, encoding: str, lines: Iterator[Line], bad_lines: BadLines
) -> Iterator[tuple[int, str]]:
    for line in lines:
        if line.problem:
            report_encoding(path, encoding, line, bad_lines)
        else:
            yield line.number, without_end(line.text)


def report_encoding(path: str | os.PathLike, encoding: str, line: Line, bad_lines: BadLines) -> None:
    """Reports a line that is not valid in the encoding, with the flag that names another one."""
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    advice = "--encoding latin-1, cp1251, gb18030, shift_jis or the like" if is_utf8 else "--encoding utf-8 or the like"
    advice += " reads another encoding"
    if is_utf8 and _is_mostly_utf8(Path(path)):
        advice = "the file is UTF-8 but for a few bytes"
    bad_lines.report(path, line.number, expected=f"{encoding} text", found=line.problem, advice=advice)


def _is_mostly_utf8(path: Path) -> bool:
    """Whether most of what is not ASCII at a file's beginning is UTF-8: it was cut in places, and is no other text."""
    if not path.is_file():
        return False
    with contextlib.suppress(*_DAMAGED), open_bytes(path) as stream:
        text = stream.read(2**22).decode("utf-8", "replace")
        bad = text.count("\ufffd")
        return len(text.encode("ascii", "ignore")) < len(text) - 2 * bad
    return False


def without_end(line: str) -> str:
    r"""A line without the "\n" or "\r\n" that ends it."""
    if line.endswith("\n"):
        return line[:-2] if line.endswith("\r\n") else line[:-1]
    return line


def sampled(lines: Iterator[Line], most: int) -> list[Line]:
    """The first lines of a file: so many, or fewer where they are very long."""
    sample, size = [], 0
    for line in islice(lines, most):
        sample.append(line)
        size += len(line.text)
        if size > MOST_SAMPLED:
            break
    return sample


def decoded_lines(path: str | os.PathLike, encoding: str = "utf-8", longest: int | None = None) -> Iterator[Line]:
    """Reads a text file line by line, and leaves it to the caller what to do with lines that are not valid.

    A line that is not valid in the encoding comes with its bad bytes as U+FFFD and a `problem`, so that a reader
    whose records span lines can drop the whole record.

    Args:
        path: The file, plain or compressed as its name says.
        encoding: How its bytes are to be read.
        longest: What a line may have of bytes, in UTF-16 and its like of characters; None means `LONGEST_LINE`.

    Returns:
        An iterator of `Line`.

    Raises:
        UserError: As `numbered_lines`, except for lines that are not valid.
    """
    longest = longest or LONGEST_LINE
    path = check_file(path)
    check_encoding(encoding)
    _check_signature(path, encoding)
    # In these encodings a byte 10 is a line end and nothing else; in UTF-16 and its like it is not.
    by_bytes = "\n".encode(encoding) == b"\n"
    lines = _lines_by_bytes(path, encoding, longest) if by_bytes else _lines_by_characters(path, encoding, longest)
    return _guarded(path, lines)


def check_encoding(encoding: str) -> None:
    """Raises a `UserError` for an encoding that Python does not know."""
    try:
        "".encode(encoding)  # unlike codecs.lookup, this refuses codecs that are not for text, such as "hex"
    except (LookupError, ValueError):
        raise UserError(f"unknown encoding {encoding!r}; expected utf-8, latin-1, cp1252, utf-16 or the like") from None


def _check_signature(path: Path, encoding: str) -> None:
    if not path.is_file():
        return  # a pipe: looking at its first bytes would take them away
    with open(path, "rb") as file:
        start = file.read(8)
    compression = path.suffix.lower()
    if start.startswith(b"PAR1"):
        raise UserError(f"{path} is a .parquet file, not plain text; name it {path.stem}.parquet")
    for signature, name in _SIGNATURES.items():
        expected = {"gzip": ".gz", "xz": ".xz"}.get(name, "")
        if start.startswith(signature) and compression != expected:
            advice = f"name it {path.name}{expected}" if expected else "unpack it first"
            raise UserError(f"{path} is packed by {name}, not plain text; {advice}")
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and codecs.lookup(encoding).name == "utf-8":
        raise UserError(f"{path}:1: expected {encoding} text, found UTF-16; add --encoding utf-16")


def open_bytes(path: str | os.PathLike) -> IO[bytes]:
    """Opens a file for reading its uncompressed bytes.

    Args:
        path: The file; `.gz` and `.xz` are uncompressed while reading.

    Returns:
        A binary stream. Reading from a damaged archive raises EOFError, zlib.error, lzma.LZMAError or OSError, from one
        that unpacks to far more than texts do a `UserError`.
    """
    stream = open(path, "rb")  # noqa: SIM115 (whoever asked closes it)
    if Path(path).suffix.lower() in COMPRESSIONS:
        return cast(IO[bytes], _Unpacked(Path(path), stream))
    return stream


class _Unpacked(io.RawIOBase):
    """The uncompressed bytes of a `.gz` or `.xz` file, as long as they are not out of all proportion to its size."""

    def __init__(self, path: Path, packed: IO[bytes]):
        super().__init__()
        self._path, self._packed, self._size = path, packed, 0
        is_gzip = path.suffix.lower() == ".gz"
        self._stream = gzip.GzipFile(fileobj=packed) if is_gzip else lzma.LZMAFile(packed)  # noqa: SIM115 (as `close` does)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        content = self._stream.read(size)
        self._size += len(content)
        status = os.fstat(self._packed.fileno())
        if stat.S_ISREG(status.st_mode):  # a pipe has no size
            check_growth(self._path, status.st_size, self._size)
        return content

    def readinto(self, buffer) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()


def _lines_by_bytes(path: Path, encoding: str, longest: int) -> Iterator[Line]:
    drop_mark = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    if drop_mark:
        encoding = "utf-8"  # utf-8-sig would drop a mark from every line
    with open_bytes(path) as stream:
        for number, raw in enumerate(_raw_lines(stream, longest), start=1):
            check_length(path, number, len(raw), longest)
            if drop_mark and number == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            try:
                yield Line(number, raw.decode(encoding), "")
            except UnicodeDecodeError as error:
                problem = f"the byte 0x{raw[error.start]:02x} at position {error.start + 1}"
                yield Line(number, raw.decode(encoding, "replace"), problem)


def _raw_lines(stream: IO[bytes], longest: int) -> Iterator[bytes]:
    r"""The lines of a file, whose ends are "\n", or "\r" where there is no "\n", as old programs on a Mac write.

    Of a line that is longer, a piece that is too long comes in its place.
    """
    buffered = io.BufferedReader(cast(io.RawIOBase, stream), _LOOKED_AT)
    start = buffered.peek(_LOOKED_AT)
    if b"\r" not in start or b"\n" in start:
        while line := buffered.readline(longest + 1):
            yield line
        return
    rest = bytearray()
    while block := buffered.read(_LOOKED_AT):
        *ended, last = block.split(b"\r")
        for piece in ended:
            yield bytes(rest + piece + b"\n")
            rest.clear()
        rest += last
        if len(rest) > longest:
            break
    if rest:
        yield bytes(rest)


def _lines_by_characters(path: Path, encoding: str, longest: int) -> Iterator[Line]:
    number = 1
    with open_bytes(path) as stream:
        try:
            lines = io.TextIOWrapper(stream, encoding, newline="\n")
            while text := lines.readline(longest + 1):
                check_length(path, number, len(text), longest)
                yield Line(number, text.removeprefix("\ufeff") if number == 1 else text, "")
                number += 1
        except UnicodeError as error:
            # The text is decoded in blocks, so that the exact line is not known.
            reason = getattr(error, "reason", error)
            message = f"{path}:{number}: expected {encoding} text at or after this line ({reason})"
            raise UserError(f"{message}; --encoding names another encoding") from None


def check_length(path: str | os.PathLike, number: int, length: int, longest: int) -> None:
    """Raises a `UserError` for a line that is too long to be one."""
    if length > longest:
        raise UserError(f"{path}:{number}: a line of more than {longest:,} bytes, the most that is read; is it a text?")


def check_growth(path: str | os.PathLike, packed: int, unpacked: int) -> None:
    """Raises a `UserError` where what was read of a file, in bytes, has become far more than what people collect.

    Args:
        path: The file.
        packed: Its size.
        unpacked: What was read of it so far, uncompressed.
    """
    if unpacked > MOST_UNPACKED and unpacked > MOST_TIMES * packed:
        advice = "unpack it first" if Path(path).suffix.lower() in COMPRESSIONS else "write it as .csv"
        raise UserError(
            f"{path} unpacks to more than {MOST_UNPACKED:,} bytes and to {MOST_TIMES} times its size: a file that is "
            f"made to fill the memory does; if this one is meant to, {advice}"
        )


def _guarded(path: Path, lines: Iterator[Line]) -> Iterator[Line]:
    number = 0
    try:
        for line in lines:
            number = line.number
            yield line
    except _DAMAGED as error:
        where = f"line {number} is the last that can be read" if number else "no line of it can be read"
        raise UserError(f"{path}: the archive is cut short or damaged; {where}; get it again ({error})") from None


def fingerprint(paths: Iterable[str | os.PathLike]) -> str:
    """One number for a set of files: it changes when a name or a byte does, not when the folder moves.

    Args:
        paths: The files, in any order.

    Returns:
        SHA-256 over the names (without folders) and contents, as 64 hexadecimal digits.

    Raises:
        UserError: A file is missing.
    """
    total = hashlib.sha256()
    for path in sorted((check_file(path) for path in paths), key=lambda path: (path.name, str(path))):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.name}\0{content}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()

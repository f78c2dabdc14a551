"""Comparing and merging the contents of files: text by lines, anything else as a whole."""

import difflib

import merge3

CONFLICT_START = b"<<<<<<< yours\n"
_CONFLICT_MIDDLE = b"=======\n"
_CONFLICT_END = b">>>>>>> project\n"


def is_text(content: bytes) -> bool:
    """Whether `content` is UTF-8 without null characters."""
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def same(one: bytes | None, other: bytes | None) -> bool:
    """Whether two contents are equal; None, an absent file, equals None.

    Text whose line ends alone differ is equal: git on Windows turns LF into CRLF, which is no change of anybody's.
    """
    return one == other or (one is not None and other is not None and _unix(one) == _unix(other))


def unified_diff(before: bytes | None, after: bytes | None, before_name: str, after_name: str) -> str:
    """Shows what changed from one content to another.

    Args:
        before, after: The contents; None is an absent file.
        before_name, after_name: How the header calls them.

    Returns:
        A unified diff, which `git apply` and `patch -p1` take; empty when the contents are the same; one line when one
        of them is not text.
    """
    if same(before, after):
        return ""
    if not is_text(before or b"") or not is_text(after or b""):
        return f"{before_name} and {after_name} differ and are not text\n"
    names = ("/dev/null" if before is None else before_name, "/dev/null" if after is None else after_name)
    # A tab ends a name that has blanks.
    names = (f"{name}\t" if " " in name else name for name in names)
    lines = difflib.unified_diff(_lines(_unix(before or b"")), _lines(_unix(after or b"")), *names)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def merge_three_ways(base: bytes, yours: bytes, upstream: bytes) -> tuple[bytes, bool]:
    """Brings two changes of one text together.

    Args:
        base: The text that both began from.
        yours, upstream: The two texts of today. All three must be text.

    Returns:
        The merged text, with the line ends of `yours`; and whether it holds conflict markers, because both changed the
        same or neighbouring lines in different ways.

    Example:
        >>> merge_three_ways(b"a\\nb\\nc\\n", b"A\\nb\\nc\\n", b"a\\nb\\nC\\n")
        (b'A\\nb\\nC\\n', False)
    """
    texts = [_lines(_unix(content)) for content in (base, yours, upstream)]
    parts, conflict = [], False
    for kind, *groups in merge3.Merge3(*texts, sequence_matcher=_matcher).merge_groups():
        if kind == "conflict":
            _, mine, theirs = groups
            parts += [
                CONFLICT_START.decode(),
                _ended(mine),
                _CONFLICT_MIDDLE.decode(),
                _ended(theirs),
                _CONFLICT_END.decode(),
            ]
            conflict = True
        else:
            parts += groups[0]
    return with_line_ends("".join(parts).encode("utf-8"), has_windows_ends(yours)), conflict


def has_windows_ends(content: bytes) -> bool:
    """Whether most lines of a text end in CRLF."""
    return 2 * content.count(b"\r\n") > content.count(b"\n")


def with_line_ends(content: bytes, windows: bool) -> bytes:
    """A text with the line ends of its owner, CRLF or LF; what is not text stays as it is."""
    return _unix(content).replace(b"\n", b"\r\n") if windows and is_text(content) else content


def has_conflict(content: bytes | None) -> bool:
    """Whether conflict markers written by `merge_three_ways` still stand in the content."""
    lines = (content or b"").splitlines()
    return CONFLICT_START.strip() in lines and _CONFLICT_END.strip() in lines


def _matcher(junk, one, other) -> difflib.SequenceMatcher:
    # Without autojunk=False, lines common in files of over 200 lines would not be matched, and conflicts grow.
    return difflib.SequenceMatcher(junk, one, other, autojunk=False)


def _unix(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n") if b"\r\n" in content and is_text(content) else content


def _lines(content: bytes) -> list[str]:
    # Not str.splitlines: it also breaks at form feeds and Unicode separators, which others take as part of a line.
    *lines, rest = content.decode("utf-8").split("\n")
    return [f"{line}\n" for line in lines] + ([rest] if rest else [])


def _ended(lines: list[str]) -> str:
    text = "".join(lines)
    return text if not text or text.endswith("\n") else text + "\n"

"""Captions of pictures: lines of `name#k<TAB>caption` or `name<TAB>caption`, COCO's JSON, and lists of pictures."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from data.errors import BadLines, UserError, shown
from data.files import check_file, content_suffix, decoded_lines, numbered_lines, without_end

JSON = ".json"
# What a file of captions or a list of pictures may be called otherwise.
TEXT_SUFFIXES = (".txt", ".tsv", ".token", ".lst")
_NUMBER = re.compile(r"#\d+$")


def read_captions(
    path: str | os.PathLike, encoding: str = "utf-8", bad_lines: BadLines | None = None
) -> dict[str, list[str]]:
    """Reads the captions of pictures.

    A `.json` file holds `images` (each an `id` and a `file_name`) and `annotations` (each an `image_id` and
    a `caption`), as COCO's do. Any other has a picture's name, a tab and a caption on each line; the name may end in
    `#` and the caption's number, which is not read.

    Args:
        path: The file, plain, .gz or .xz.
        encoding: How its bytes are to be read.
        bad_lines: What is done with lines and JSON entries that cannot be used; None raises for the first.

    Returns:
        From each picture's name, as it stands there, to its captions in the order of the file, one at least.

    Raises:
        UserError: The file is missing, is no JSON of this kind, has no captions, or a line is bad: it is not valid in
            the encoding, has no tab, or nothing on one side of it.

    Example:
        >>> read_captions("Flickr8k.token.txt.xz")["1001773457_577c3a7d70.jpg"][0]
        'A black dog and a spotted dog are fighting'

    Source:
        The entries of the JSON: https://cocodataset.org/#format-data, 5. Image Captioning
    """
    path = check_file(path)
    bad_lines = bad_lines or BadLines(skip=False)
    before = bad_lines.count
    pairs = _json_pairs if content_suffix(path) == JSON else _line_pairs
    captions: dict[str, list[str]] = {}
    for name, caption in pairs(path, encoding, bad_lines):
        captions.setdefault(name, []).append(caption)
    if captions:
        return captions
    if bad_lines.count > before:
        raise UserError(f"{path}: no caption can be used: {bad_lines.summary()}")
    raise UserError(f"{path} has no captions")


def read_picture_list(path: str | os.PathLike, encoding: str = "utf-8", bad_lines: BadLines | None = None) -> list[str]:
    """Reads the names of a split's pictures, one on each line.

    Args:
        path: The file, plain, .gz or .xz.
        encoding: How its bytes are to be read.
        bad_lines: What is done with lines that are not valid in the encoding; None raises for the first.

    Returns:
        The names, each once, in the order of the file; maybe none.

    Raises:
        UserError: The file is missing, or a line is not valid in the encoding.
    """
    names = (text.strip() for _, text in numbered_lines(path, encoding, bad_lines))
    return list(dict.fromkeys(name for name in names if name))


def columns_of(path: str | os.PathLike, encoding: str = "utf-8") -> int:
    """The number of columns, separated by tabs, in the first line that is not blank; 0 in an empty file."""
    for line in decoded_lines(path, encoding):
        if line.text.strip():
            return 1 + without_end(line.text).count("\t")
    return 0


def _line_pairs(path: Path, encoding: str, bad_lines: BadLines) -> Iterator[tuple[str, str]]:
    for number, text in numbered_lines(path, encoding, bad_lines):
        if not text.strip():
            continue
        name, tab, caption = text.partition("\t")
        name, caption = _NUMBER.sub("", name.strip()).strip(), caption.strip()
        if name and caption:
            yield name, caption
            continue
        missing = "no tab" if not tab else "no caption" if name else "no name"
        expected = "a picture's name, a tab and a caption"
        bad_lines.report(path, number, expected=expected, found=f"{missing} in {shown(text)}")


def _json_pairs(path: Path, encoding: str, bad_lines: BadLines) -> Iterator[tuple[str, str]]:
    # A damaged character may be anywhere in the structure, so that it cannot be left out with its line.
    lines = list(decoded_lines(path, encoding))
    for line in lines:
        if line.problem:
            raise UserError(
                f"{path}:{line.number}: expected {encoding} text, found {line.problem}; --encoding names another one"
            )
    try:
        content = json.loads("".join(line.text for line in lines))
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise UserError(f"{path}:{line}: expected JSON ({error}); get the file again or mend it") from None
    images, annotations = (_entries(content, key) for key in ("images", "annotations"))
    if images is None or annotations is None:
        expected = "a JSON object with the lists images and annotations, as COCO's captions have"
        found = ", ".join(map(str, list(content)[:6])) if isinstance(content, dict) else type(content).__name__
        raise UserError(f"{path}: expected {expected}, found {found or 'nothing'}")
    names: dict[object, str] = {}
    for number, entry in enumerate(images, start=1):
        identity, name = (entry.get(key) if isinstance(entry, dict) else None for key in ("id", "file_name"))
        if _is_key(identity) and isinstance(name, str) and name.strip():
            names[identity] = name.strip()
        else:
            bad_lines.report(f"{path}:images", number, expected="an id and a file_name", found=shown(str(entry)))
    for number, entry in enumerate(annotations, start=1):
        identity, caption = (entry.get(key) if isinstance(entry, dict) else None for key in ("image_id", "caption"))
        if not isinstance(caption, str) or not caption.strip():
            found = shown(str(entry))
            bad_lines.report(f"{path}:annotations", number, expected="an image_id and a caption", found=found)
        elif not _is_key(identity) or identity not in names:
            found = f"{identity!r}"
            bad_lines.report(f"{path}:annotations", number, expected="the id of one of the images", found=found)
        else:
            yield names[identity], " ".join(caption.split())


def _entries(content: object, key: str) -> list | None:
    entries = content.get(key) if isinstance(content, dict) else None
    return entries if isinstance(entries, list) else None


def _is_key(identity: object) -> bool:
    return isinstance(identity, (int, str))

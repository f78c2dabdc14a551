"""Captions in JSON: COCO's, Karpathy and Li's with their splits, lists of objects, and captions by pictures' names."""

import json
import lzma
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.captioned_pictures.caption_columns import Caption, Columns, captions_of_rows, find_columns, split_name
from data.errors import BadLines, UserError, shown
from data.files import decoded_lines, open_bytes
from data.json_text import LARGEST_VALUE, parse_lines

EXPECTED_JSON = (
    "COCO's (images, annotations), Karpathy's (images with sentences), a list of objects with file_name and caption, "
    "or captions by pictures' names"
)
# Bytes, in which the keys of the first entries stand.
_BEGINNING = 2**16
_NAME_OF_TEXTS = re.compile(r'\s*\{\s*"([^"\\]+)"\s*:\s*(\[\s*)?"')
_CAPTION_KEY = re.compile(r'"(captions?|sentences|caption_?\d)"\s*:')


def says_captions(path: Path, encoding: str) -> bool:
    """Whether a .json file holds captions, by its name or by the keys that it begins with."""
    return "caption" in path.name.lower() or bool(_CAPTION_KEY.search(beginning(path, encoding)))


def first_key_of_texts(path: Path, encoding: str) -> str | None:
    """The first key of a .json file that begins with an object of texts, or of lists of texts; else None."""
    found = _NAME_OF_TEXTS.match(beginning(path, encoding))
    return found and found[1]


def beginning(path: Path, encoding: str) -> str:
    """The first characters of a text file, in which the keys of its first entries stand; "" of a damaged one."""
    try:
        with open_bytes(path) as stream:  # not line by line: in COCO's files all stands on one
            return stream.read(_BEGINNING).decode(encoding, "replace").removeprefix("\ufeff")
    except (EOFError, zlib.error, lzma.LZMAError, OSError):
        return ""


def read_json_captions(path: Path, encoding: str, bad_lines: BadLines) -> tuple[str, Iterator[Caption]]:
    """Reads captions of a .json file.

    Args:
        path: The file, plain, .gz or .xz.
        encoding: How its bytes are to be read.
        bad_lines: What is done with entries that cannot be used.

    Returns:
        What was recognized, in words; and the captions.

    Raises:
        UserError: It is no JSON, or none of the kinds that are known.

    Source:
        https://cocodataset.org/#format-data, 5. Image Captioning; https://cs.stanford.edu/people/karpathy/deepimagesent
    """
    content = parse_lines(path, encoding, decoded_lines(path, encoding, LARGEST_VALUE), "JSON")
    if isinstance(content, dict):
        images, annotations = content.get("images"), content.get("annotations")
        if isinstance(images, list) and any(isinstance(one, dict) and "sentences" in one for one in images):
            has_splits = any(isinstance(one, dict) and "split" in one for one in images)
            splits = ", with its splits (restval belongs to train)" if has_splits else ""
            return f"Karpathy's JSON{splits}", _karpathy_captions(f"{path}:images", images, bad_lines)
        if isinstance(images, list) and isinstance(annotations, list):
            return "COCO's JSON", _coco_captions(path, images, annotations, bad_lines)
        if content and all(isinstance(value, str | list) for value in content.values()) and _is_by_name(content):
            rows = enumerate(({"image": name, "caption": texts} for name, texts in content.items()), start=1)
            by_name = captions_of_rows(f"{path}", rows, Columns("image", ["caption"]), bad_lines)
            return "captions by pictures' names", by_name
    if isinstance(content, list) and content and all(isinstance(one, dict) for one in content):
        columns = find_columns(dict.fromkeys(key for one in content for key in one))
        if columns:
            rows = enumerate(content, start=1)
            return f"a list of objects, {columns}", captions_of_rows(f"{path}", rows, columns, bad_lines)
    raise UserError(f"{path}: expected captions as {EXPECTED_JSON}; found {what_json_holds(content)}")


def what_json_holds(content: Any) -> str:
    """A JSON value in a few words."""
    if isinstance(content, dict):
        return f"an object of {', '.join(map(str, list(content)[:6])) or 'nothing'}"
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return f"a list of objects of {', '.join(map(str, list(content[0])[:6])) or 'nothing'}"
    return "a list" if isinstance(content, list) else shown(json.dumps(content))


def _is_by_name(content: dict) -> bool:
    """Whether the values are captions, and not lists of whatever else."""
    return all(
        isinstance(value, str) or (value and all(isinstance(text, str) for text in value)) for value in content.values()
    )


def _karpathy_captions(place: str, images: list, bad_lines: BadLines) -> Iterator[Caption]:
    for number, entry in enumerate(images, start=1):
        entry = entry if isinstance(entry, dict) else {}
        folder, name = entry.get("filepath"), entry.get("filename")
        name = os.path.join(folder, name) if isinstance(folder, str) and isinstance(name, str) else name
        texts = [_sentence(one) for one in entry.get("sentences") or [] if isinstance(one, dict)]
        if isinstance(name, str) and name.strip() and texts and all(texts):
            yield from (Caption(number, name.strip(), text, split_name(entry.get("split"))) for text in texts)
        else:
            bad_lines.report(place, number, expected="a filename and sentences", found=shown(str(entry)))


def _sentence(sentence: dict) -> str:
    raw, tokens = sentence.get("raw"), sentence.get("tokens")
    if not isinstance(raw, str) and isinstance(tokens, list):
        raw = " ".join(map(str, tokens))
    return " ".join(raw.split()) if isinstance(raw, str) else ""


def _coco_captions(path: Path, images: list, annotations: list, bad_lines: BadLines) -> Iterator[Caption]:
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
            yield Caption(number, names[identity], " ".join(caption.split()))


def _is_key(identity: object) -> bool:
    return isinstance(identity, (int, str))

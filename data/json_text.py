"""JSON as strangers write it: what it holds, or in a few words why it cannot be taken."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data.errors import UserError, shown
from data.files import Line

# A file's one value, such as an array or COCO's object, is held whole: so many bytes on a line, or characters in all.
LARGEST_VALUE = 2**28
# And so many values, which take more of the memory than their characters do.
MOST_VALUES = 2**26
# Lists and objects within one another; whoever walks through them or writes them again needs a limit, too.
DEEPEST = 100
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(text: str) -> Any:
    r"""The value of a JSON text; half characters ("\ud83d"), which no UTF-8 file or tensor can hold, become U+FFFD.

    Raises:
        ValueError: It is no JSON, a `json.JSONDecodeError` then; it is nested deeper than `DEEPEST`; a key comes twice
            in an object, of whose values one would be lost; or a whole number has thousands of digits.

    Example:
        >>> parse_json('{"text": "a", "text": "b"}')
        Traceback (most recent call last):
        ...
        ValueError: the key 'text' comes twice
    """
    try:
        value = json.loads(text, strict=False, object_pairs_hook=_object)
    except RecursionError:
        value = None
        is_deep = True
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise ValueError(str(error).partition("; use sys")[0]) from None  # which is for programmers
    else:
        is_deep = text.count("[") + text.count("{") > DEEPEST and _is_deep(value)
    if is_deep:
        raise ValueError(f"lists or objects nested more than {DEEPEST} deep")
    return _without_surrogates(value) if _SURROGATE_ESCAPE.search(text) else value


def parse_lines(path: Path, encoding: str, lines: Iterable[Line], expected: str) -> Any:
    """The one value that a JSON file holds, of which no line can be left out.

    Args:
        path: The file, for messages.
        encoding: How its bytes were read.
        lines: Its lines; they are held in memory.
        expected: What it should hold, in words.

    Raises:
        UserError: It does not, is not valid text, is larger than `LARGEST_VALUE` or holds more than `MOST_VALUES`.
    """
    texts: list[str] = []
    first, size = 1, 0
    for line in lines:
        if line.problem:
            found = f"expected {encoding} text, found {line.problem}"
            raise UserError(f"{path}:{line.number}: {found}; --encoding names another encoding")
        first = first if texts else line.number
        texts.append(line.text)
        size += len(line.text)
        if size > LARGEST_VALUE:
            raise _too_large(path, f"{LARGEST_VALUE:,} characters")
    text = "".join(texts)
    if text.count(",") + text.count("[") + text.count("{") > MOST_VALUES:
        raise _too_large(path, f"{MOST_VALUES:,} values")
    try:
        return parse_json(text)
    except ValueError as error:
        number = first - 1 + error.lineno if isinstance(error, json.JSONDecodeError) else first
        raise UserError(f"{path}:{number}: expected {expected} ({error}); mend it or get it again") from None


def _too_large(path: Path, most: str) -> UserError:
    advice = "write an object on each line, and name it .jsonl"
    return UserError(f"{path}: more than {most}, the most that is read whole; {advice}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {shown(next(key for key in keys if keys.count(key) > 1))} comes twice")
    return found


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        nested = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [item for items in nested for item in items if isinstance(item, dict | list)]
        if not level:
            return False
    return True


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value

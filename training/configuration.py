"""A template's `Config`, a frozen dataclass: its fields say their bounds, and the comments above them are their help.

Example:
    @dataclass(frozen=True)
    class Config:
        # --- Network ---

        # the length of the state h
        units: Annotated[int, at_least(1)] = 64
        # the share of the states that is dropped in training
        dropout: Share = 0.3

        def __post_init__(self):
            check_bounds(self)
"""

import ast
import inspect
import io
import re
import tokenize
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields

from data.errors import UserError

# A comment that begins a section of the fields.
SECTION = re.compile(r"-+ (.+?) -+")


@dataclass(frozen=True)
class Bound:
    """What the value of a field must be: in words, and as a question."""

    words: str
    holds: Callable[[float], bool]


def at_least(minimum: float) -> Bound:
    """The field is `minimum` or more."""
    return Bound(f"at least {minimum}", lambda value: value >= minimum)


def at_most(maximum: float) -> Bound:
    """The field is `maximum` or less."""
    return Bound(f"at most {maximum}", lambda value: value <= maximum)


def more_than(limit: float) -> Bound:
    """The field is more than `limit`."""
    return Bound(f"more than {limit}", lambda value: value > limit)


def below(limit: float) -> Bound:
    """The field is less than `limit`."""
    return Bound(f"below {limit}", lambda value: value < limit)


# A share of a whole that never is the whole.
Share = typing.Annotated[float, Bound("at least 0 and below 1", lambda value: 0 <= value < 1)]

# Another run of the same template, by its folder; `run` takes the template's name too, and records which run that meant.
RunName = typing.Annotated[str | None, "run"]


@dataclass(frozen=True)
class Field:
    """A field of a `Config`, as its source states it.

    Args:
        name: The field's name.
        section: The name in the section comment above it, such as "Network"; empty where there is none.
        help: The comment lines directly above it, joined.
        default: Its default.
        kind: Its type, `Annotated` aside.
        bounds: Its bounds.
        names_a_run: Whether it is a `RunName`.
    """

    name: str
    section: str
    help: str
    default: object
    kind: object
    bounds: tuple[Bound, ...]
    names_a_run: bool


def flag(name: str) -> str:
    """The flag of a field: "batch_size" -> "--batch-size"."""
    return "--" + name.replace("_", "-")


def check_bounds(config) -> None:
    """Refuses a field that is out of its bounds; what `Config.__post_init__` calls.

    Raises:
        UserError: Names the flag, the bound and the value.
    """
    for name, hint in typing.get_type_hints(type(config), include_extras=True).items():
        for bound in _bounds(hint):
            if not bound.holds(getattr(config, name)):
                raise UserError(f"{flag(name)} must be {bound.words}, got {getattr(config, name)}")


def fields_of(config_class: type) -> list[Field]:
    """The fields of a `Config`, in their order.

    Args:
        config_class: The dataclass, its source at hand.
    """
    source = inspect.getsource(config_class)
    comments = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    }
    sections = {line: match[1] for line, text in comments.items() if (match := SECTION.fullmatch(text))}
    lines = {node.target.id: node.lineno for node in ast.parse(source).body[0].body if isinstance(node, ast.AnnAssign)}
    plain, marked = (typing.get_type_hints(config_class, include_extras=extras) for extras in (False, True))
    found = []
    for field in fields(config_class):
        line, help_lines = lines[field.name] - 1, []
        while line in comments and line not in sections:
            help_lines.insert(0, comments[line])
            line -= 1
        section = [name for at, name in sections.items() if at <= line][-1:]
        hint = marked[field.name]
        found.append(
            Field(
                field.name,
                "".join(section),
                " ".join(help_lines),
                field.default,
                plain[field.name],
                _bounds(hint),
                hint == RunName,
            )
        )
    return found


def _bounds(hint) -> tuple[Bound, ...]:
    return tuple(mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Bound))

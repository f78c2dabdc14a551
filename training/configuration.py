"""What a field of a template's `Config` may be: its bounds stand at its type.

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

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

from data.errors import UserError


@dataclass(frozen=True)
class Bound:
    """What a value must be: in words, and as a question."""

    words: str
    holds: Callable[[float], bool]


def at_least(minimum: float) -> Bound:
    return Bound(f"at least {minimum}", lambda value: value >= minimum)


def at_most(maximum: float) -> Bound:
    return Bound(f"at most {maximum}", lambda value: value <= maximum)


def more_than(limit: float) -> Bound:
    return Bound(f"more than {limit}", lambda value: value > limit)


def below(limit: float) -> Bound:
    return Bound(f"below {limit}", lambda value: value < limit)


# A share of a whole that never is the whole.
Share = Annotated[float, Bound("at least 0 and below 1", lambda value: 0 <= value < 1)]

# Another run, of this template or of another: its folder; or this template's name, in whose place `run` puts the folder
# that it means.
NAMES_A_RUN = "run"
RunName = Annotated[str | None, NAMES_A_RUN]


# Marks a field that came in a later version, with a default by which a run is what it was before: `recorded` leaves it
# out then, so that a run that was made before is still the same run.
CAME_LATER = "came later"


# Marks a field that tells a verb on finished runs what to do: no run has it.
OF_NO_RUN = "of no run"


def recorded(config) -> dict:
    """A configuration as a run's record keeps it: without fields that are of no run, or came later and say nothing."""
    hints = get_type_hints(type(config), include_extras=True)
    marks = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return {
        field.name: value
        for field in fields(config)
        if OF_NO_RUN not in marks[field.name]
        and ((value := getattr(config, field.name)) != field.default or CAME_LATER not in marks[field.name])
    }


def flag(name: str) -> str:
    """The flag of a field: "batch_size" -> "--batch-size"."""
    return "--" + name.replace("_", "-")


def names_a_run(hint) -> bool:
    """Whether a field of this type names another run."""
    return NAMES_A_RUN in getattr(hint, "__metadata__", ())


def bounds_of(hint) -> list[Bound]:
    """The bounds at a field's type."""
    return [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Bound)]


def is_of_type(hint, value) -> bool:
    """Whether a value, as JSON may hold any, is one of a field's type."""
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if get_origin(plain) is Literal:
        return type(value) in (str, int) and value in get_args(plain)
    kinds = get_args(plain) or (plain,)
    return type(value) in kinds or (type(value) is int and float in kinds)


def check_bounds(config) -> None:
    """Refuses a field that is out of its bounds; what `Config.__post_init__` calls.

    Raises:
        UserError: Names the flag, the bound and the value.
    """
    for name, hint in get_type_hints(type(config), include_extras=True).items():
        for bound in bounds_of(hint):
            if not bound.holds(getattr(config, name)):
                raise UserError(f"{flag(name)} must be {bound.words}, got {getattr(config, name)}")

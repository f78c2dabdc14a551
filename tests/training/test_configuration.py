"""training.configuration, training.commands.flags: a Config's fields, as its source states them, and their bounds."""

from dataclasses import dataclass
from typing import Annotated, Literal

import click
import pytest

from data.errors import UserError
from training.commands.flags import SectionedCommand, comments_of, options
from training.configuration import (
    CAME_LATER,
    RunName,
    Share,
    at_least,
    at_most,
    below,
    check_bounds,
    more_than,
    recorded,
)


@dataclass(frozen=True)
class Config:
    """Fields of every kind."""

    # before any section
    name: str = "a"

    # --- Network ---

    # in two lines, of which
    # this is the second
    units: Annotated[int, at_least(1), at_most(9)] = 4  # not this
    rate: Annotated[float, more_than(0), below(2)] = 1.0

    # not of the field: a line is between

    # --- The rest ---
    # the last
    cell: Literal["gru", "lstm"] = "gru"
    share: Share = 0.5
    before: RunName = None

    def __post_init__(self):
        # Of no field at all.
        check_bounds(self)


def test_comments_are_read_as_help_and_sections():
    assert comments_of(Config) == {
        "name": ("Options", "before any section"),
        "units": ("Network", "in two lines, of which this is the second"),
        "rate": ("Network", ""),
        "cell": ("The rest", "the last"),
        "share": ("The rest", ""),
        "before": ("The rest", ""),
    }


def test_flags_show_what_a_field_says_of_itself():
    shown = SectionedCommand("run", params=options(Config)).get_help(click.Context(click.Command("run")))
    for part in (
        "Options:\n  --name TEXT  before any section  [default: a]",
        "--units INTEGER  in two lines, of which this is the second  [default: 4; at\n                   least 1 and at most 9]",
        "--cell [gru|lstm]  the last  [default: gru]",
        "[default: 0.5; at least 0 and below 1]",
        "--before RUN",
    ):
        assert part in shown
    given = {option.name: option.default for option in options(Config, ("units", "cell"))}
    assert given == {"units": None, "cell": None}


@pytest.mark.parametrize("values", [{"units": 1}, {"units": 9}, {"rate": 1e-9}, {"rate": 1.999}, {"share": 0}])
def test_a_value_at_its_bound_is_taken(values):
    Config(**values)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"units": 0}, "--units must be at least 1, got 0"),
        ({"units": 10}, "--units must be at most 9, got 10"),
        ({"rate": 0.0}, "--rate must be more than 0, got 0.0"),
        ({"rate": 2.0}, "--rate must be below 2, got 2.0"),
        ({"rate": float("nan")}, "--rate must be more than 0, got nan"),
        ({"share": 1.0}, "--share must be at least 0 and below 1, got 1.0"),
        ({"share": -0.1}, "--share must be at least 0 and below 1, got -0.1"),
    ],
)
def test_a_value_out_of_its_bounds_is_refused(values, message):
    with pytest.raises(UserError, match=f"^{message}$"):
        Config(**values)


def test_a_run_made_before_a_field_came_is_still_the_same_run():
    @dataclass(frozen=True)
    class Later:
        units: int = 4
        delimiter: Annotated[str, CAME_LATER] = "auto"
        header: Annotated[bool | None, CAME_LATER] = None

    assert recorded(Later()) == {"units": 4}
    assert recorded(Later(units=5, delimiter=";", header=False)) == {"units": 5, "delimiter": ";", "header": False}
    assert Later(**recorded(Later(header=True))) == Later(header=True)

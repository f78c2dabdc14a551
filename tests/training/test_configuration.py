"""training.configuration: a Config's fields, as its source states them, and their bounds."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from data.errors import UserError
from training.configuration import RunName, Share, at_least, at_most, below, check_bounds, fields_of, more_than


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


def test_fields_are_read_as_the_source_states_them():
    name, units, rate, cell, share, before = fields_of(Config)
    assert (name.section, name.help, name.default, name.kind) == ("", "before any section", "a", str)
    assert (units.section, units.help, units.kind) == ("Network", "in two lines, of which this is the second", int)
    assert (rate.section, rate.help, rate.default) == ("Network", "", 1.0)
    assert (cell.section, cell.help, cell.kind) == ("The rest", "the last", Literal["gru", "lstm"])
    assert [[bound.words for bound in field.bounds] for field in (units, rate, cell, share)] == [
        ["at least 1", "at most 9"],
        ["more than 0", "below 2"],
        [],
        ["at least 0 and below 1"],
    ]
    assert before.names_a_run and before.kind == str | None and not name.names_a_run


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

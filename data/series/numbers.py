"""Numbers as tables write them, and what stands there where one is missing."""

import math
from typing import Any

# What programs write for no value; compared without regard to case.
MISSING = frozenset(("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "<na>", "-", "?"))
_TRUTH = {"true": 1.0, "false": 0.0}
# What float32 holds.
LARGEST = 3.4e38


def is_missing(value: Any) -> bool:
    """Whether a field holds no value."""
    if isinstance(value, str):
        return value.strip().lower() in MISSING
    return value is None or (isinstance(value, float) and math.isnan(value))


def as_number(value: Any, decimal_comma: bool = False) -> float | None:
    """A field's number: NaN where a value is missing, None where something else stands.

    Args:
        value: A string, or what JSON and .parquet hold; true is 1.
        decimal_comma: Whether 1,5 is one and a half.

    Example:
        >>> as_number("-1.5e3"), as_number("NA"), as_number("many")
        (-1500.0, nan, None)
    """
    if isinstance(value, str):
        try:
            number = float(value)
            # Python takes 1_000 and "infinity" for numbers, and nobody writes them for one.
            return number if abs(number) <= LARGEST and "_" not in value else math.nan if is_missing(value) else None
        except ValueError:
            pass
        if is_missing(value):
            return math.nan
        if decimal_comma and value.count(",") == 1 and "." not in value:
            return as_number(value.replace(",", "."))
        return _TRUTH.get(value.strip().lower())
    if isinstance(value, bool | int | float):
        try:
            return None if abs(value) > LARGEST else float(value)
        except OverflowError:
            return None
    return math.nan if value is None else None

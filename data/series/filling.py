"""What stands in a window where a value is missing, told by the window alone."""

from typing import Literal

import numpy as np

Fill = Literal["none", "forward", "zero", "interpolate"]


def fill_windows(windows: np.ndarray, how: Fill) -> np.ndarray:
    """Fills missing values by those of the same window: whoever interpolates a whole series looks into the future.

    Args:
        windows: (..., steps), NaN where a value is missing.
        how: "none": leaves them; "zero": 0; "forward": the value before, "interpolate": on the line between the value
            before and the one after, and the value before where there is none after. Before the first value both take
            that one.

    Returns:
        The windows; one without any value is left as it is, but for "zero".

    Example:
        fill_windows(np.array([2, np.nan, np.nan, 8, np.nan]), "interpolate")   # 2, 4, 6, 8, 8
    """
    known = np.isfinite(windows)
    if how == "none" or known.all():
        return windows
    if how == "zero":
        return np.where(known, windows, np.zeros_like(windows))
    steps = np.arange(windows.shape[-1])
    before = np.maximum.accumulate(np.where(known, steps, -1), axis=-1)
    after = np.where(known, steps, len(steps))[..., ::-1]
    after = np.minimum.accumulate(after, axis=-1)[..., ::-1]
    # At either end there is one side only; where there is none, both places hold NaN.
    first, last = np.where(before < 0, after, before), np.where(after == len(steps), before, after)
    first, last = (np.clip(places, 0, len(steps) - 1) for places in (first, last))
    left, right = (np.take_along_axis(windows, places, axis=-1) for places in (first, last))
    if how == "forward":
        return np.where(known, windows, left)
    share = np.clip((steps - first) / np.maximum(last - first, 1), 0, 1).astype(windows.dtype)
    return np.where(known, windows, left + (right - left) * share)

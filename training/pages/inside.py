"""What a template shows of one input: the answer, and what led to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from training.pages.parts import Part


@dataclass(frozen=True)
class Look:
    """What was seen while a network answered an input.

    Args:
        given: The input, as a person would name it.
        answer: The answer, in a line; "" where there is none, and `error` says why.
        parts: What to draw.
        fading: By the name of what is differentiated, the length of its gradient at h_1 .. h_T of the first layer that
            reads forward: what runs are compared by.
        error: Why there is no answer.
        marks: Places on the axis of the steps back from the last, and what is to be said there.
        asked: What an exported model is given for this input, by its inputs' names; nothing where it takes the input as
            it is.
    """

    given: str
    answer: str
    parts: Sequence[Part] = ()
    fading: dict[str, np.ndarray] = field(default_factory=dict)
    error: str = ""
    marks: dict[float, str] = field(default_factory=dict)
    asked: dict[str, np.ndarray] = field(default_factory=dict)

"""What a decoder wrote step by step, as a page shows it: how sure it was, what else it might have written."""

from collections.abc import Sequence

import numpy as np

from training.pages.states import lanes_of, norms
from training.pages.unrolled import Bars, Labels, States, Unrolled

ALTERNATIVES = 3


def readable(spelled: bytes) -> str:
    """A piece as a label: a blank shown as "␣", half a character as its bytes."""
    return spelled.decode("utf-8", "backslashreplace").replace(" ", "␣").replace("\n", "⏎") or "·"


def alternatives(log_probabilities: np.ndarray, names: Sequence[str]) -> list[str]:
    """The likeliest pieces of each step with their probabilities, in words.

    Args:
        log_probabilities: (steps, pieces).
        names: What to call each piece.
    """
    best = np.argsort(-log_probabilities, axis=1, kind="stable")[:, :ALTERNATIVES]
    return [
        ", ".join(f"{names[piece]} {np.exp(row[piece]):.2f}" for piece in pieces)
        for row, pieces in zip(log_probabilities, best, strict=True)
    ]


def unrolled_writing(
    title: str, written: Sequence[str], log_probabilities: np.ndarray, chosen: Sequence[int], names: Sequence[str],
    calls, gradients, note: str,
) -> Unrolled:  # fmt: skip
    """The unrolled network of a decoder.

    Args:
        title: The heading.
        written: The pieces that were read at each step; what was written after each is `chosen`.
        log_probabilities: (steps, pieces), of what is written at each step.
        chosen: The pieces that were written.
        names: What to call each piece.
        calls: The decoder's `rnn_layers.watching.Watched`, a layer each.
        gradients: For each call, the gradients at h_1 .. h_T.
        note: What is to be seen.
    """
    probabilities = np.exp(log_probabilities[np.arange(len(chosen)), chosen]).tolist()
    others = alternatives(log_probabilities, names)
    lanes: list[States | Bars | Labels] = [
        Bars("p(y_t)", probabilities, most=1, said=others),
        Labels("y_t", [names[piece] for piece in chosen]),
    ]
    for number, (call, gradient) in enumerate(zip(calls, gradients, strict=True)):
        name = "h_t" if len(calls) == 1 else f"h_t layer {number + 1}"
        lanes += lanes_of(call, name, norms(gradient))
    lanes.append(Labels("y_t-1", written))
    return Unrolled(title, lanes, len(chosen), note)

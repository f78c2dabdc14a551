"""What was watched in recurrent layers, as lanes of an unrolled network and as curves."""

from collections.abc import Sequence

import numpy as np

from training.pages.parts import Curves
from training.pages.unrolled import Bars, States

SYMBOLS = {
    "update": "z_t update",
    "reset": "r_t reset",
    "input": "i_t input",
    "forget": "f_t forget",
    "output": "o_t output",
}


def hidden(call) -> list:
    """h_1 .. h_T of a `rnn_layers.watching.Watched`, tensors at which a gradient can be taken."""
    return [states[0] for states in call.states]


def norms(gradients: Sequence) -> np.ndarray:
    """The Euclidean length of each gradient of a batch of one; 0 where there is none."""
    return np.array([0.0 if gradient is None else float(np.linalg.norm(gradient)) for gradient in gradients])


def lanes_of(call, name: str, gradient: np.ndarray) -> list[States | Bars]:
    """The lanes of one call of a layer with a batch of one.

    Args:
        call: The `rnn_layers.watching.Watched`.
        name: What to call the layer: "h_t", "h_t backward".
        gradient: |dL/dh_t| of each step.

    Returns:
        The states, the gradient, and the mean of each gate over the units.
    """
    values = np.concatenate([np.asarray(state) for state in hidden(call)])
    lanes: list[States | Bars] = [
        States(name, values, "←" if call.go_backwards else "→"),
        Bars(f"|dL/d{name.split()[0]}|", gradient.tolist(), decimals=4),
    ]
    for gate, opened in call.gates.items():
        if gate != "candidate":
            lanes.append(
                Bars(SYMBOLS.get(gate, gate), np.asarray(opened)[:, 0].mean(axis=-1).tolist(), most=1, decimals=2)
            )
    return lanes


def back_in_time(title: str, by_run: dict[str, np.ndarray], note: str, marks: dict[float, str] | None = None) -> Curves:
    """How a gradient fades on its way back: a line for each run, divided by its value at the last step.

    Args:
        title: The heading.
        by_run: A run's name -> |dL/dh_t| of each step, the last one last.
        note: What L is.
        marks: Upright lines at a number of steps back.
    """
    lines = {}
    for name, values in by_run.items():
        last = values[-1] or 1.0
        lines[name] = [(len(values) - 1 - step, value / last) for step, value in enumerate(values)][::-1]
    return Curves(title, "steps back from the last", lines, note, logarithmic=True, marks=marks or {})

"""What is timed: the cells, the shapes, and for both the same numbers for every implementation. NumPy alone."""

import math
from typing import NamedTuple

import numpy as np

SEED = 3
# The number of words of IMDB's reviews is close to log-normal with this median and mean; the longest are cut.
MEDIAN_LENGTH, MEAN_LENGTH, LONGEST = 175, 234, 400
DRAWS = 1600


class Cell(NamedTuple):
    """A layer that is compared: blocks of columns in each kernel, directions, and rows of its bias."""

    gates: int
    directions: int = 1
    bias_rows: int = 1


class Shape(NamedTuple):
    """The sizes of a batch; `lengths` are those of its right-padded rows, None if all rows are full."""

    batch: int
    steps: int
    inputs: int
    units: int
    lengths: tuple[int, ...] | None = None


class Problem(NamedTuple):
    """One batch and one set of weights.

    Args:
        name: The cell's name.
        cell: The cell.
        shape: The sizes.
        inputs: (batch, steps, inputs).
        mask: (batch, steps), true where a step counts, or None.
        cotangent: (batch, steps, directions * units), 0 where no step counts. The gradients that are timed are those of
            sum(outputs * cotangent).
        weights: In Keras's layout and order: kernel, recurrent kernel and bias of each direction.
    """

    name: str
    cell: Cell
    shape: Shape
    inputs: np.ndarray
    mask: np.ndarray | None
    cotangent: np.ndarray
    weights: list[np.ndarray]

    @property
    def valid_steps(self) -> int:
        """The number of (row, step) pairs that count."""
        return self.shape.batch * self.shape.steps if self.mask is None else int(self.mask.sum())

    def directional_weights(self) -> list[list[np.ndarray]]:
        """Kernel, recurrent kernel and bias of each direction."""
        return [self.weights[start : start + 3] for start in range(0, len(self.weights), 3)]


def padded_shape(in_bucket: bool, batch: int = 64, inputs: int = 128, units: int = 64) -> Shape:
    """A batch with lengths like those of IMDB's reviews.

    Args:
        in_bucket: Whether the rows come from one bucket, so that their lengths differ a little; else they come in the
            order of the draws, and most of the batch is padding.
        batch: Number of rows.
        inputs: Size of a step.
        units: Size of the hidden state.

    Returns:
        The shape; the longest row has no padding.
    """
    sigma = math.sqrt(2 * math.log(MEAN_LENGTH / MEDIAN_LENGTH))
    draws = np.random.default_rng(SEED).lognormal(math.log(MEDIAN_LENGTH), sigma, size=DRAWS)
    lengths = np.clip(np.round(draws), 1, LONGEST).astype(int)
    if in_bucket:
        lengths = np.random.default_rng(SEED).permutation(np.sort(lengths)[(DRAWS - batch) // 2 :][:batch])
    lengths = lengths[:batch]
    return Shape(batch, int(lengths.max()), inputs, units, tuple(int(length) for length in lengths))


CELLS = {
    "simple_rnn": Cell(gates=1),
    "gru": Cell(gates=3, bias_rows=2),
    "lstm": Cell(gates=4),
    "bidirectional_simple_rnn": Cell(gates=1, directions=2),
}
SHAPES = {
    "first": Shape(64, 200, 128, 128),
    "second": Shape(32, 50, 128, 256),
    "third": Shape(64, 100, 256, 512),
    "single": Shape(1, 200, 128, 128),
    "padded": padded_shape(in_bucket=True),
    "padded_unsorted": padded_shape(in_bucket=False),
}
# Work enough for a large GPU.
GPU_SHAPES = {"large": Shape(256, 100, 256, 1024)}
# For trying the measuring itself.
TRIAL_SHAPES = {"tiny": Shape(2, 5, 3, 4), "tiny_padded": Shape(3, 5, 3, 4, (2, 5, 4))}


def make_problem(cell_name: str, shape_name: str) -> Problem:
    """Draws the numbers of a problem, always the same ones.

    Args:
        cell_name: One of `CELLS`.
        shape_name: One of `SHAPES`, `GPU_SHAPES` or `TRIAL_SHAPES`.

    Returns:
        The problem, all of its arrays but the mask in float32. Kernels are spread as Keras's initializers spread them;
        biases are not 0, so that a peer that misplaced one would be found out.
    """
    cell, shape = CELLS[cell_name], (SHAPES | GPU_SHAPES | TRIAL_SHAPES)[shape_name]
    random = np.random.default_rng(SEED)
    inputs = random.normal(size=(shape.batch, shape.steps, shape.inputs))
    cotangent = random.normal(size=(shape.batch, shape.steps, cell.directions * shape.units))
    mask = None
    if shape.lengths is not None:
        mask = np.arange(shape.steps) < np.array(shape.lengths)[:, np.newaxis]
        cotangent *= mask[:, :, np.newaxis]
    columns = cell.gates * shape.units
    weights = []
    for _ in range(cell.directions):
        limit = math.sqrt(6 / (shape.inputs + columns))
        orthogonal, _ = np.linalg.qr(random.normal(size=(columns, shape.units)))
        bias_shape = (columns,) if cell.bias_rows == 1 else (cell.bias_rows, columns)
        weights += [
            random.uniform(-limit, limit, size=(shape.inputs, columns)),
            orthogonal.T,
            random.normal(scale=0.1, size=bias_shape),
        ]
    inputs, cotangent, *weights = (
        np.ascontiguousarray(array, dtype=np.float32) for array in (inputs, cotangent, *weights)
    )
    return Problem(cell_name, cell, shape, inputs, mask, cotangent, weights)

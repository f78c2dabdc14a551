"""The network of `templates/language_model` in PyTorch, as one would write it by hand, with a Keras model's weights.

Plain PyTorch, not compiled; TensorFlow is not imported beside it.
"""

import numpy as np
import torch
from torch.nn import functional

from benchmarks.torch_readers import set_lstm, set_parameter
from benchmarks.torch_steps import Steps
from data.vocabulary import PADDING


class TorchLanguageModel(torch.nn.Module):
    """An embedding, an LSTM of one layer, and a layer of scores.

    Args:
        weights: The Keras model's, in its own order: table; kernel, recurrent kernel and bias; kernel and bias.
        rates: `embedding_dropout`, `dropout`, `learning_rate`, `weight_average` and `clip_norm` of the configuration.
        streams: How many are read side by side.
    """

    def __init__(self, weights: list[np.ndarray], rates: dict[str, float], streams: int):
        super().__init__()
        table, kernel, recurrent_kernel, bias, output, output_bias = weights
        self.rates, units = rates, len(recurrent_kernel)
        self.table = torch.nn.Embedding.from_pretrained(torch.tensor(table), freeze=False)
        self.lstm = torch.nn.LSTM(len(kernel), units, batch_first=True)
        self.scores = torch.nn.Linear(*output.shape)
        set_lstm(list(self.lstm.parameters()), [kernel, recurrent_kernel, bias])
        set_parameter(self.scores.weight, output.T)
        set_parameter(self.scores.bias, output_bias)
        self.steps = Steps(self, rates["clip_norm"], rates["weight_average"])
        self.states = tuple(torch.zeros(1, streams, units) for _ in range(2))

    def forward(self, before: torch.Tensor, states):
        """The scores of all steps, and the states after the last."""
        vectors = self._drop(self.table(before), self.rates["embedding_dropout"])
        outputs, states = self.lstm(vectors, states)
        return self.scores(self._drop(outputs, self.rates["dropout"])), states

    def _drop(self, values: torch.Tensor, rate: float) -> torch.Tensor:
        """Drops whole channels of a stream, the same ones at every step."""
        return values * functional.dropout(torch.ones_like(values[:, :1]), rate, self.training)

    def train_on(self, batches) -> float:
        """Takes a step on each batch of NumPy arrays; gives the last one's loss per piece, before its step."""
        self.train()
        for before, after, begins in batches:
            states = tuple(torch.zeros_like(state) if begins else state for state in self.states)
            scores, states = self(torch.from_numpy(before), states)
            self.states = tuple(state.detach() for state in states)
            after = torch.from_numpy(after).long()
            loss = functional.cross_entropy(scores.flatten(0, 1), after.flatten(), ignore_index=PADDING)
            loss = self.steps.take(loss, self.rates["learning_rate"])
        return float(loss)

    @torch.inference_mode()
    def loss_of(self, batch) -> float:
        """The loss per piece of a batch, nothing dropped, with states of 0."""
        self.eval()
        before, after, _ = batch
        scores, _ = self(torch.from_numpy(before), tuple(map(torch.zeros_like, self.states)))
        after = torch.from_numpy(after).long()
        return float(functional.cross_entropy(scores.flatten(0, 1), after.flatten(), ignore_index=PADDING))

    @torch.inference_mode()
    def generate(self, piece: int, numbers: np.ndarray) -> list[int]:
        """Pieces that follow one, each drawn by a number in [0, 1) from the distribution at temperature 1."""
        self.eval()
        states = tuple(torch.zeros_like(state[:, :1]) for state in self.states)
        found, ids = [], torch.tensor([[piece]])
        for number in torch.from_numpy(numbers):
            outputs, states = self.lstm(self.table(ids), states)
            reached = torch.softmax(self.scores(outputs[0, 0]), -1).cumsum(-1)
            ids = torch.searchsorted(reached, number * reached[-1], right=True).clamp(max=len(reached) - 1)[None, None]
            found.append(ids)
        return torch.cat(found, 1)[0].tolist()

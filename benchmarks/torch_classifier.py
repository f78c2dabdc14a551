"""The network of `templates/sentiment` in PyTorch, as one would write it by hand, with a Keras model's weights.

Plain PyTorch, not compiled: batches are of many lengths; TensorFlow is not imported beside it.
"""

import numpy as np
import torch
from torch.nn import functional

from benchmarks.torch_readers import BothDirections, set_parameter
from benchmarks.torch_steps import Steps
from data.vocabulary import FIRST_WORD, PADDING, UNKNOWN
from templates.sentiment.config import Config


class TorchClassifier(torch.nn.Module):
    """An embedding, a bidirectional GRU, the mean and the maximum of its states, and a layer of scores.

    Args:
        weights: The Keras model's, in its own order.
        config: The rates, of dropout and of learning.
        packed: How the GRU is run; see `benchmarks.torch_readers.BothDirections`.
    """

    def __init__(self, weights: list[np.ndarray], config: Config, packed: bool):
        super().__init__()
        table, *readers, kernel, bias = weights
        self.config = config
        self.table = torch.nn.Embedding.from_pretrained(torch.tensor(table), freeze=False)
        self.readers = BothDirections(torch.nn.GRU, readers, packed)
        self.scores = torch.nn.Linear(*kernel.shape)
        set_parameter(self.scores.weight, kernel.T)
        set_parameter(self.scores.bias, bias)
        self.steps = Steps(self, config.clip_norm, config.weight_average)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits (batch, classes) of ids (batch, time)."""
        valid = ids != PADDING
        if self.training:
            dropped = (torch.rand(ids.shape) < self.config.word_dropout) & (ids >= FIRST_WORD)
            ids = ids.masked_fill(dropped, UNKNOWN)
        vectors = self.table(ids)
        # Whole channels of a text.
        kept = functional.dropout(torch.ones_like(vectors[:, :1]), self.config.embedding_dropout, self.training)
        lengths = valid.sum(1)
        states, valid = self.readers(vectors * kept, lengths), valid[:, :, None]
        mean = (states * valid).sum(1) / lengths.clamp(min=1)[:, None]
        maximum = states.masked_fill(~valid, -torch.inf).amax(1).masked_fill(lengths[:, None] == 0, 0)
        pooled = functional.dropout(torch.cat([mean, maximum], -1), self.config.output_dropout, self.training)
        return self.scores(pooled)

    def train_on(self, batches) -> float:
        """Takes a step on each batch of NumPy arrays; gives the last one's loss, before its step."""
        self.train()
        for ids, labels, weights in batches:
            halvings = self.steps.taken / self.config.learning_rate_half_life
            loss = self._losses(ids, labels, self.config.label_smoothing) @ torch.from_numpy(weights) / weights.sum()
            loss = self.steps.take(loss, self.config.learning_rate * 0.5**halvings)
        return float(loss)

    @torch.inference_mode()
    def losses_of(self, batch) -> np.ndarray:
        """The loss of each row, nothing dropped or smoothed."""
        self.eval()
        return self._losses(*batch[:2], 0.0).numpy()

    @torch.inference_mode()
    def answer(self, batches) -> list[np.ndarray]:
        """The probabilities of each batch's labels, (batch, classes)."""
        self.eval()
        return [torch.softmax(self(torch.from_numpy(ids)), -1).numpy() for ids in batches]

    def _losses(self, ids, labels, smoothing: float) -> torch.Tensor:
        logits, labels = self(torch.from_numpy(ids)), torch.from_numpy(labels).long()
        return functional.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")

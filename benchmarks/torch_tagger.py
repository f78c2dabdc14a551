"""The network of `templates/ner` in PyTorch, as one would write it by hand, with the weights of a Keras model of it.

Plain PyTorch, not compiled: batches are of many lengths; TensorFlow is not imported beside it. The states are read by
`benchmarks.torch_readers`.
"""

import numpy as np
import torch
from torch.nn import functional

from benchmarks.torch_readers import BothDirections, set_parameter
from benchmarks.torch_steps import Steps
from data.vocabulary import FIRST_WORD, PADDING, UNKNOWN
from templates.ner.config import Config

# The score of what must not happen.
FORBIDDEN = -1e4


class TorchTagger(torch.nn.Module):
    """Embeddings, a convolution over characters, a bidirectional LSTM and a CRF.

    Args:
        weights: What `benchmarks.ner_peers.weights_of` gives of the Keras model: its sizes are taken, too.
        config: The rates of dropout.
        first_rare: The id from which on words are rare, and taken for unknown in training more often than others.
        packed: How the LSTM is run; see `benchmarks.torch_readers.BothDirections`.
    """

    def __init__(self, weights: dict[str, list[np.ndarray]], config: Config, first_rare: int, packed: bool):
        super().__init__()
        self.config, self.first_rare = config, first_rare
        self.words, self.casings, self.affixes = (
            _embedding(*weights[name]) for name in ("words_of", "casings", "affixes_of")
        )
        self.characters = _embedding(*weights["characters"])
        kernel, bias = weights["filters"]
        width, *sizes = kernel.shape
        self.filters = torch.nn.Conv1d(*sizes, width, padding=width // 2)
        set_parameter(self.filters.weight, kernel.transpose(2, 1, 0))
        set_parameter(self.filters.bias, bias)
        self.readers = BothDirections(torch.nn.LSTM, weights["readers"], packed)
        kernel, bias = weights["scores"]
        self.scores = torch.nn.Linear(*kernel.shape)
        set_parameter(self.scores.weight, kernel.T)
        set_parameter(self.scores.bias, bias)
        for name, array in zip(("transitions", "first", "last"), weights["crf"], strict=True):
            setattr(self, name, torch.nn.Parameter(torch.tensor(array)))
        for name, array in zip(("allowed", "allowed_first", "allowed_last"), weights["allowed"], strict=True):
            self.register_buffer(name, torch.tensor(array))

    def forward(self, ids: dict[str, torch.Tensor]) -> torch.Tensor:
        """The scores of each step's tags, (batch, time, tags), of the ids that the template's network takes."""
        words, valid = ids["words"], ids["words"] != PADDING
        if self.training:
            chance = torch.rand(2, *words.shape, device=words.device)
            dropped = (chance[0] < self.config.word_dropout) & (words >= FIRST_WORD)
            dropped |= (chance[1] < self.config.rare_word_dropout) & (words >= self.first_rare)
            words = words.masked_fill(dropped, UNKNOWN)
        affixes = self.affixes(ids["affixes"]).flatten(2)
        vectors = [self.words(words), self.casings(ids["casing"]), self.read_characters(ids["characters"]), affixes]
        states = torch.cat(vectors, -1)
        # Whole channels of a sentence.
        kept = functional.dropout(torch.ones_like(states[:, :1]), self.config.embedding_dropout, self.training)
        states = self.readers(states * kept, valid.sum(1))
        return self.scores(functional.dropout(states, self.config.output_dropout, self.training))

    def read_characters(self, ids: torch.Tensor) -> torch.Tensor:
        """The vectors of words by their characters, (batch, time, units), of ids (batch, time, characters)."""
        flat = ids.flatten(0, 1)
        valid = (flat != PADDING)[:, None]
        seen = self.filters(self.characters(flat).transpose(1, 2) * valid)
        words = seen.masked_fill(~valid, torch.finfo(seen.dtype).min).amax(2).masked_fill(~valid[:, :, 0], 0)
        return words.unflatten(0, ids.shape[:2])

    def tables(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The CRF's weights, with what must not happen forbidden: between tags, before the first, after the last."""
        return (
            self.transitions.masked_fill(~self.allowed, FORBIDDEN),
            self.first.masked_fill(~self.allowed_first, FORBIDDEN),
            self.last.masked_fill(~self.allowed_last, FORBIDDEN),
        )


def losses(scores: torch.Tensor, tags: torch.Tensor, valid: torch.Tensor, tables) -> torch.Tensor:
    """-log p(tags) of each row, (batch,), by the forward algorithm in log space.

    Args:
        scores: (batch, time, tags).
        tags: The right tags, int64 (batch, time).
        valid: Whether a step counts, bool (batch, time); a row's first ones do.
        tables: What `TorchTagger.tables` gives.
    """
    transitions, first, last = tables
    alpha = first + scores[:, 0]
    for step in range(1, scores.shape[1]):
        after = torch.logsumexp(alpha[:, :, None] + transitions, 1) + scores[:, step]
        alpha = torch.where(valid[:, step, None], after, alpha)
    log_partition = torch.logsumexp(alpha + last, 1)
    chosen = scores.gather(2, tags[:, :, None])[:, :, 0] * valid
    between = transitions[tags[:, :-1], tags[:, 1:]] * valid[:, 1:]
    last_tags = tags.gather(1, (valid.sum(1, keepdim=True) - 1).clamp(min=0))[:, 0]
    path = chosen.sum(1) + between.sum(1) + first[tags[:, 0]] + last[last_tags]
    # A row of length 0 has one path, of no steps.
    return (log_partition - path) * valid[:, 0]


def best_paths(scores: torch.Tensor, valid: torch.Tensor, tables) -> torch.Tensor:
    """The best tags by Viterbi's algorithm, int64 (batch, time), 0 where no step counts; see `losses`."""
    transitions, first, last = tables
    best, pointers = first + scores[:, 0], []
    stay = torch.arange(scores.shape[2], device=scores.device)
    for step in range(1, scores.shape[1]):
        after, before = (best[:, :, None] + transitions).max(1)
        counts = valid[:, step, None]
        best = torch.where(counts, after + scores[:, step], best)
        pointers.append(torch.where(counts, before, stay))
    path = [(best + last).argmax(1, keepdim=True)]
    for before in reversed(pointers):
        path.append(before.gather(1, path[-1]))
    return torch.cat(path[::-1], 1) * valid


def make_train_step(tagger: TorchTagger, config: Config):
    """Makes the function of ids and tags that takes one step, as the template's, and gives the loss.

    Forward, gradient, clipping, Adam with a learning rate that falls, and the average of the weights; ids and tags are
    tensors. The loss is the mean per token, before the step.
    """
    steps = Steps(tagger, config.clip_norm, config.weight_average)

    def train_step(ids, tags) -> torch.Tensor:
        tagger.train()
        halvings = steps.taken / config.learning_rate_half_life if config.learning_rate_half_life else 0
        valid = ids["words"] != PADDING
        loss = losses(tagger(ids), tags.long(), valid, tagger.tables()).sum() / valid.sum()
        return steps.take(loss, config.learning_rate * 0.5**halvings)

    return train_step


def make_predict_step(tagger: TorchTagger):
    """Makes the function of ids and tags that gives the best tags (batch, time) and the rows' losses (batch,)."""

    @torch.inference_mode()
    def predict_step(ids, tags):
        tagger.eval()
        scores, valid, tables = tagger(ids), ids["words"] != PADDING, tagger.tables()
        return best_paths(scores, valid, tables), losses(scores, tags.long(), valid, tables)

    return predict_step


def _embedding(table: np.ndarray) -> torch.nn.Embedding:
    return torch.nn.Embedding.from_pretrained(torch.tensor(table), freeze=False)

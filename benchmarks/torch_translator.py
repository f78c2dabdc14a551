"""The network of `templates/translation` in PyTorch, as one would write it by hand, with a Keras model's weights.

Plain PyTorch, not compiled: batches are of many lengths; TensorFlow is not imported beside it. The source is read by
`benchmarks.torch_readers`, and what it is translated to written by `benchmarks.torch_decoder`.
"""

import torch

from benchmarks.torch_decoder import TorchDecoder
from benchmarks.torch_readers import BothDirections, set_parameter
from data.vocabulary import PADDING
from templates.translation.config import Config


class TorchTranslator(TorchDecoder):
    """A bidirectional GRU, and the decoder.

    Args:
        weights: What `benchmarks.translation_peers.weights_of` gives of the Keras model.
        config: The rates of dropout, and the sizes.
        packed: How the source is read; see `benchmarks.torch_readers.BothDirections`.
    """

    def __init__(self, weights: dict[str, list], config: Config, packed: bool):
        super().__init__(weights, config, memory=2 * (config.units // 2))
        self.source_table = torch.nn.Embedding(len(weights["source_table"][0]), config.embedding_size)
        self.readers = BothDirections(torch.nn.GRU, weights["readers"], packed)
        self.load(weights)

    @torch.no_grad()
    def load(self, weights: dict[str, list]) -> None:
        """Takes a Keras model's weights, as `benchmarks.translation_peers.weights_of` gives them."""
        super().load(weights)
        set_parameter(self.source_table.weight, *weights["source_table"])
        self.readers.load(weights["readers"])

    def forward(self, source: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """Scores of the target's pieces, (batch, steps, vocabulary), of the ids that the template's network takes."""
        return self.decode(*self.look_at(self.drop_pieces(source)), before)

    def look_at(self, source: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """What the decoder looks at, as `prepare` gives it."""
        is_padding = source == PADDING
        values = self.readers(self.drop(self.source_table(source), self.config.embedding_dropout), (~is_padding).sum(1))
        return self.prepare(self.drop(values, self.config.dropout), is_padding)

    def most_steps(self, source: torch.Tensor) -> torch.Tensor:
        """The most pieces of each answer, its end included, (batch,)."""
        return 2 * (source != PADDING).sum(1) + 10

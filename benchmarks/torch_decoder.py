"""`rnn_layers.attention_decoder` in PyTorch, as one would write it by hand, with a Keras model's weights.

GRUs whose attention is a product, and a table that scores the outputs too. Plain PyTorch; TensorFlow is not imported
beside it.
"""

import torch
from torch.nn import functional

from benchmarks.torch_readers import set_gru, set_parameter
from benchmarks.torch_steps import Steps
from data.subwords.ids import FIRST_BYTE
from data.vocabulary import PADDING, UNKNOWN

# The score of a place that holds padding.
FORBIDDEN = -1e9


class TorchDecoder(torch.nn.Module):
    """The decoder, which looks at a memory of vectors. A subclass calls `load` when it is built.

    Args:
        weights: `target_table`, `layers`, `first_states`, `query`, `key`, `output_layer` and `bias` of the Keras
            decoder, as `benchmarks.translation_peers.decoder_weights_of` gives them; their sizes count here.
        config: A template's configuration: the sizes and the rates of dropout.
        memory: The length of the memory's vectors.
    """

    def __init__(self, weights: dict[str, list], config, memory: int):
        super().__init__()
        self.config = config
        size, units, vocabulary = config.embedding_size, config.units, len(weights["target_table"][0])
        self.target_table = torch.nn.Embedding(vocabulary, size)
        widths = [size, *[units + memory] * bool(config.decoder_layers > 1), *[units] * (config.decoder_layers - 2)]
        self.layers = torch.nn.ModuleList(torch.nn.GRU(width, units, batch_first=True) for width in widths)
        self.first_states = torch.nn.ModuleList(torch.nn.Linear(memory, units) for _ in widths)
        self.query = torch.nn.Linear(units, units, bias=False)
        self.key = torch.nn.Linear(memory, units, bias=False)
        self.output_layer = torch.nn.Linear(units + memory + size, size)
        self.bias = torch.nn.Parameter(torch.zeros(vocabulary))

    @torch.no_grad()
    def load(self, weights: dict[str, list]) -> None:
        """Takes the weights, as the class takes them."""
        set_parameter(self.target_table.weight, *weights["target_table"])
        for mine, arrays in zip(self.layers, weights["layers"], strict=True):
            set_gru(list(mine.parameters()), arrays)
        dense = [(getattr(self, name), weights[name]) for name in ("output_layer", "query", "key")]
        for mine, (kernel, *bias) in [*zip(self.first_states, weights["first_states"], strict=True), *dense]:
            set_parameter(mine.weight, kernel.T)
            if bias:
                set_parameter(mine.bias, bias[0])
        set_parameter(self.bias, *weights["bias"])

    def prepare(self, values: torch.Tensor, is_padding: torch.Tensor):
        """What the decoder looks at: values and keys (batch, places, size), where padding is, and its first states."""
        mean = (values * ~is_padding[:, :, None]).sum(1) / (~is_padding).sum(1).clamp(min=1)[:, None]
        # Of a scaled attention; see `rnn_layers.attention_decoder`.
        scale = self.config.units**-0.5 if self.config.attention == "scaled" else 1
        return values, self.key(values) * scale, is_padding, [torch.tanh(first(mean)) for first in self.first_states]

    def decode(self, values, keys, is_padding, states, before: torch.Tensor) -> torch.Tensor:
        """Scores of the pieces, (batch, steps, vocabulary), of what `prepare` gave and the ids before each."""
        inputs = self.drop(self.target_table(self.drop_pieces(before)), self.config.embedding_dropout)
        outputs = inputs
        for index, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            if index:
                outputs = self.drop(outputs, self.config.dropout)
            outputs, _ = layer(outputs, state[None])
            if index == 0:
                context = self.attend(outputs, values, keys, is_padding)
                outputs = torch.cat([outputs, context], -1) if len(self.layers) > 1 else outputs
        everything = self.drop(torch.cat([outputs, context, inputs], -1), self.config.dropout)
        return self.score(self.drop(torch.tanh(self.output_layer(everything)), self.config.dropout))

    def attend(self, states, values, keys, is_padding) -> torch.Tensor:
        """The contexts, (batch, steps, size), of states (batch, steps, units)."""
        scores = torch.bmm(self.query(states), keys.transpose(1, 2))
        return torch.bmm(torch.softmax(scores.masked_fill(is_padding[:, None], FORBIDDEN), -1), values)

    def score(self, outputs: torch.Tensor) -> torch.Tensor:
        """Scores before the softmax, (..., vocabulary)."""
        return functional.linear(outputs, self.target_table.weight, self.bias)

    def step(self, tokens: torch.Tensor, states: list[torch.Tensor], values, keys, is_padding):
        """One step of a search.

        Args:
            tokens: The last tokens, (batch, width).
            states: (batch, width, units) of each layer.
            values, keys, is_padding: What `prepare` gave.

        Returns:
            What `score` takes, (batch, width, embedding); the new states.
        """
        inputs = outputs = self.target_table(tokens)
        after = []
        for index, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            outputs = torch.gru_cell(outputs.flatten(0, 1), state.flatten(0, 1), *layer.parameters()).view_as(state)
            after.append(outputs)
            if index == 0:
                context = self.attend(outputs, values, keys, is_padding)
                outputs = torch.cat([outputs, context], -1) if len(self.layers) > 1 else outputs
        return torch.tanh(self.output_layer(torch.cat([outputs, context, inputs], -1))), after

    def drop_pieces(self, ids: torch.Tensor) -> torch.Tensor:
        """In training, takes some pieces for unknown."""
        if not self.training:
            return ids
        dropped = (torch.rand(ids.shape, device=ids.device) < self.config.word_dropout) & (ids >= FIRST_BYTE)
        return ids.masked_fill(dropped, UNKNOWN)

    def drop(self, vectors: torch.Tensor, rate: float) -> torch.Tensor:
        """In training, drops whole channels of a row."""
        if not self.training or not rate:
            return vectors
        return vectors * functional.dropout(torch.ones_like(vectors[:, :1]), rate)


def losses(scores: torch.Tensor, after: torch.Tensor, smoothing: float) -> torch.Tensor:
    """The smoothed loss of each row, (batch,), summed over its pieces, of scores (batch, steps, vocabulary)."""
    flat, pieces = scores.flatten(0, 1), after.flatten().long()
    each = functional.cross_entropy(flat, pieces, ignore_index=PADDING, label_smoothing=smoothing, reduction="none")
    return each.view(after.shape).sum(1)


def make_train_step(network: TorchDecoder, config):
    """Makes the function of a batch that takes one step, as the template's, and gives the loss.

    Forward, gradient, clipping, Adam with a learning rate that rises and falls, and the average of the weights. The
    loss is the mean per piece, before the step.
    """
    steps = Steps(network, config.clip_norm, config.weight_average)

    def train_step(memory, before, after) -> torch.Tensor:
        network.train()
        learning_rate = config.learning_rate
        if steps.taken < config.warm_up_steps:
            learning_rate *= (steps.taken + 1) / config.warm_up_steps
        elif config.learning_rate_half_life:
            learning_rate *= 0.5 ** ((steps.taken - config.warm_up_steps) / config.learning_rate_half_life)
        loss = losses(network(memory, before), after, config.label_smoothing).sum() / (after != PADDING).sum()
        return steps.take(loss, learning_rate)

    return train_step

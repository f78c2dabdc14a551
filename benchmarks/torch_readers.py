"""Recurrent layers of PyTorch's over rows of several lengths, in both directions, with Keras's weights.

TensorFlow is not imported beside it.
"""

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class BothDirections(torch.nn.Module):
    """`torch.nn.GRU` or `torch.nn.LSTM`, in one of two ways that give the same.

    Args:
        kind: The class.
        arrays: Keras's weights of the forward and of the backward layer: kernel, recurrent kernel and bias of each.
        packed: Both directions over packed rows; else each over padded ones, every row turned round for the second.
    """

    def __init__(self, kind: type, arrays: list[np.ndarray], packed: bool):
        super().__init__()
        (inputs, _), (units, _), *_ = (array.shape for array in arrays)
        self.packed = packed
        if packed:
            self.layers = torch.nn.ModuleList([kind(inputs, units, batch_first=True, bidirectional=True)])
        else:
            self.layers = torch.nn.ModuleList(kind(inputs, units, batch_first=True) for _ in range(2))
        self.load(arrays)

    @torch.no_grad()
    def load(self, arrays: list[np.ndarray]) -> None:
        """Takes Keras's weights."""
        parameters = [parameter for layer in self.layers for parameter in layer.parameters()]
        take = set_gru if isinstance(self.layers[0], torch.nn.GRU) else set_lstm
        take(parameters[:4], arrays[:3])
        take(parameters[4:], arrays[3:])

    def forward(self, vectors: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The states of both directions, (batch, time, 2 * units); anything after a row's length."""
        if self.packed:
            # A row of length 0 cannot be packed.
            rows = pack_padded_sequence(vectors, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
            states, _ = self.layers[0](rows)
            return pad_packed_sequence(states, batch_first=True, total_length=vectors.shape[1])[0]
        steps, lengths = torch.arange(vectors.shape[1], device=vectors.device), lengths[:, None]
        turned = torch.where(steps < lengths, lengths - 1 - steps, steps)[:, :, None]
        (forward, _), (backward, _) = (
            layer(each)
            for layer, each in zip(self.layers, (vectors, vectors.gather(1, turned.expand_as(vectors))), strict=True)
        )
        return torch.cat([forward, backward.gather(1, turned.expand_as(backward))], -1)


@torch.no_grad()
def set_parameter(parameter: torch.Tensor, array: np.ndarray) -> None:
    """Gives a parameter its value."""
    parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


def set_gru(parameters: list[torch.Tensor], arrays: list[np.ndarray]) -> None:
    """Keras has the gates in the order update, reset, candidate; PyTorch reset, update, candidate, in rows."""

    def in_order(array):
        update, reset, candidate = np.split(array, 3, axis=-1)
        return np.concatenate([reset, update, candidate], axis=-1)

    kernel, recurrent_kernel, bias = map(in_order, arrays)
    for parameter, array in zip(parameters, (kernel.T, recurrent_kernel.T, bias[0], bias[1]), strict=True):
        set_parameter(parameter, array)


def set_lstm(parameters: list[torch.Tensor], arrays: list[np.ndarray]) -> None:
    """Both have the gates in one order. PyTorch has two biases that are only ever added: its second one stays 0."""
    kernel, recurrent_kernel, bias = arrays
    for parameter, array in zip(parameters, (kernel.T, recurrent_kernel.T, bias, np.zeros_like(bias)), strict=True):
        set_parameter(parameter, array)
    parameters[3].requires_grad_(False)

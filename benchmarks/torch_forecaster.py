"""The network of `templates/forecasting` in PyTorch, as one would write it by hand, with a Keras model's weights.

Without covariates and quantiles, every segment of the horizon at once. Plain PyTorch, not compiled; TensorFlow is not
imported beside it.
"""

import numpy as np
import torch
from torch.nn import functional

from benchmarks.torch_readers import set_gru, set_parameter
from benchmarks.torch_steps import Steps


class TorchForecaster(torch.nn.Module):
    """An encoder of segments and one step of the same GRU for each segment ahead.

    Args:
        weights: The Keras model's, by layer: `encoder_input`, `recurrent`, `positions`, `output`.
        horizon: Steps ahead.
        rates: `dropout`, `learning_rate`, `weight_average` and `clip_norm` of the configuration.
    """

    def __init__(self, weights: dict[str, list[np.ndarray]], horizon: int, rates: dict[str, float]):
        super().__init__()
        kernel, bias = weights["encoder_input"]
        (self.segment, units), self.horizon, self.rates = kernel.shape, horizon, rates
        self.embed, self.gru = torch.nn.Linear(*kernel.shape), torch.nn.GRU(units, units, batch_first=True)
        self.positions = torch.nn.Parameter(torch.tensor(weights["positions"][0]))
        self.output = torch.nn.Linear(*weights["output"][0].shape)
        set_parameter(self.embed.weight, kernel.T)
        set_parameter(self.embed.bias, bias)
        set_gru(list(self.gru.parameters()), weights["recurrent"])
        set_parameter(self.output.weight, weights["output"][0].T)
        set_parameter(self.output.bias, weights["output"][1])
        self.steps = Steps(self, rates["clip_norm"], rates["weight_average"])

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Forecasts, (batch, horizon)."""
        last, ahead = windows[:, -1:], len(self.positions)
        deviation = windows.std(dim=1, keepdim=True, correction=0)
        size = windows.abs().mean(dim=1, keepdim=True)
        deviation = torch.where(deviation > 1e-6 * size, deviation, 1.0)
        segments = ((windows - last) / deviation).unflatten(1, (-1, self.segment))
        _, state = self.gru(torch.relu(self.embed(segments)))
        asked = self.positions.repeat(len(windows), 1)[:, None]
        decoded, _ = self.gru(asked, state.repeat_interleave(ahead, dim=1))
        decoded = functional.dropout(decoded, self.rates["dropout"], self.training)
        found = self.output(decoded).reshape(len(windows), -1)[:, : self.horizon]
        return found * deviation + last

    def _loss(self, windows, targets, units) -> torch.Tensor:
        return ((targets - self(windows)).abs() / units[:, None]).mean()

    def train_on(self, batches) -> float:
        """Takes a step on each batch of NumPy arrays; gives the last one's loss per target, before its step."""
        self.train()
        for batch in batches:
            loss = self.steps.take(self._loss(*map(torch.from_numpy, batch)), self.rates["learning_rate"])
        return float(loss)

    @torch.inference_mode()
    def loss_of(self, batch) -> float:
        """The loss per target of a batch, nothing dropped."""
        self.eval()
        return float(self._loss(*map(torch.from_numpy, batch)))

    @torch.inference_mode()
    def answer(self, windows: np.ndarray) -> np.ndarray:
        """Forecasts."""
        self.eval()
        return self(torch.from_numpy(windows)).numpy()

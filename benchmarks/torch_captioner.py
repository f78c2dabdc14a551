"""The decoder of `templates/captioning` in PyTorch: `benchmarks.torch_decoder` looking at the places of a picture."""

import torch

from benchmarks.torch_decoder import TorchDecoder
from templates.captioning.config import Config


class TorchCaptioner(TorchDecoder):
    """The decoder of captions.

    Args:
        weights: What `benchmarks.translation_peers.decoder_weights_of` gives of the Keras decoder.
        config: The rates of dropout, and the sizes.
    """

    def __init__(self, weights: dict[str, list], config: Config):
        super().__init__(weights, config, memory=config.units)
        self.load(weights)

    def forward(self, places: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """Scores of the captions' pieces, (batch, steps, vocabulary), of the places and the ids before each."""
        return self.decode(*self.look_at(places), before)

    def look_at(self, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """What the decoder looks at, as `prepare` gives it: all places of vectors (batch, places, size)."""
        return self.prepare(places, torch.zeros(places.shape[:2], dtype=torch.bool, device=places.device))

    def most_steps(self, places: torch.Tensor) -> torch.Tensor:
        """The most pieces of each answer, its end included, (batch,)."""
        return torch.full((len(places),), self.config.max_length + 1, device=places.device)

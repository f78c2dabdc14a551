"""What runs in PyTorch's process: the networks of `ner_speed`, `translation_speed` and `captioning_speed`.

Weights, batches and answers are NumPy arrays: no module that is imported here imports TensorFlow, nor do those which
use these classes, in a process of TensorFlow's, import this one. PyTorch has its default threads, and a GPU if there
is one.
"""

from collections.abc import Iterable

import numpy as np
import torch

from benchmarks import torch_captioner, torch_decoder, torch_search, torch_tagger, torch_translator


def choose_device() -> torch.device:
    """A GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Tagger:
    """The tagger; the arguments are those of `TorchTagger`, the methods those of `benchmarks.ner_peers.Peer`."""

    def __init__(self, weights: dict[str, list[np.ndarray]], config, first_rare: int, packed: bool):
        self.device = choose_device()
        tagger = torch_tagger.TorchTagger(weights, config, first_rare, packed).to(self.device)
        self.train_step = torch_tagger.make_train_step(tagger, config)
        self.predict_step = torch_tagger.make_predict_step(tagger)

    def train(self, batches: Iterable) -> float:
        for batch in batches:
            loss = self.train_step(*self.moved(batch))
        return float(loss)

    def tag(self, batches: Iterable) -> list[tuple[np.ndarray, np.ndarray]]:
        return [tuple(result.cpu().numpy() for result in self.predict_step(*self.moved(batch))) for batch in batches]

    def moved(self, batch) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """A batch on the device."""
        ids, tags = batch
        ids = {name: torch.from_numpy(array).to(self.device) for name, array in ids.items()}
        return ids, torch.from_numpy(tags).to(self.device)


class Translator:
    """The translator; the arguments are those of `TorchTranslator`, the methods as `benchmarks.translation_peers.Peer`
    says, but that `load` takes `weights_of(model)`."""

    def __init__(self, weights: dict[str, list], config, packed: bool):
        self.begin(torch_translator.TorchTranslator(weights, config, packed), config)

    def begin(self, network: torch_decoder.TorchDecoder, config) -> None:
        """Brings a network to the device."""
        self.device, self.config = choose_device(), config
        self.network = network.to(self.device)
        self.train_step = torch_decoder.make_train_step(self.network, config)

    def train(self, batches: Iterable) -> float:
        for batch in batches:
            loss = self.train_step(*self.moved(batch))
        return float(loss)

    @torch.inference_mode()
    def losses(self, batch) -> np.ndarray:
        self.network.eval()
        source, before, after = self.moved(batch)
        scores = self.network(source, before)
        return torch_decoder.losses(scores, after, self.config.label_smoothing).cpu().numpy()

    def search(self, width: int, sources: Iterable[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        exponent = self.config.length_exponent
        found = (torch_search.search(self.network, *self.moved([each]), width, exponent) for each in sources)
        return [tuple(tensor.cpu().numpy() for tensor in answer) for answer in found]

    def load(self, weights: dict[str, list]) -> None:
        self.network.load(weights)

    def moved(self, arrays: Iterable[np.ndarray]) -> list[torch.Tensor]:
        """Arrays on the device."""
        return [torch.from_numpy(array).to(self.device) for array in arrays]


class Captioner(Translator):
    """The decoder of captions. Its sources are the vectors of a picture's places."""

    def __init__(self, weights: dict[str, list], config):
        self.begin(torch_captioner.TorchCaptioner(weights, config), config)

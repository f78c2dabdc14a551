"""Starting from a language model of the target language: a decoder is one that also looks at a source."""

from dataclasses import dataclass
from pathlib import Path

from data.subwords.pieces import Subwords
from rnn_layers.attention_decoder import AttentionDecoder
from training.language_models import LanguageModel, open_language_model, set_layers, set_vectors
from training.runs.finding import find_run

from .config import Config


@dataclass(frozen=True)
class Parent:
    """A run of a language model to start from.

    Args:
        language_model: Its weights.
        config: The new run's configuration.
    """

    language_model: LanguageModel
    config: Config

    @property
    def _layers(self) -> list:
        # The decoder's further layers see the attention's context as well.
        return self.language_model.layers_for(self.config.cell, self.config.units, 1)

    def describe(self, target: Subwords) -> str:
        """What fits, in one line."""
        found = len(self.language_model.vectors_of_pieces(target.pieces))
        layer = "the decoder's first layer" if self._layers else "no layer (another --cell or --units)"
        return f"{self.language_model.path}: vectors of {found:,} of {target.size:,} target ids, {layer}"

    def copy_to(self, decoder: AttentionDecoder, target: Subwords) -> None:
        """Copies what fits; all else stays as it was drawn."""
        set_vectors(decoder.embedding, self.language_model.vectors_of_pieces(target.pieces))
        set_layers(decoder.recurrent_layers, self._layers)


def open_parent(config: Config) -> Parent:
    """Loads the run that `initialize_from` names.

    Raises:
        UserError: It is no finished run of a language model, or its vectors have another length.
    """
    run = find_run(config.initialize_from, [Path(__file__).resolve().parent.name])
    return Parent(open_language_model(run, config.embedding_size), config)

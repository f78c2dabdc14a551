"""Starting from another run: a classifier, whose words are kept, or a language model, whose vectors and cell are."""

from dataclasses import dataclass
from pathlib import Path

import keras

from data.errors import UserError
from data.vocabulary import FIRST_WORD
from training.configuration import flag
from training.language_models import (
    LanguageModel,
    is_language_model,
    open_language_model,
    set_layers,
    set_vectors,
)
from training.runs.finding import find_run
from training.runs.folder import RunFolder

from . import serving
from .config import ARCHITECTURE, Config


@dataclass(frozen=True)
class ClassifierParent:
    """A run of this template to start from.

    Args:
        run: Its folder.
        vocabulary: Its words, which become the new run's.
        classifier: Its model of ids.
        names: Its labels.
    """

    run: RunFolder
    vocabulary: list[str]
    classifier: keras.Model
    names: list[str]

    def describe(self, vocabulary: list[str]) -> str:
        return f"{self.run.path}: all weights, but for the output's where the labels are others"

    def copy_to(self, model: keras.Model, vocabulary: list[str], names: list[str]) -> None:
        """Copies the weights, layer by layer; the output layer only if the labels are the same."""
        for layer in model.layers:
            # Trainable weights alone: dropout's seeds stay this run's own.
            if layer.trainable_variables and (layer.name != "output" or names == self.names):
                source = self.classifier.get_layer(layer.name)
                for variable, value in zip(layer.trainable_variables, source.trainable_variables, strict=True):
                    variable.assign(value)


@dataclass(frozen=True)
class LanguageModelParent:
    """A run of a language model to start from: the vectors of the words that both have, and what reads forward.

    Args:
        language_model: Its weights.
        config: The new run's configuration.
    """

    language_model: LanguageModel
    config: Config
    vocabulary = None

    @property
    def _layers(self) -> list:
        # Above the first layer a network of both directions has inputs of another width.
        most = self.config.layers if self.config.directions == "forward" else 1
        return self.language_model.layers_for(self.config.cell, self.config.units, most)

    def describe(self, vocabulary: list[str]) -> str:
        found = len(self.language_model.vectors_of_words(vocabulary))
        layers = f"{len(self._layers)} recurrent layer{'s' * (len(self._layers) != 1)}"
        return f"{self.language_model.path}: vectors of {found:,} of {len(vocabulary):,} words, {layers} (forward)"

    def copy_to(self, model: keras.Model, vocabulary: list[str], names: list[str]) -> None:
        """Copies what fits; all else stays as it was drawn."""
        vectors = self.language_model.vectors_of_words(vocabulary)
        numbers = {word: number for number, word in enumerate(vocabulary, start=FIRST_WORD)}
        set_vectors(model.get_layer("embedding"), {numbers[word]: vector for word, vector in vectors.items()})
        both = self.config.directions == "both"
        names_of_layers = [f"{'bidirectional' if both else 'recurrent'}_{n}" for n in range(1, self.config.layers + 1)]
        layers = [model.get_layer(name) for name in names_of_layers]
        set_layers([layer.forward_layer if both else layer for layer in layers], self._layers)


def open_parent(config: Config) -> ClassifierParent | LanguageModelParent:
    """Loads the run that `initialize_from` names.

    Raises:
        UserError: It is no finished run of this template or of a language model, or its network has another shape.
    """
    template = Path(__file__).resolve().parent.name
    run = find_run(config.initialize_from, [template])
    record = run.read_record()
    if is_language_model(run):
        return LanguageModelParent(open_language_model(run, config.embedding_size), config)
    if record.template != template or not run.model_file.is_file():
        raise UserError(f"--initialize-from {run.path}: not a finished run of {template} or of a language model")
    for name in ARCHITECTURE:
        there, here = record.config[name], getattr(config, name)
        if there != here:
            raise UserError(f"--initialize-from {run.path}: {flag(name)} is {there} there and {here} here")
    word_ids, classifier, names = serving.parts(serving.load_model(run))
    return ClassifierParent(run, word_ids.vocabulary, classifier, names)

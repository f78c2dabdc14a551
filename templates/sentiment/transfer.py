"""Starting from another run: its vocabulary is kept, its weights are copied, a new output layer where labels differ."""

from dataclasses import dataclass
from pathlib import Path

import keras

from data.errors import UserError
from training.configuration import flag
from training.runs.finding import find_run

from . import serving
from .config import ARCHITECTURE, Config


@dataclass(frozen=True)
class Parent:
    """The run to start from.

    Args:
        vocabulary: Its words.
        classifier: Its model of ids.
        names: Its labels.
    """

    vocabulary: list[str]
    classifier: keras.Model
    names: list[str]


def open_parent(config: Config) -> Parent:
    """Loads the run that `initialize_from` names.

    Raises:
        UserError: It is no finished run of this template, or its network has another shape.
    """
    template = Path(__file__).resolve().parent.name
    run = find_run(config.initialize_from, [template])
    record = run.read_record()
    if record.template != template or not run.model_file.is_file():
        raise UserError(f"--initialize-from {run.path}: not a finished run of {template}")
    for name in ARCHITECTURE:
        there, here = record.config[name], getattr(config, name)
        if there != here:
            raise UserError(f"--initialize-from {run.path}: {flag(name)} is {there} there and {here} here")
    word_ids, classifier, names = serving.parts(serving.load_model(run))
    return Parent(word_ids.vocabulary, classifier, names)


def copy_weights(parent: Parent, model: keras.Model, names: list[str]) -> None:
    """Copies the parent's weights, layer by layer; the output layer only if the labels are the same.

    Args:
        parent: The run to start from.
        model: The new classifier, of the same architecture.
        names: The new labels.
    """
    for layer in model.layers:
        # Trainable weights alone: dropout's seeds stay this run's own.
        if layer.trainable_variables and (layer.name != "output" or names == parent.names):
            source = parent.classifier.get_layer(layer.name)
            for variable, value in zip(layer.trainable_variables, source.trainable_variables):
                variable.assign(value)

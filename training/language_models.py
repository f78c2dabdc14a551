"""A run of a language model as what another network begins from: its pieces' vectors and its recurrent layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import UserError
from data.subwords.ids import spellings
from training.checkpoint import ADVICE
from training.runs.folder import RunFolder
from training.sealed_arrays import read_sealed

# What the record of a language model's run tells, and no other template's all of it.
OF_A_LANGUAGE_MODEL = {"pieces", "embedding_size", "cell", "units", "layers", "backpropagation_steps"}


@dataclass(frozen=True)
class LanguageModel:
    """The weights of a finished run that another network can begin from.

    Args:
        path: The run's folder.
        rows: The bytes of a piece -> its row of the table.
        table: A vector for each piece, float32 (pieces, size).
        cell: "simple_rnn", "gru" or "lstm".
        units: The length of its states.
        layers: The weights of each recurrent layer, as the layer lists them.

    Example:
        language_model = open_language_model(RunFolder(Path("runs/plays")), embedding_size=128)
        vectors = language_model.vectors_of_words(["good", "bad"])

    Source: Dai and Le 2015, "Semi-supervised Sequence Learning", arXiv:1511.01432.
    """

    path: Path
    rows: dict[bytes, int]
    table: np.ndarray
    cell: str
    units: int
    layers: list[list[np.ndarray]]

    def vectors_of_words(self, words: Sequence[str]) -> dict[str, np.ndarray]:
        """The vectors of the words that are pieces: as they stand inside a text, at its beginning, or capitalized."""
        found = {}
        for word in words:
            spelled = (f" {word}", word, f" {word.capitalize()}")
            row = next(
                (self.rows[one] for each in spelled if (one := each.encode("utf-8", "replace")) in self.rows), None
            )
            if row is not None:
                found[word] = self.table[row]
        return found

    def vectors_of_pieces(self, pieces: Sequence[str]) -> dict[int, np.ndarray]:
        """The vectors of another vocabulary's ids, as `data.subwords.pieces.Subwords` numbers them, that it has too."""
        return {
            number: self.table[self.rows[piece]]
            for number, piece in enumerate(spellings(pieces))
            if piece and piece in self.rows
        }

    def layers_for(self, cell: str, units: int, most: int) -> list[list[np.ndarray]]:
        """The weights of its first recurrent layers, `most` of them at most; none where cell or units are others."""
        return self.layers[:most] if (cell, units) == (self.cell, self.units) else []


def is_language_model(run: RunFolder) -> bool:
    """Whether a folder is a run of a language model, by what its record tells."""
    return set(run.read_record().config) >= OF_A_LANGUAGE_MODEL


def open_language_model(run: RunFolder, embedding_size: int) -> LanguageModel:
    """Reads the best weights of a finished run of a language model.

    Args:
        run: Its folder.
        embedding_size: The length of the vectors in the network that is to begin from them.

    Raises:
        UserError: It is no such run, has not ended, is damaged, or its vectors have another length.
    """
    if not is_language_model(run) or not run.is_finished():
        raise UserError(f"--initialize-from {run.path}: not a finished run of a language model")
    config, read = run.read_record().config, read_sealed(run.checkpoint_file)
    pieces = run.read_vocabulary()
    if read is None or not isinstance(pieces, list):
        raise UserError(f"{run.checkpoint_file} is missing or damaged; {ADVICE}")
    if config["embedding_size"] != embedding_size:
        raise UserError(
            f"--initialize-from {run.path}: --embedding-size is {config['embedding_size']} there and "
            f"{embedding_size} here"
        )
    arrays = read[1]
    layers = [
        [array for name, array in arrays.items() if name.startswith(f"best/recurrent_{number}/")]
        for number in range(1, config["layers"] + 1)
    ]
    rows = {piece: number for number, piece in enumerate(spellings(pieces)) if piece}
    return LanguageModel(run.path, rows, arrays["best/embedding/embeddings"], config["cell"], config["units"], layers)


def set_vectors(embedding, vectors: dict[int, np.ndarray]) -> None:
    """Sets rows of an embedding layer: id -> vector."""
    if vectors:
        table = embedding.embeddings.numpy()
        table[list(vectors)] = list(vectors.values())
        embedding.embeddings.assign(table)


def set_layers(layers: Sequence, weights: Sequence[list[np.ndarray]]) -> None:
    """Sets the weights of recurrent layers, the first ones of a network: as many as there are weights for."""
    for layer, arrays in zip(layers, weights, strict=False):
        for variable, array in zip(layer.trainable_variables, arrays, strict=True):
            variable.assign(array)

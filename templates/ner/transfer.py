"""What words start from: vectors out of a file, or those of a language model."""

from collections.abc import Sequence
from pathlib import Path

from data.errors import UserError
from data.tagged_sentences.vectors import WordVectors, read_vectors
from data.vocabulary import FIRST_WORD
from training.language_models import open_language_model
from training.runs.finding import find_run

from .config import Config


def find_vectors(config: Config, words: Sequence[str]) -> WordVectors | None:
    """Reads the vectors that `vectors` or `initialize_from` names; None where neither does.

    Args:
        config: The run's configuration.
        words: The words of the training sentences.

    Raises:
        UserError: There are none, or they have another length.
    """
    if config.initialize_from:
        run = find_run(config.initialize_from, [Path(__file__).resolve().parent.name])
        vectors = open_language_model(run, config.embedding_size).vectors_of_words(words)
        return WordVectors(vectors, config.embedding_size, set(vectors), set(), set(words) - set(vectors), [])
    if not config.vectors:
        return None
    found = read_vectors(config.vectors, words, others=config.vocabulary_size - FIRST_WORD - len(words))
    if found.size != config.embedding_size:
        raise UserError(f"{config.vectors}: vectors of {found.size} numbers; add --embedding-size {found.size}")
    return found

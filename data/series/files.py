"""Finding the tables of series at a path."""

from pathlib import Path

from data.files import content_suffix
from data.sources.split_files import Splits, find_splits
from data.tables.rows import TABLE_SUFFIXES, TEXT_SUFFIXES


def find_tables(path: Path, need_train: bool = True) -> Splits:
    """Finds the tables at a path.

    Args:
        path: One file, or a folder that holds train and perhaps validation and test files.
        need_train: Whether a folder without a train file is an error.

    Raises:
        UserError: Nothing is there, or no table.
    """
    text = TEXT_SUFFIXES if not path.is_dir() and content_suffix(path) in TEXT_SUFFIXES else ()
    return find_splits(path, (*TABLE_SUFFIXES, *text), need_train=need_train)

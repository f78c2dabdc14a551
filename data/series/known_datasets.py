"""The public sets of series that `--data` knows: where each comes from, its size and its terms."""

from data.sources.dataset import Dataset

DATASETS: dict[str, Dataset] = {}

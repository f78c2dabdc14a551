"""The public sets of series that `--data` knows: where each comes from, its size and its terms."""

from data.sources.dataset import Dataset

# None yet: TFDS 4.9.10 has no set of series to forecast. Those of the Hugging Face hub are read as hf:OWNER/NAME.
DATASETS: dict[str, Dataset] = {}

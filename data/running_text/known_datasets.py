"""The public sets of running text that `--data` knows: where each comes from, its size and its terms."""

from data.sources.dataset import Dataset

DATASETS = {
    dataset.name: dataset
    for dataset in [
        Dataset(
            name="tiny_shakespeare",
            builder="tiny_shakespeare:1.0.0",
            folder="tiny_shakespeare/1.0.0",
            url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            archive="input.txt",
            download="",
            size=1_115_394,
            terms="plays by William Shakespeare, in the public domain",
            splits=("train", "validation", "test"),
        ),
    ]
}

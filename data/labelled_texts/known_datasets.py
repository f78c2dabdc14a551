"""The public sets of labelled texts that `--data` knows: where each comes from, its size and its terms."""

from data.sources.dataset import Dataset, File, Mirror

# The SHA-256 as several public projects have it that pin this revision.
_IMDB_MIRROR = Mirror(
    address="hf:stanfordnlp/imdb/plain_text@e6281661ce1c48d982bc483cf8a173c1bbeb5d31",
    files={
        "train": (
            File(
                "plain_text/train-00000-of-00001.parquet",
                20_979_968,
                "db47d16b5c297cc0dd625e519c81319c24c9149e70e8496de5475f6fa928342c",
            ),
        ),
        "test": (
            File(
                "plain_text/test-00000-of-00001.parquet",
                20_470_363,
                "b52e26e2f872d282ffac460bf9770b25ac6f102cda0e6ca7158df98c94e8b3da",
            ),
        ),
    },
    rows={"train": 25_000, "test": 25_000},
)

DATASETS = {
    dataset.name: dataset
    for dataset in [
        Dataset(
            name="imdb_reviews",
            builder="imdb_reviews/plain_text:1.0.0",
            folder="imdb_reviews/plain_text/1.0.0",
            url="http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
            archive="aclImdb_v1.tar.gz",
            download="ai.stanfor.edu_amaas_sentime_aclImdb_v1xA90oY07YfkP66HhdzDg046Ll8Bf3nAIlC6Rkj0WWP4.tar.gz",
            size=84_125_825,
            terms="Large Movie Review Dataset (Maas et al. 2011), for research; cite the paper, do not redistribute",
            splits=("train", "test", "unsupervised"),
            mirror=_IMDB_MIRROR,
        ),
    ]
}

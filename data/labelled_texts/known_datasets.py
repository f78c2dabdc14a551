"""The public sets of labelled texts that `--data` knows: where each comes from, its size and its terms."""

from data.sources.dataset import Dataset

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
        ),
    ]
}

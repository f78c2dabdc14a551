"""The public sets of tagged sentences that `--data` knows: where each comes from, its size and its terms."""

from data.sources.dataset import Dataset, File, Mirror

# The SHA-256 as a public project has it that pins this revision, and compared it with the original archive. The sizes
# are not known.
_CONLL2003_MIRROR = Mirror(
    address="hf:lhoestq/conll2003/default@19edcb426bfd625c275c17b9a99b2239243f4377",
    files={
        split: (File(f"data/{split}-00000-of-00001.parquet", 0, sha256),)
        for split, sha256 in (
            ("train", "1575a56575c18a59590ffc22d31bd43a3ee28fe989b5e0f160059970e87af9ec"),
            ("validation", "0a7d0169be91e69b3258026ceaeaccc87d672339d4acc76a85065ea8fd9eec47"),
            ("test", "5a6901d09abe098a8924aaed56a89ebb7997be1e94dce488ad8c907d058b8131"),
        )
    },
    rows={"train": 14_041, "validation": 3_250, "test": 3_453},
    is_compared=True,
)

DATASETS = {
    dataset.name: dataset
    for dataset in [
        Dataset(
            name="conll2003",
            builder="conll2003/conll2003:1.0.0",
            folder="conll2003/conll2003/1.0.0",
            url="https://data.deepai.org/conll2003.zip",
            archive="conll2003.zip",
            download="data.deepai.org_conll2003lqEE0XTdrnVYurYD8ZOCxf4C_x2lwHen884s7RV4osM.zip",
            size=982_975,
            terms="CoNLL-2003 (Tjong Kim Sang and De Meulder 2003), news of Reuters, for research; do not redistribute",
            splits=("train", "validation", "test"),
            # As in Hugging Face's datasets/conll2003/dataset_infos.json.
            sha256="96a104d174ddae7558bab603f19382c5fe02ff1da5c077a7f3ce2ced1578a2c3",
            mirror=_CONLL2003_MIRROR,
            unchecked_download="data.deepai.org_conll2003KZOtc780HOSD8G18qyN9YtswOwCtUIbu9OZPUrhBI_Y.zip",
        ),
        Dataset(
            name="wikiann",
            builder="wikiann/en:1.0.0",
            folder="wikiann/en/1.0.0",
            # TFDS has the authors' link, which is gone (github.com/afshinrahimi/mmner/issues/4). This is the copy that
            # Hugging Face made; size and SHA-256 as in its datasets/wikiann/dataset_infos.json.
            url="https://s3.amazonaws.com/datasets.huggingface.co/wikiann/1.1.0/panx_dataset.zip",
            tfds_url="https://www.dropbox.com/s/12h3qqog6q4bjve/panx_dataset.tar?dl=1",
            archive="panx_dataset.zip",
            download="dropbox.com_s_12h3qqog6q4_panx_datasetFkgUtk90mtAAmItatFBQtRFpE7PbRmqxcwCJVd32SaQ.tardl=1",
            size=234_008_884,
            terms="WikiANN (Pan et al. 2017, splits of Rahimi et al. 2019), from Wikipedia (CC BY-SA); cite the papers",
            splits=("train", "validation", "test"),
            sha256="164814b64f749ad000988b5ab45050b5116913b3db466ab173008955ddf649a4",
        ),
    ]
}

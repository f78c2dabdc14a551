"""The public data sets that `--data` knows: where each comes from, what it weighs, and under which terms."""

import dataclasses
import urllib.parse

from data.errors import UserError


@dataclasses.dataclass(frozen=True)
class File:
    """One of the files of a set that is not a single archive.

    Args:
        name: Its name.
        size: In bytes.
        sha256: Of its bytes; "" where it is not known.
        md5: Of its bytes, where there is no SHA-256.
        url: Its address, where that is not the set's and the name.
    """

    name: str
    size: int
    sha256: str = ""
    md5: str = ""
    url: str = ""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A public data set.

    Args:
        name: The name by which `--data` calls it.
        builder: The TFDS builder, with configuration and version.
        folder: Where TFDS keeps the prepared set, below its data folder.
        url: Where its archive is downloaded from, or the address that all its files' addresses begin with.
        archive: The archive's file name, when it is placed by hand, or the name of the folder of its files.
        download: The name that TFDS gives the archive, when TFDS has downloaded it.
        size: Of the archive, or of all files, in bytes.
        terms: Under which terms the set may be used, in one line.
        splits: The names of its splits, as `data.sources.split_files` calls them.
        holds: "labelled texts", "tagged sentences", "sentence pairs" or "captioned pictures".
        sha256: Of the archive, where TFDS knows none; "" where it does.
        tfds_url: Where TFDS would download the archive from, where that is not `url`; "" where it is.
        unchecked_download: The name that TFDS gives the archive without `sha256`, where it is of any use, or "".
        files: Its files, where it is not a single archive.
        language_pairs: Of sentence pairs, the languages that go together; those that are meant if none are named first.
        more_training: TFDS's splits that belong to the training split, besides the one of that name.
    """

    name: str
    builder: str
    folder: str
    url: str
    archive: str
    download: str
    size: int
    terms: str
    splits: tuple[str, ...]
    holds: str = "labelled texts"
    sha256: str = ""
    tfds_url: str = ""
    unchecked_download: str = ""
    files: tuple[File, ...] = ()
    language_pairs: tuple[tuple[str, str], ...] = ()
    more_training: tuple[str, ...] = ()

    @property
    def urls(self) -> list[str]:
        """The addresses of all that is downloaded."""
        return [file.url or self.url + file.name for file in self.files] or [self.url]

    @property
    def host(self) -> str:
        """The host that the archive comes from."""
        return urllib.parse.urlsplit(self.url).hostname or ""

    @property
    def mebibytes(self) -> int:
        """The size of the archive in MiB."""
        return round(self.size / 2**20)


_MULTI30K_FILES = (
    File("train.de.gz", 637_044, "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6"),
    File("train.en.gz", 568_929, "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f"),
    File("train.fr.gz", 604_242, "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c"),
    File("val.de.gz", 24_681, "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a"),
    File("val.en.gz", 21_650, "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28"),
    File("val.fr.gz", 23_001, "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9"),
    File("test_2016_flickr.de.gz", 22_890, "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8"),
    File("test_2016_flickr.en.gz", 21_077, "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"),
    File("test_2016_flickr.fr.gz", 22_310, "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90"),
)
# The name of a low-resource language with a related one's, as in az_tr, is that of a mix of both to train on.
_TED_PAIRS = (
    *(("pt", "en"), ("az", "en"), ("az_tr", "en"), ("be", "en"), ("be_ru", "en"), ("es", "pt"), ("fr", "pt")),
    *(("gl", "en"), ("gl_pt", "en"), ("he", "pt"), ("it", "pt"), ("ru", "en"), ("ru", "pt"), ("tr", "en")),
)
# We know of no published SHA-256; MD5 as in R/dataset-flickr.R of github.com/mlverse/torchvision.
_FLICKR8K_FILES = (
    File("Flickr8k_text.zip", 2_340_801, md5="bf6c1abcb8e4a833b7f922104de18627"),
    File("Flickr8k_Dataset.zip", 1_115_419_746, md5="f18a1e2920de5bd84dae7cf08ec78978"),
)
_COCO = "http://images.cocodataset.org/"
_ZIPS, _ANNOTATIONS = f"{_COCO}zips/", f"{_COCO}annotations/"
_KARPATHY = "https://cs.stanford.edu/people/karpathy/deepimagesent/"
# As TFDS knows them. It also wants test2014 and test2015, though it takes nothing from them: they have no captions.
_COCO_FILES = tuple(
    File(name, size, sha256, url=folder + name)
    for folder, name, size, sha256 in (
        (_ZIPS, "train2014.zip", 13_510_573_713, "ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775"),
        (_ZIPS, "val2014.zip", 6_645_013_297, "fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0"),
        (_ZIPS, "test2014.zip", 6_660_437_059, "ead40c62230cb2cf70ff4c8b4c70abdc260a7556e77b3282621d06d8e2e35bdf"),
        (_ZIPS, "test2015.zip", 13_270_587_935, "1a2aa896b81140a850a78fa8bff07d455698d2abf364ff05721763458a8101ca"),
        (
            _ANNOTATIONS,
            "annotations_trainval2014.zip",
            252_872_794,
            "031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009",
        ),
        (
            _ANNOTATIONS,
            "image_info_test2014.zip",
            763_464,
            "7cecc66f6b09c1671c1896a1bcc1f35eb09b7fcf00a5c18420a5f0f5983dc8c9",
        ),
        (
            _ANNOTATIONS,
            "image_info_test2015.zip",
            1_887_164,
            "cf400242f8497257fb8a3e369bc766491f4a7e42625fb3d72555504e9a8c3b18",
        ),
        (
            _KARPATHY,
            "caption_datasets.zip",
            36_745_453,
            "4cfd70132527b80933105e5829dc9034eaab9573482e2e680abbab6130244817",
        ),
    )
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
        ),
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
            holds="tagged sentences",
            # As in Hugging Face's datasets/conll2003/dataset_infos.json.
            sha256="96a104d174ddae7558bab603f19382c5fe02ff1da5c077a7f3ce2ced1578a2c3",
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
            holds="tagged sentences",
            sha256="164814b64f749ad000988b5ab45050b5116913b3db466ab173008955ddf649a4",
        ),
        Dataset(
            name="multi30k",
            builder="multi30k:1.0.0",  # our own, in data/multi30k.py
            folder="multi30k/1.0.0",
            url="https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/",
            archive="multi30k",
            download="",
            size=sum(file.size for file in _MULTI30K_FILES),
            terms="Multi30k (Elliott et al. 2016, 2017), captions of Flickr30k, for research; do not redistribute",
            splits=("train", "validation", "test"),
            holds="sentence pairs",
            files=_MULTI30K_FILES,
            language_pairs=(("de", "en"), ("de", "fr"), ("en", "fr")),
        ),
        Dataset(
            name="ted_hrlr_translate",
            builder="ted_hrlr_translate/pt_to_en:1.0.0",
            folder="ted_hrlr_translate/pt_to_en/1.0.0",
            url="http://www.phontron.com/data/qi18naacl-dataset.tar.gz",
            archive="qi18naacl-dataset.tar.gz",
            download="phontron.com_qi18naacl-datasetIWqGw99NT1IoVv6bkg_1vms5TXacyIl0ro-fVUaVO7w.tar.gz",
            size=131_005_909,
            terms="subtitles of TED talks (Qi et al. 2018), CC BY-NC-ND 4.0",
            splits=("train", "validation", "test"),
            holds="sentence pairs",
            language_pairs=_TED_PAIRS,
        ),
        Dataset(
            name="flickr8k",
            builder="flickr8k:1.0.0",  # our own, in data/flickr8k.py
            folder="flickr8k/1.0.0",
            url="https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/",
            archive="flickr8k",
            download="",
            size=sum(file.size for file in _FLICKR8K_FILES),
            terms="Flickr8k (Hodosh et al. 2013), pictures of Flickr's users, for research; do not redistribute",
            splits=("train", "validation", "test"),
            holds="captioned pictures",
            files=_FLICKR8K_FILES,
        ),
        Dataset(
            name="coco_captions",
            builder="coco_captions/2014:1.1.0",
            folder="coco_captions/2014/1.1.0",
            url=_COCO,
            archive="",
            download="",
            size=sum(file.size for file in _COCO_FILES),
            terms="COCO 2014 (Lin et al. 2014), captions CC BY 4.0, pictures under the terms of Flickr",
            # Of Karpathy and Li (2015): 5,000 of COCO's validation pictures to validate, 5,000 to test, with captions.
            splits=("train", "validation", "test"),
            holds="captioned pictures",
            files=_COCO_FILES,
            more_training=("restval",),
        ),
    ]
}


def check_holds(dataset: Dataset, holds: str) -> None:
    """Raises a `UserError` for a set that holds something else than `holds`; it names those that hold it."""
    if dataset.holds != holds:
        others = ", ".join(other.name for other in DATASETS.values() if other.holds == holds)
        raise UserError(f"{dataset.name} holds {dataset.holds}; expected {holds}, as in {others}")

"""The public sets of sentence pairs that `--data` knows: where each comes from, its size and its terms."""

from data.sources.dataset import Dataset, File, Mirror

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
# The SHA-256 as a public project has it; those of train and test are also what the files above give, written as JSON.
# No commit is known, so that the branch is named, and the commit is found when it is downloaded.
_MULTI30K_MIRROR = Mirror(
    address="hf:bentrevett/multi30k/default@main",
    files={
        "train": (File("train.jsonl", 4_598_515, "de8a1bb324fcf14c44b17b2baee60304c9aba9e5f5889da8a955ffffebc71abb"),),
        "validation": (File("val.jsonl", 0, "f23e04140ebb001299365cd1d041da54c6cdd970b6eba64b7124242580f05e52"),),
        "test": (File("test.jsonl", 156_307, "0b997c04e05614fdca57c7997bb42822db69b4177d6dc96d80a5a6af8a758588"),),
    },
    rows={"train": 29_000, "validation": 1_014, "test": 1_000},
    is_compared=True,
    languages=("de", "en"),
)
# The name of a low-resource language with a related one's, as in az_tr, is that of a mix of both to train on.
_TED_PAIRS = (
    *(("pt", "en"), ("az", "en"), ("az_tr", "en"), ("be", "en"), ("be_ru", "en"), ("es", "pt"), ("fr", "pt")),
    *(("gl", "en"), ("gl_pt", "en"), ("he", "pt"), ("it", "pt"), ("ru", "en"), ("ru", "pt"), ("tr", "en")),
)

DATASETS = {
    dataset.name: dataset
    for dataset in [
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
            files=_MULTI30K_FILES,
            language_pairs=(("de", "en"), ("de", "fr"), ("en", "fr")),
            mirror=_MULTI30K_MIRROR,
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
            language_pairs=_TED_PAIRS,
        ),
    ]
}

"""The public sets of captioned pictures that `--data` knows: where each comes from, its size and its terms."""

from data.sources.dataset import Dataset, File, Mirror

# We know of no published SHA-256; MD5 as in R/dataset-flickr.R of github.com/mlverse/torchvision.
_FLICKR8K_FILES = (
    File("Flickr8k_text.zip", 2_340_801, md5="bf6c1abcb8e4a833b7f922104de18627"),
    File("Flickr8k_Dataset.zip", 1_115_419_746, md5="f18a1e2920de5bd84dae7cf08ec78978"),
)
# The SHA-256 as a public project has it that pins this revision, and reads no more than these two splits.
_FLICKR8K_MIRROR = Mirror(
    address="hf:jxie/flickr8k/default@56f58c967835f7c508d684f36bd7897cca9d7634",
    files={
        "train": (
            File("data/train-00000-of-00002-2f8f6bfa852eac4b.parquet", 0),
            File("data/train-00001-of-00002-2173151d8cd6c7fb.parquet", 0),
        ),
        "validation": (
            File(
                "data/validation-00000-of-00001-7025a2b596f14b7b.parquet",
                137_856_237,
                "2470e49d96fb37e19c8a1d29056623c84ed41c3760a12747e120695aa0c44ad4",
            ),
        ),
        "test": (
            File(
                "data/test-00000-of-00001-42a2661d12c73e48.parquet",
                136_773_352,
                "f3bc4c3548ec1d9bb3c445c871cfcd3aca6003e3d4786e404fc9356b5215410d",
            ),
        ),
    },
    rows={"train": 6_000, "validation": 1_000, "test": 1_000},
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
            name="flickr8k",
            builder="flickr8k:1.0.0",  # our own, in data/flickr8k.py
            folder="flickr8k/1.0.0",
            url="https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/",
            archive="flickr8k",
            download="",
            size=sum(file.size for file in _FLICKR8K_FILES),
            terms="Flickr8k (Hodosh et al. 2013), pictures of Flickr's users, for research; do not redistribute",
            splits=("train", "validation", "test"),
            files=_FLICKR8K_FILES,
            mirror=_FLICKR8K_MIRROR,
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
            files=_COCO_FILES,
            more_training=("restval",),
        ),
    ]
}

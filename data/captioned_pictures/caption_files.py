"""Which files of a folder hold captions, and which list the pictures of a split; and texts beside pictures."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from data.captioned_pictures.caption_columns import Caption, Told
from data.captioned_pictures.caption_json import beginning, first_key_of_texts, says_captions, what_json_holds
from data.captioned_pictures.caption_tables import CaptionTable, find_table
from data.captioned_pictures.captions import JSON, JSON_LINES, TEXT_SUFFIXES, check_columns, open_captions
from data.captioned_pictures.files import PICTURE_SUFFIXES, PictureFiles
from data.errors import BadLines, UserError, shown
from data.files import content_name, content_suffix, decoded_lines, sampled, without_end
from data.json_text import LARGEST_VALUE, parse_json
from data.sources.split_files import DOCUMENTATION, STANDARD_STEMS
from data.tables.dialect import SAMPLED_LINES
from data.tables.parquet import PARQUET

EXPECTED = (
    "name<TAB>caption or name#k<TAB>caption on each line, a table with columns such as image and caption, "
    "JSON (COCO's, Karpathy's, metadata.jsonl), or a .txt beside each picture"
)
# After the word that names the split: trainImages, test_list, val2017.
_AFTER_SPLIT = re.compile(r"(images?|imgs?|lists?|set|split|ids?|names?|files?|ing)$")
# What files of captions are often called.
_CAPTIONS = re.compile("caption|token")
# So many captions, or texts beside pictures, are looked at.
_SAMPLED = 100
_TABLES = (*TEXT_SUFFIXES, ".csv")
_UNREAD_KINDS = {
    ".mat": "MATLAB's",
    ".xlsx": "an Excel workbook; save it as .csv",
    ".xls": "an Excel workbook; save it as .csv",
    ".xml": "XML",
    ".zip": "packed; unpack it",
    ".pkl": "Python's pickle",
    ".npz": "NumPy's",
    ".npy": "NumPy's",
    ".h5": "HDF5",
}


class TextFiles:
    """The files of a folder that may be captions or lists."""

    def __init__(self, folder: Path, encoding: str, pictures: PictureFiles, told: Told):
        self.folder = folder
        self.encoding = encoding
        self.pictures = pictures
        self.told = told
        below = [entry for entry in sorted(folder.iterdir()) if entry.is_dir() and not entry.name.startswith(".")]
        self.entries = _files(folder)
        # Texts beside pictures are not looked into, one by one; unless they are called as lists and captions are.
        texts = {pictures.others[text].path for text in _beside(pictures).values()}
        files = [*self.entries, *(file for entry in below for file in _files(entry))]
        self.candidates = [file for file in files if file not in texts or _is_called_so(file)]
        self.columns = {
            file: columns_of(file, encoding) for file in self.candidates if content_suffix(file) in TEXT_SUFFIXES
        }

    def check(self, path: Path) -> None:
        """Makes sure that a file that was given holds captions.

        Raises:
            UserError: It does not; says what it holds.
        """
        if content_suffix(path) in (JSON, JSON_LINES, PARQUET) or self._table(path):
            return
        check_columns(path, self.encoding, self.told)
        raise UserError(f"{path}: expected captions: {EXPECTED}; found {self._what_it_is(path)}")

    def captions(self) -> dict[Path, str | None]:
        """The files of captions, and the split that each names: several only if they are of different splits."""
        rest = self.candidates
        first: dict[Path, str | None] = {}
        for is_of_kind in (self._is_usual, self._is_other, self._is_by_name):
            of_kind = [file for file in rest if is_of_kind(file)]
            found = self._chosen(of_kind) if of_kind else {}
            if any(map(self._fits, found)):
                return found
            rest, first = [file for file in rest if file not in of_kind], first or found
        return first

    def lists(self) -> dict[str, Path]:
        """The list of each split: of those in the folder, else of those below."""
        found = [(split_of(file), file) for file, columns in self.columns.items() if columns == 1]
        named = [(split, file) for split, file in found if split and not self._table(file)]
        named = [(split, file) for split, file in named if file.parent == self.folder] or named
        splits: dict[str, list[Path]] = {}
        for split, file in named:
            splits.setdefault(split, []).append(file)
        files = {}
        for split, several in splits.items():
            if len(several) == 1:
                files[split] = several[0]
            elif split == "test" and len({_stem(file) for file in several}) == len(several):
                files |= {_stem(file): file for file in several}  # test_2016 and test_2017, each under its own name
            else:
                raise UserError(f"{several[0]} and {several[1]} are both the {split} split; keep one of them")
        return files

    def beside(self) -> dict[str, str]:
        """From pictures to the texts beside them; none where these hold no words, but boxes or the like."""
        beside = _beside(self.pictures)
        sampled = [self.pictures.read(text) for text in itertools.islice(beside.values(), _SAMPLED)]
        words = [any(map(str.isalpha, content.decode(self.encoding, "replace"))) for content in sampled]
        return beside if sum(words) > len(words) / 2 else {}

    def nothing_found(self) -> str:
        """What to say where nothing holds captions: what was expected, and what each file is."""
        found = [f"{entry.name} ({self._what_it_is(entry)})" for entry in self.entries[:20]]
        return f"{self.folder} has no captions; expected {EXPECTED}; found {', '.join(found) or 'nothing'}"

    def _table(self, file: Path) -> CaptionTable | None:
        return find_table(file, self.encoding, self.pictures.has, self.told)

    def _is_usual(self, file: Path) -> bool:
        return self.columns.get(file) == 2 or (content_suffix(file) == JSON and "caption" in file.name.lower())

    def _is_by_name(self, file: Path) -> bool:
        """Whether a .json file begins with the name of a picture that is there, and texts."""
        return content_suffix(file) == JSON and self.pictures.has(first_key_of_texts(file, self.encoding) or "")

    def _is_other(self, file: Path) -> bool:
        """Whether a file that may be anything holds captions in one of the less usual formats."""
        suffix = content_suffix(file)
        if suffix in (JSON_LINES, PARQUET) and file.name.lower().startswith("metadata"):
            return True
        if suffix in (JSON, JSON_LINES):
            return says_captions(file, self.encoding)
        try:
            return suffix in _TABLES and self._table(file) is not None
        except UserError:  # damaged, or in another encoding
            return False

    def _chosen(self, found: list[Path]) -> dict[Path, str | None]:
        # The lemmas of the captions come beside them.
        found = [file for file in found if "lemma" not in file.name.lower()] or found
        found = [file for file in found if file.parent == self.folder] or found
        found = [file for file in found if _CAPTIONS.search(file.name.lower())] or found
        splits = {file: split_of(file) for file in found}
        if _are_unclear(splits):
            # As the folders train and test say, in each of which is a metadata.jsonl; or by what pictures are there.
            splits = {file: split or self._split_of_folder(file) for file, split in splits.items()}
        if _are_unclear(splits):
            splits = {file: split for file, split in splits.items() if self._fits(file)} or splits
        if _are_unclear(splits):
            names = ", ".join(str(file.relative_to(self.folder)) for file in found)
            raise UserError(f"{self.folder}: {names} could all be the captions; give the right one as --data")
        return splits

    def _split_of_folder(self, file: Path) -> str | None:
        return STANDARD_STEMS.get(file.parent.name.lower()) if file.parent != self.folder else None

    def _fits(self, file: Path) -> bool:
        """Whether the first captions of a file are of pictures that are there."""
        if content_suffix(file) == JSON:
            strings = re.findall(r'"([^"\\]+)"', beginning(file, self.encoding))
            return any(map(self.pictures.has, dict.fromkeys(strings)))
        try:
            opened = open_captions(file, self.encoding, BadLines(skip=True), self.pictures.has, self.told)
            return any(self.pictures.has(caption.name) for caption in itertools.islice(opened.captions, _SAMPLED))
        except UserError:
            return False

    def _what_it_is(self, file: Path) -> str:
        suffix = content_suffix(file)
        if suffix in _UNREAD_KINDS:
            return _UNREAD_KINDS[suffix]
        try:
            columns = columns_of(file, self.encoding)
        except UserError as error:
            return str(error).replace(str(file), file.name)
        text = beginning(file, self.encoding)
        if suffix == JSON:
            try:
                return what_json_holds(parse_json(text))
            except ValueError:
                keys = list(dict.fromkeys(re.findall(r'"([^"\\]+)"\s*:', text)))
                return f"JSON with {', '.join(keys[:6])}" if keys else "no JSON"
        if columns == 1 and self.pictures.has(text.partition("\n")[0].strip()):
            return "a list of pictures"
        first = next((line for line in text.splitlines() if line.strip()), "")
        name = first.split()[0].partition("#")[0].rstrip(":") if first else ""
        advice = "; a tab must stand between name and caption" if columns == 1 and self.pictures.has(name) else ""
        return f"what begins with {shown(first)}{advice}" if first else "empty"


def columns_of(path: Path, encoding: str = "utf-8") -> int:
    """The number of columns, separated by tabs, in most of the first lines; 0 in an empty file."""
    lines = sampled(decoded_lines(path, encoding, LARGEST_VALUE), SAMPLED_LINES)
    counts = Counter(1 + without_end(line.text).count("\t") for line in lines if line.text.strip())
    return counts.most_common(1)[0][0] if counts else 0


def split_of(path: Path) -> str | None:
    """The split that a file's name says, in any of its words: Flickr_8k.devImages.txt is "validation".

    Args:
        path: The file.

    Returns:
        "train", "validation" or "test"; None where the name says no split or several.
    """
    words = re.findall("[a-z]+", re.sub("(?<=[a-z])(?=[A-Z])", " ", _stem(path)).lower())
    splits = {STANDARD_STEMS.get(word) or STANDARD_STEMS.get(_AFTER_SPLIT.sub("", word)) for word in words} - {None}
    return splits.pop() if len(splits) == 1 else None


def texts_beside(
    pictures: PictureFiles, beside: dict[str, str], splits: Sequence[str], encoding: str, bad_lines: BadLines
) -> Iterator[Caption]:
    """The captions that stand in texts beside pictures, one on each line that is not blank.

    Args:
        pictures: The pictures and the texts.
        beside: From each picture to its text.
        splits: Those that there are; the first folder of a picture's path names its own.
        encoding: How the texts' bytes are to be read.
        bad_lines: What is done with a text that is not valid in the encoding, or empty.
    """
    for picture, text in beside.items():
        split = STANDARD_STEMS.get(picture.partition("/")[0].lower())
        content = pictures.read(text).removeprefix(b"\xef\xbb\xbf")
        try:
            lines = [line.strip() for line in content.decode(encoding).splitlines()]
        except UnicodeDecodeError as error:
            found = f"the byte 0x{content[error.start]:02x} at position {error.start + 1}"
            bad_lines.report(pictures.shown(text), 1, expected=f"{encoding} text", found=found)
            continue
        if not any(lines):
            bad_lines.report(pictures.shown(text), 1, expected="a caption", found="nothing")
        for number, line in enumerate(lines, start=1):
            if line:
                yield Caption(number, picture, line, split if split in splits else None)


def _beside(pictures: PictureFiles) -> dict[str, str]:
    """From pictures to the texts beside them: dog.txt or dog.jpg.txt for dog.jpg."""
    texts = {name for name in pictures.others if name.endswith(".txt")}
    found = {}
    for picture in pictures.places if texts else ():
        for text in (f"{picture.rpartition('.')[0] or picture}.txt", f"{picture}.txt"):
            if text in texts:
                found[picture] = text
    return found


def _is_called_so(file: Path) -> bool:
    return split_of(file) is not None or bool(_CAPTIONS.search(file.name.lower()))


def _are_unclear(splits: dict[Path, str | None]) -> bool:
    return len(splits) > 1 and (None in splits.values() or len(set(splits.values())) < len(splits))


def _stem(path: Path) -> str:
    return PurePosixPath(content_name(path)).stem


def _files(folder: Path) -> list[Path]:
    """The files directly in a folder that are neither pictures, hidden, nor documentation."""
    return [
        entry
        for entry in sorted(folder.iterdir())
        if not entry.name.lower().startswith((".", *DOCUMENTATION))
        and entry.suffix.lower() not in PICTURE_SUFFIXES
        and entry.is_file()
    ]

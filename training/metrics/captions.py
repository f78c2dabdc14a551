"""BLEU, CIDEr and ROUGE-L of captions, each against all references of its picture, as pycocoevalcap computes them."""

import math
import shutil
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.scripts import split_words

# BLEU and CIDEr look at n-grams of 1 to 4 tokens.
_SIZES = (1, 2, 3, 4)
# BLEU's guards against a division by zero: a precision of 0 / 0 becomes small.
_TINY, _SMALL = 1e-15, 1e-9
# CIDEr's tolerance for a difference in length, in tokens, and its scale.
_SIGMA, _CIDER_SCALE = 6.0, 10.0
# How much more recall weighs than precision in ROUGE-L.
_BETA = 1.2

Tokens = list[str]


@dataclass(frozen=True)
class CaptionScores:
    """What `score_captions` found.

    Args:
        metrics: `bleu1` to `bleu4`, 0 to 100, over all captions together; `cider`, 0 to 10, and `rouge_l`, 0 to 1, the
            means over the captions.
        per_caption: The same names; the figure of each caption alone, in the order given.
    """

    metrics: dict[str, float]
    per_caption: dict[str, list[float]]


def normalise(caption: str) -> str:
    """A caption as it is learned and scored: lower case, no punctuation marks and symbols, one blank between words.

    Nothing takes the place of what is removed. Punctuation marks and symbols are Unicode's categories P and S,
    `[\\pP\\pS]` in a regular expression of TensorFlow's.

    Example:
        normalise("A dog's T-shirt, in red & white.")   # "a dogs tshirt in red white"
    """
    kept = (character for character in caption.lower() if unicodedata.category(character)[0] not in "PS")
    return " ".join("".join(kept).split())


def caption_tokens(caption: str) -> Tokens:
    """Splits a caption for scoring: normalised, and cut at blanks, or where a script has none into characters.

    No token is replaced by an unknown token.

    Args:
        caption: Any text.

    Returns:
        The tokens; none for a text without letters and digits.

    Example:
        caption_tokens("A dog's T-shirt."), caption_tokens("一只狗。")   # ["a", "dogs", "tshirt"], ["一", "只", "狗"]
    """
    return split_words(normalise(caption))


def score_captions(captions: Sequence[str], references: Sequence[Sequence[str]]) -> CaptionScores:
    """Compares captions with what people wrote about the same pictures; both are split by `caption_tokens`.

    BLEU takes for each caption the reference length that is closest to its own, the shorter of two. CIDEr takes its
    document frequencies from these references, so that it is 0 for a single picture, and depends on which pictures are
    scored together. ROUGE-L takes the best precision and the best recall among the references.

    Args:
        captions: One caption for each picture.
        references: The references of each picture, one or more; their number may differ.

    Returns:
        `CaptionScores`; all figures 0 where there is nothing to compare.

    Raises:
        ValueError: the lengths differ, or a picture has no list of references.

    Example:
        score_captions(["A dog runs."], [["A dog is running.", "The dog runs."]]).metrics["rouge_l"]   # 0.666...

    Source: Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation"; Vedantam et al.
    2015, "CIDEr: Consensus-based Image Description Evaluation", arXiv:1411.5726 (n-grams of 1 to 4 tokens, sigma 6,
    times 10: its CIDEr-D); Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries" (beta 1.2).
    """
    _check(captions, references)
    return _scores(
        [caption_tokens(caption) for caption in captions],
        [[caption_tokens(reference) for reference in picture] for picture in references],
    )


def score_with_ptb_tokenizer(captions: Sequence[str], references: Sequence[Sequence[str]]) -> CaptionScores | None:
    """Scores as `score_captions` does, with the tokens of published figures: those of pycocoevalcap's PTBTokenizer.

    It differs from `caption_tokens` in that a hyphen stays and a clitic is a token ("dog 's", "do n't").

    Args:
        captions: As for `score_captions`.
        references: As for `score_captions`.

    Returns:
        `CaptionScores`, or None where pycocoevalcap or a working Java is not at hand.

    Raises:
        ValueError: as for `score_captions`.

    Example:
        scores = score_with_ptb_tokenizer(["A dog runs."], [["A dog is running.", "The dog runs."]])

    Source: Chen et al. 2015, "Microsoft COCO Captions: Data Collection and Evaluation Server", arXiv:1504.00325.
    """
    _check(captions, references)
    texts = [*captions, *(reference for picture in references for reference in picture)]
    tokens = _ptb_tokens(texts)
    if tokens is None:
        return None
    rest = iter(tokens[len(captions) :])
    return _scores(tokens[: len(captions)], [[next(rest) for _ in picture] for picture in references])


def _check(captions: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    if len(captions) != len(references):
        raise ValueError(f"{len(captions)} captions and references of {len(references)} pictures")
    for number, picture in enumerate(references):
        if isinstance(picture, str) or not len(picture):
            raise ValueError(f"picture {number}: needs a list of one or more references, not {picture!r}")


def _ptb_tokens(texts: Sequence[str]) -> list[Tokens] | None:
    java = shutil.which("java")
    try:
        from pycocoevalcap.tokenizer import ptbtokenizer
    except ImportError:
        return None
    if java is None:
        return None
    # Not through its class, which writes into the installed package and prints over the progress bar. One text a line.
    done = subprocess.run(
        [java, "-cp", ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR, "edu.stanford.nlp.process.PTBTokenizer"]
        + ["-preserveLines", "-lowerCase", "-encoding", "utf-8"],
        cwd=Path(ptbtokenizer.__file__).parent,
        input="".join(" ".join(text.split()) + "\n" for text in texts).encode(errors="replace"),
        capture_output=True,
    )
    # Some systems have a `java` that only says how to install Java.
    if done.returncode:
        return None
    lines = done.stdout.decode().split("\n")[:-1]
    if len(lines) != len(texts):
        raise RuntimeError(f"PTBTokenizer made {len(lines)} lines of {len(texts)}")
    marks = set(ptbtokenizer.PUNCTUATIONS)
    # A token may hold a no-break space ("1 1/2"): BLEU and CIDEr of pycocoevalcap split there, its ROUGE-L does not.
    return [" ".join(token for token in line.rstrip().split(" ") if token not in marks).split() for line in lines]


def _scores(captions: list[Tokens], references: list[list[Tokens]]) -> CaptionScores:
    caption_grams = [_count_grams(caption) for caption in captions]
    reference_grams = [[_count_grams(reference) for reference in picture] for picture in references]
    bleu, bleu_per_caption = _bleu_scores(captions, references, caption_grams, reference_grams)
    per_caption = {f"bleu{size}": bleu_per_caption[:, size - 1].tolist() for size in _SIZES}
    per_caption["cider"] = _cider_scores(caption_grams, reference_grams)
    per_caption["rouge_l"] = [_rouge_l(*pair) for pair in zip(captions, references, strict=True)]
    metrics = {f"bleu{size}": float(bleu[size - 1]) for size in _SIZES}
    metrics |= {name: float(np.mean(per_caption[name])) if captions else 0.0 for name in ("cider", "rouge_l")}
    return CaptionScores(metrics, per_caption)


def _count_grams(tokens: Tokens) -> Counter[tuple[str, ...]]:
    return Counter(gram for size in _SIZES for gram in zip(*(tokens[start:] for start in range(size)), strict=False))


def _bleu_scores(
    captions: list[Tokens],
    references: list[list[Tokens]],
    caption_grams: list[Counter],
    reference_grams: list[list[Counter]],
) -> tuple[np.ndarray, np.ndarray]:
    """BLEU-1 to 4 of the corpus, (4,), and of each caption, (captions, 4)."""
    matched = np.zeros((len(captions), len(_SIZES)))
    possible = np.zeros_like(matched)
    lengths, reference_lengths = np.zeros(len(captions)), np.zeros(len(captions))
    for row, (caption, picture) in enumerate(zip(captions, references, strict=True)):
        lengths[row] = length = len(caption)
        reference_lengths[row] = min((abs(len(reference) - length), len(reference)) for reference in picture)[1]
        possible[row] = [max(length - size + 1, 0) for size in _SIZES]
        for gram, count in caption_grams[row].items():
            matched[row, len(gram) - 1] += min(count, max(counts[gram] for counts in reference_grams[row]))
    sums = [part.sum(axis=0) for part in (matched, possible, lengths[:, None], reference_lengths[:, None])]
    corpus = _bleu(*sums)
    return corpus, _bleu(matched, possible, lengths[:, None], reference_lengths[:, None])


def _bleu(matched: np.ndarray, possible: np.ndarray, length: np.ndarray, reference_length: np.ndarray) -> np.ndarray:
    """(..., 4) from counts of n-grams, (..., 4), and lengths, (..., 1)."""
    precisions = (matched + _TINY) / (possible + _SMALL)
    means = np.cumprod(precisions, axis=-1) ** (1 / np.array(_SIZES))
    ratio = (length + _TINY) / (reference_length + _SMALL)
    return 100 * means * np.exp(np.minimum(1 - 1 / ratio, 0))


def _cider_scores(captions: list[Counter], references: list[list[Counter]]) -> list[float]:
    if not captions:
        return []
    unseen = math.log(len(captions))
    pictures_with = Counter(gram for picture in references for gram in set().union(*picture))
    rarity = {gram: unseen - math.log(pictures) for gram, pictures in pictures_with.items()}

    def weigh(counts: Counter) -> tuple[dict, list[float], int]:
        weights = {gram: count * rarity.get(gram, unseen) for gram, count in counts.items()}
        squares, length = [0.0] * len(_SIZES), 0
        for gram, weight in weights.items():
            squares[len(gram) - 1] += weight * weight
            length += counts[gram] if len(gram) == 1 else 0
        return weights, [math.sqrt(square) for square in squares], length

    scores = []
    for caption, picture in zip(captions, references, strict=True):
        caption_weighed = weigh(caption)
        similarities = [_similarity(caption_weighed, weigh(reference)) for reference in picture]
        scores.append(_CIDER_SCALE * sum(similarities) / len(similarities))
    return scores


def _similarity(caption: tuple[dict, list[float], int], reference: tuple[dict, list[float], int]) -> float:
    """The mean over n-gram sizes of a cosine in which no n-gram of the caption weighs more than the reference's."""
    (weights, norms, length), (reference_weights, reference_norms, reference_length) = caption, reference
    products = [0.0] * len(_SIZES)
    for gram, weight in weights.items():
        other = reference_weights.get(gram, 0.0)
        products[len(gram) - 1] += min(weight, other) * other
    # A norm of 0: no n-gram of this size, or none that tells pictures apart.
    columns = zip(products, norms, reference_norms, strict=True)
    cosines = sum(product / (norm * other) for product, norm, other in columns if norm and other)
    return cosines / len(_SIZES) * math.exp(-((length - reference_length) ** 2) / (2 * _SIGMA**2))


def _rouge_l(caption: Tokens, references: list[Tokens]) -> float:
    # No token counts as one empty token, so that nothing equals nothing.
    caption, references = caption or [""], [reference or [""] for reference in references]
    common = [_longest_common_subsequence(caption, reference) for reference in references]
    precision = max(common) / len(caption)
    recall = max(length / len(reference) for length, reference in zip(common, references, strict=True))
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision) if precision else 0.0


def _longest_common_subsequence(first: Tokens, second: Tokens) -> int:
    lengths = [0] * (len(second) + 1)
    for token in first:
        diagonal = 0
        for place, other in enumerate(second, start=1):
            above = lengths[place]
            lengths[place] = diagonal + 1 if token == other else max(above, lengths[place - 1])
            diagonal = above
    return lengths[-1]

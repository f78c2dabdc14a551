"""Whether what `benchmarks.translation_speed` times computes the same losses and finds the same answers."""

import statistics
from collections.abc import Sequence

import numpy as np

# The losses of a sentence may differ by this times max(1, loss).
TOLERANCE = 1e-4
# Where scores lie closer together than rounding tells, answers may be others: of this share of the sentences. A beam
# of ours may also find a better answer, for it follows the greedy hypothesis besides.
MOST_OTHERS, MOST_BETTER, SAME_SCORE = 0.02, 0.2, 1e-3


def compare_losses(losses: dict[str, list[np.ndarray]], targets: Sequence[np.ndarray]) -> dict:
    """Compares the losses with ours.

    Args:
        losses: Implementation -> of each batch the losses (rows,).
        targets: Of each batch the targets (rows, steps), 0 at padding.

    Returns:
        How many sentences and pieces were compared, our loss per piece, and of each of the others the largest
        difference of a sentence's loss, divided by max(1, loss).

    Raises:
        RuntimeError: A difference is larger than rounding explains.
    """
    pieces = int(sum(np.count_nonzero(each) for each in targets))
    sentences = int(sum(np.count_nonzero(each[:, 0]) for each in targets))
    ours = np.concatenate(losses["ours"])
    found = {"sentences": sentences, "pieces": pieces, "loss_per_piece": float(ours.sum()) / pieces}
    others = {}
    for name in losses.keys() - {"ours"}:
        difference = float((np.abs(np.concatenate(losses[name]) - ours) / np.maximum(1, np.abs(ours))).max())
        if not difference <= TOLERANCE:
            raise RuntimeError(f"{name}: losses differ from ours by {difference:.2g}")
        others[name] = difference
    return {
        **found,
        "tolerance": TOLERANCE,
        "loss_differences": {name: others[name] for name in losses if name in others},
    }


def compare_answers(answers: dict[str, list], width: int) -> dict:
    """Compares what the searches found with what ours found.

    Args:
        answers: Implementation -> of each batch tokens (rows, steps) and scores (rows,).
        width: The beam's width.

    Returns:
        Of each implementation `pieces_per_answer`, the ends included, and `mean_score`; of the others also `others`,
        the share of sentences with another answer, and `ours_better`, that where ours scores higher.

    Raises:
        RuntimeError: More answers differ than rounding, and a better search of ours, explain.
    """
    found, tokens, scores = {}, {}, {}
    for name, each in answers.items():
        tokens[name] = [row[row != 0].tolist() for batch, _ in each for row in batch]
        scores[name] = np.concatenate([batch_scores for _, batch_scores in each])
        found[name] = {
            "pieces_per_answer": round(statistics.mean(map(len, tokens[name])), 2),
            "mean_score": round(float(scores[name].mean()), 5),
        }
        is_other = np.array([mine != theirs for mine, theirs in zip(tokens["ours"], tokens[name], strict=True)])
        is_better = is_other & (scores["ours"] > scores[name] + SAME_SCORE)
        if name != "ours":
            found[name] |= {"others": float(is_other.mean()), "ours_better": float(is_better.mean())}
        unexplained = is_other if width == 1 else is_other & ~is_better
        if unexplained.mean() > MOST_OTHERS or is_better.mean() > MOST_BETTER or np.isnan(scores[name]).any():
            raise RuntimeError(f"{name}, width {width}: {is_other.sum()} answers of {len(is_other)} are not ours")
    return found

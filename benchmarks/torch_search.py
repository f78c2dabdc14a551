"""Beam search in PyTorch over whole batches, with the rules of `rnn_layers.decoding`, as one would write it by hand.

A sentence's hypotheses stand side by side and look at one memory, which is not copied for each. Only live ones are
scored, and sentences that are done leave the batch. What only the greedy search would follow is not followed.
"""

import math

import torch

from benchmarks.torch_decoder import TorchDecoder
from data.subwords.ids import END, START
from data.vocabulary import PADDING

# Sentences leave the batch as soon as so many of it are done: each time the others are copied.
SHARE_DONE = 0.25


@torch.inference_mode()
def search(
    network: TorchDecoder, source: torch.Tensor, width: int, length_exponent: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Looks for the likeliest targets.

    Args:
        network: A decoder that knows what it looks at (`look_at`) and how far it may go (`most_steps`), given a source.
        source: What the network looks at: pieces and the end, padded with 0, (batch, places); or vectors of a picture's
            places, (batch, places, size).
        width: Hypotheses kept at each step; 1 is greedy.
        length_exponent: They are ranked by log probability / length to the power of this.

    Returns:
        The best sequences, (batch, steps), with the end and 0 behind it; their scores, (batch,).
    """
    network.eval()
    *memory, states = network.look_at(source)
    most = network.most_steps(source)
    batch = len(source)
    found = torch.zeros(batch, int(most.max()), dtype=torch.int32, device=source.device)
    found_scores = torch.full((batch,), -math.inf, device=source.device)

    # Of each sentence that is not done: its number, and of its hypotheses tokens, lengths, log p, and which are live.
    rows = torch.arange(batch, device=source.device)
    tokens = torch.full((batch, width, 1), START, dtype=found.dtype, device=source.device)
    lengths = torch.zeros(batch, width, device=source.device)
    log_p = torch.full((batch, width), -math.inf, device=source.device)
    log_p[:, 0] = 0
    live = log_p == 0
    states = [state[:, None].repeat(1, width, 1) for state in states]
    while len(rows):
        is_last = most == tokens.shape[2]
        outputs, states = network.step(tokens[:, :, -1], states, *memory)
        choices, gains = _likeliest(network.score(outputs[live]), is_last[:, None].expand(-1, width)[live], width)
        next_tokens = tokens.new_zeros(*live.shape, width)
        next_tokens[live] = choices.to(tokens.dtype)
        totals = log_p.new_full((*live.shape, width), -math.inf)
        totals[live] = log_p[live][:, None] + gains

        # All that has ended stays; the likeliest continuations take the other places.
        has_ended = ~live & (log_p > -math.inf)
        kept = torch.where(has_ended, math.inf, -math.inf)
        values, picks = torch.cat([kept, totals.flatten(1)], 1).topk(width)
        moved = values.isfinite()
        continued = (picks - width).clamp(min=0)
        parents = torch.where(moved, continued // width, picks.clamp(max=width - 1))
        chosen = next_tokens.flatten(1).gather(1, continued) * moved
        log_p = torch.where(values == math.inf, log_p.gather(1, parents), values)
        lengths = lengths.gather(1, parents) + moved
        tokens = torch.cat([_of(tokens, parents), chosen[:, :, None]], 2)
        states = [_of(state, parents) for state in states]
        live = moved & (chosen != END)

        done = ~live.any(1)
        if done.float().mean() < SHARE_DONE:
            continue
        scores, best = (log_p[done] / lengths[done].clamp(min=1) ** length_exponent).max(1)
        found[rows[done], : tokens.shape[2] - 1] = _of(tokens[done], best[:, None])[:, 0, 1:]
        found_scores[rows[done]] = scores
        left = ~done
        rows, tokens, lengths, log_p, live, most = (each[left] for each in (rows, tokens, lengths, log_p, live, most))
        states, memory = [state[left] for state in states], [each[left] for each in memory]
    return found, found_scores


def _likeliest(scores: torch.Tensor, is_last: torch.Tensor, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest next tokens of each row and their log p, (rows, width); in the last step only the end."""
    norm = scores.logsumexp(1, keepdim=True)
    end = scores[:, END, None].clone()
    scores[:, [PADDING, START]] = -math.inf
    best, tokens = scores.topk(width)
    only_end = torch.cat([end, torch.full_like(best[:, 1:], -math.inf)], 1)
    is_last = is_last[:, None]
    return tokens.masked_fill(is_last, END), torch.where(is_last, only_end, best) - norm


def _of(tensor: torch.Tensor, parents: torch.Tensor) -> torch.Tensor:
    """The rows (batch, width, size) of parents (batch, width)."""
    return tensor.gather(1, parents[:, :, None].expand(-1, -1, tensor.shape[2]))

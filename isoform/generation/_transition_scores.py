"""What each generated token contributed to the score of its sequence."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def compute_transition_scores(
    self: Any,
    sequences: Tensor,
    scores: tuple[Tensor, ...],
    beam_indices: Tensor | None = None,
    normalize_logits: bool = False,
) -> Tensor:
    """The score of each chosen token, from the recorded scores of all tokens.

    Args:
        sequences: `(batch * num_return_sequences, length)`: the generated ids, prompt included.
        scores: per new token `(batch * num_beams, vocabulary)`, as recorded with `output_scores`.
        beam_indices: `(batch * num_return_sequences, length)`: the beam of each new token, as returned by beam search.
        normalize_logits: turn the scores into log-probabilities first.

    Returns:
        `(batch * num_return_sequences, new tokens)`, 0 after the end of a hypothesis.
    """
    table = torch.stack(scores)  # (new tokens, rows, vocabulary)
    if normalize_logits:
        table = table.log_softmax(-1)
    if beam_indices is None:
        beam_indices = torch.arange(table.shape[1], device=sequences.device)[:, None].expand(-1, len(scores))
    # Shorter hypotheses end with -1, where nothing was chosen.
    longest = int((beam_indices >= 0).sum(-1).max())
    beam_indices = beam_indices[:, :longest]
    ended = beam_indices < 0
    tokens = sequences[:, sequences.shape[1] - longest :]
    steps = torch.arange(longest, device=table.device)
    return table[steps, beam_indices.masked_fill(ended, 0), tokens].masked_fill(ended, 0)

"""Functions that change the scores of the next token before it is chosen.

Each takes the tokens so far, `input_ids` of shape (batch, length), and the scores, (batch, vocabulary), and returns
new scores of the same shape. Processors that only overwrite some columns do so in place; warpers make a new tensor.
None waits for the accelerator, and what does not depend on the step is computed once per device.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from ._logits_base import (
    NEVER,
    LogitsProcessor,
    LogitsProcessorList,
    LogitsWarper,
    TokenIds,
    as_list,
    end_tokens,
    is_whole,
    require,
)
from ._logits_bias import NoBadWordsLogitsProcessor, PrefixConstrainedLogitsProcessor, SequenceBiasLogitsProcessor
from ._logits_sampling import (
    EpsilonLogitsWarper,
    EtaLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

__all__ = [
    "AlternatingCodebooksLogitsProcessor",
    "BarkEosPrioritizerLogitsProcessor",
    "ClassifierFreeGuidanceLogitsProcessor",
    "EncoderNoRepeatNGramLogitsProcessor",
    "EncoderRepetitionPenaltyLogitsProcessor",
    "EpsilonLogitsWarper",
    "EtaLogitsWarper",
    "ExponentialDecayLengthPenalty",
    "ForceTokensLogitsProcessor",
    "ForcedBOSTokenLogitsProcessor",
    "ForcedEOSTokenLogitsProcessor",
    "HammingDiversityLogitsProcessor",
    "InfNanRemoveLogitsProcessor",
    "LogitNormalization",
    "LogitsProcessor",
    "LogitsProcessorList",
    "LogitsWarper",
    "MinLengthLogitsProcessor",
    "MinNewTokensLengthLogitsProcessor",
    "NoBadWordsLogitsProcessor",
    "NoRepeatNGramLogitsProcessor",
    "PrefixConstrainedLogitsProcessor",
    "RepetitionPenaltyLogitsProcessor",
    "SequenceBiasLogitsProcessor",
    "SuppressTokensAtBeginLogitsProcessor",
    "SuppressTokensLogitsProcessor",
    "TemperatureLogitsWarper",
    "TopKLogitsWarper",
    "TopPLogitsWarper",
    "TypicalLogitsWarper",
    "UnbatchedClassifierFreeGuidanceLogitsProcessor",
    "WhisperTimeStampLogitsProcessor",
]


def _repeat_penalty(input_ids: Tensor, scores: Tensor, penalty: float) -> Tensor:
    """Divide positive and multiply negative scores of the given tokens, in place, each once however often it occurs."""
    found = scores.gather(1, input_ids)
    return scores.scatter_(1, input_ids, torch.where(found < 0, found * penalty, found / penalty))


def _ban_repeated_ngrams(past: Tensor, input_ids: Tensor, scores: Tensor, size: int) -> Tensor:
    """Ban, in place, each token that would complete an n-gram of `past`, (batch, past length).

    All n-grams of the past are compared with the last n - 1 tokens at once.
    """
    length = input_ids.shape[1]
    if past.shape[1] < size or length + 1 < size:
        return scores
    ngrams = past.unfold(1, size, 1)
    recent = input_ids[:, length + 1 - size :]
    repeats = (ngrams[..., :-1] == recent.unsqueeze(1)).all(-1)
    # The minimum leaves a token alone (inf) unless any of its n-grams bans it: indices may repeat.
    bans = torch.where(repeats, NEVER, math.inf).to(scores.dtype)
    return scores.scatter_reduce_(1, ngrams[..., -1], bans, "amin")


# --- length ------------------------------------------------------------------------------------------------------


class MinLengthLogitsProcessor(LogitsProcessor):
    """Bans the end before a length, prompt included.

    Args:
        min_length: number of tokens.
        eos_token_id: token or tokens that end a sequence.
    """

    def __init__(self, min_length: int, eos_token_id: int | list[int]) -> None:
        require(is_whole(min_length, 0), f"`min_length` must be an int from 0, found {min_length}")
        self.min_length = min_length
        self.eos_token_id = end_tokens(eos_token_id)
        self._eos = TokenIds(self.eos_token_id)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self._eos.fill(scores, NEVER) if input_ids.shape[-1] < self.min_length else scores


class MinNewTokensLengthLogitsProcessor(LogitsProcessor):
    """Bans the end before a number of new tokens.

    Args:
        prompt_length_to_skip: length of the prompt.
        min_new_tokens: number of tokens after it.
        eos_token_id: token or tokens that end a sequence.
    """

    def __init__(self, prompt_length_to_skip: int, min_new_tokens: int, eos_token_id: int | list[int]) -> None:
        for name, value in (("prompt_length_to_skip", prompt_length_to_skip), ("min_new_tokens", min_new_tokens)):
            require(is_whole(value, 0), f"`{name}` must be an int from 0, found {value}")
        self.prompt_length_to_skip = prompt_length_to_skip
        self.min_new_tokens = min_new_tokens
        self.eos_token_id = end_tokens(eos_token_id)
        self._eos = TokenIds(self.eos_token_id)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        new = input_ids.shape[-1] - self.prompt_length_to_skip
        return self._eos.fill(scores, NEVER) if new < self.min_new_tokens else scores


class ExponentialDecayLengthPenalty(LogitsProcessor):
    """Raises the score of the end exponentially after a number of new tokens.

    Args:
        exponential_decay_length_penalty: (new tokens after which it starts, factor per token).
        eos_token_id: token or tokens that end a sequence.
        input_ids_seq_length: length of the prompt.
    """

    def __init__(
        self,
        exponential_decay_length_penalty: tuple[int, float],
        eos_token_id: int | list[int],
        input_ids_seq_length: int,
    ) -> None:
        start, self.regulation_factor = exponential_decay_length_penalty
        self.regulation_start = start + input_ids_seq_length
        self.eos_token_id = as_list(eos_token_id)
        self._eos = TokenIds(self.eos_token_id)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        late = input_ids.shape[-1] - self.regulation_start
        if late <= 0:
            return scores
        eos = self._eos.on(scores.device)
        found = scores.index_select(-1, eos)
        # Works for negative scores too, which a mere factor would make worse.
        return scores.index_copy_(-1, eos, found + found.abs() * (self.regulation_factor**late - 1))


# --- repetition --------------------------------------------------------------------------------------------------


class RepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Lowers the scores of tokens that occurred, prompt included.

    Source: Keskar et al., CTRL, arXiv 1909.05858.

    Args:
        penalty: 1.0 is none, above lowers, below raises.
    """

    def __init__(self, penalty: float) -> None:
        require(
            isinstance(penalty, float) and penalty > 0,
            f"`penalty` must be a float above 0, found {penalty}",
        )
        self.penalty = penalty

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return _repeat_penalty(input_ids, scores, self.penalty)


class EncoderRepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Raises the scores of tokens of the encoder's input.

    Args:
        penalty: 1.0 is none, above raises, below lowers.
        encoder_input_ids: (batch, length) input of the encoder.
    """

    def __init__(self, penalty: float, encoder_input_ids: Tensor) -> None:
        require(
            isinstance(penalty, float) and penalty > 0,
            f"`penalty` must be a float above 0, found {penalty}",
        )
        self.penalty = 1 / penalty
        self.encoder_input_ids = encoder_input_ids

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return _repeat_penalty(self.encoder_input_ids, scores, self.penalty)


class NoRepeatNGramLogitsProcessor(LogitsProcessor):
    """Bans tokens that would repeat an n-gram of the sequence, prompt included.

    Args:
        ngram_size: n.
    """

    def __init__(self, ngram_size: int) -> None:
        require(is_whole(ngram_size, 1), f"`ngram_size` must be an int above 0, found {ngram_size}")
        self.ngram_size = ngram_size

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return _ban_repeated_ngrams(input_ids, input_ids, scores, self.ngram_size)


class EncoderNoRepeatNGramLogitsProcessor(LogitsProcessor):
    """Bans tokens that would repeat an n-gram of the encoder's input.

    Args:
        encoder_ngram_size: n.
        encoder_input_ids: (batch, length) or (length,) input of the encoder.
    """

    def __init__(self, encoder_ngram_size: int, encoder_input_ids: Tensor) -> None:
        require(
            is_whole(encoder_ngram_size, 1),
            f"`encoder_ngram_size` must be an int above 0, found {encoder_ngram_size}",
        )
        self.ngram_size = encoder_ngram_size
        self.encoder_input_ids = torch.atleast_2d(encoder_input_ids)
        self.batch_size = self.encoder_input_ids.shape[0]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        past = self.encoder_input_ids.repeat_interleave(scores.shape[0] // self.batch_size, dim=0)
        return _ban_repeated_ngrams(past, input_ids, scores, self.ngram_size)


class HammingDiversityLogitsProcessor(LogitsProcessor):
    """Lowers the scores of tokens that earlier groups of beams chose in the same step.

    Source: Vijayakumar et al., Diverse Beam Search, arXiv 1610.02424.

    Args:
        diversity_penalty: subtracted per beam that chose the token.
        num_beams: beams of all groups.
        num_beam_groups: groups.
    """

    def __init__(self, diversity_penalty: float, num_beams: int, num_beam_groups: int) -> None:
        require(
            isinstance(diversity_penalty, float) and diversity_penalty > 0.0,
            f"`diversity_penalty` must be a float above 0, found {diversity_penalty}",
        )
        require(is_whole(num_beams, 2), f"`num_beams` must be an int above 1, found {num_beams}")
        require(is_whole(num_beam_groups, 2), f"`num_beam_groups` must be an int above 1, found {num_beam_groups}")
        require(num_beam_groups <= num_beams, "`num_beam_groups` must not exceed `num_beams`.")
        self._diversity_penalty = diversity_penalty
        self._num_beams = num_beams
        self._num_sub_beams = num_beams // num_beam_groups

    def __call__(  # type: ignore[override]
        self, input_ids: Tensor, scores: Tensor, current_tokens: Tensor, beam_group_idx: int
    ) -> Tensor:
        """Process the scores of one group.

        Args:
            input_ids: (batch * group size, length) tokens so far of the group.
            scores: (batch * group size, vocabulary), changed in place.
            current_tokens: (batch * num_beams,) tokens that were chosen in this step.
            beam_group_idx: index of the group.
        """
        earlier = beam_group_idx * self._num_sub_beams
        if earlier == 0:
            return scores
        group_size = min(earlier + self._num_sub_beams, self._num_beams) - earlier
        chosen = current_tokens.view(-1, self._num_beams)[:, :earlier]
        # Only the columns of the chosen tokens change; a token that was chosen twice is written twice, alike.
        counts = (chosen.unsqueeze(-1) == chosen.unsqueeze(-2)).sum(-1)
        chosen, counts = (values.repeat_interleave(group_size, dim=0) for values in (chosen, counts))
        return scores.scatter_(
            1, chosen, scores.gather(1, chosen) - (self._diversity_penalty * counts).to(scores.dtype)
        )


# --- forbidden and forced tokens ---------------------------------------------------------------------------------


class ForcedBOSTokenLogitsProcessor(LogitsProcessor):
    """Forces the first token after the decoder's start token.

    Args:
        bos_token_id: the token.
    """

    def __init__(self, bos_token_id: int) -> None:
        self.bos_token_id = bos_token_id
        self._bos = TokenIds([bos_token_id])

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self._bos.force(scores) if input_ids.shape[-1] == 1 else scores


class ForcedEOSTokenLogitsProcessor(LogitsProcessor):
    """Forces the end at the greatest length.

    Args:
        max_length: number of tokens, prompt included.
        eos_token_id: token or tokens that end a sequence.
    """

    def __init__(self, max_length: int, eos_token_id: int | list[int]) -> None:
        self.max_length = max_length
        self.eos_token_id = as_list(eos_token_id)
        self._eos = TokenIds(self.eos_token_id)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self._eos.force(scores) if input_ids.shape[-1] == self.max_length - 1 else scores


class SuppressTokensLogitsProcessor(LogitsProcessor):
    """Bans tokens.

    Args:
        suppress_tokens: their ids.
    """

    def __init__(self, suppress_tokens: Iterable[int]) -> None:
        self.suppress_tokens = list(suppress_tokens)
        self._ids = TokenIds(self.suppress_tokens)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self._ids.fill(scores, NEVER)


class SuppressTokensAtBeginLogitsProcessor(LogitsProcessor):
    """Bans tokens at one position.

    Args:
        begin_suppress_tokens: their ids.
        begin_index: length of the text at which they are banned.
    """

    def __init__(self, begin_suppress_tokens: Iterable[int], begin_index: int) -> None:
        self.begin_suppress_tokens = list(begin_suppress_tokens)
        self.begin_index = begin_index
        self._ids = TokenIds(self.begin_suppress_tokens)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self._ids.fill(scores, NEVER) if input_ids.shape[1] == self.begin_index else scores


class ForceTokensLogitsProcessor(LogitsProcessor):
    """Forces tokens at given positions.

    Args:
        force_token_map: pairs (length of the text, token that follows); None as the token forces nothing.
    """

    def __init__(self, force_token_map: Iterable[tuple[int, int | None]]) -> None:
        self.force_token_map = dict(force_token_map)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        token = self.force_token_map.get(input_ids.shape[-1])
        if token is not None:
            scores.fill_(NEVER)[:, token] = 0
        return scores


# --- numbers -----------------------------------------------------------------------------------------------------


class InfNanRemoveLogitsProcessor(LogitsProcessor):
    """Replaces nan by 0 and infinities by the greatest and the least number, in place."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.nan_to_num_(nan=0.0)


class LogitNormalization(LogitsProcessor, LogitsWarper):
    """Makes log-probabilities of the scores."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.log_softmax(dim=-1)


# --- guidance ----------------------------------------------------------------------------------------------------


class ClassifierFreeGuidanceLogitsProcessor(LogitsProcessor):
    """Mixes the scores with and without the prompt, which are the two halves of one batch.

    Source: Copet et al., Simple and Controllable Music Generation, arXiv 2306.05284.

    Args:
        guidance_scale: above 1; higher follows the prompt more closely.
    """

    def __init__(self, guidance_scale: float) -> None:
        require(
            guidance_scale > 1,
            f"`guidance_scale` must be above 1 to have an effect, found {guidance_scale}.",
        )
        self.guidance_scale = guidance_scale

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        require(
            scores.shape[0] == 2 * input_ids.shape[0],
            "Classifier-free guidance needs scores of twice the batch size, with the prompt first and then "
            f"without; found {scores.shape[0]} rows of scores for {input_ids.shape[0]} of input_ids.",
        )
        conditional, unconditional = scores.chunk(2)
        return unconditional + (conditional - unconditional) * self.guidance_scale


class UnbatchedClassifierFreeGuidanceLogitsProcessor(LogitsProcessor):
    """Mixes the scores with those that the model gives without the prompt, or with another one.

    Source: Sanchez et al., Stay on topic with Classifier-Free Guidance, arXiv 2306.17806.

    Args:
        guidance_scale: 1 is none; above follows the prompt more closely, below less.
        model: the model, which is run once more per step.
        unconditional_ids: (batch, length) other prompt; by default the last token of the prompt.
        unconditional_attention_mask: (batch, length) its mask, by default ones.
        use_cache: keep keys and values of this second run.
    """

    def __init__(
        self,
        guidance_scale: float,
        model: Any,
        unconditional_ids: Tensor | None = None,
        unconditional_attention_mask: Tensor | None = None,
        use_cache: bool | None = True,
    ) -> None:
        self.guidance_scale = guidance_scale
        self.model = model
        self.unconditional_context: dict[str, Any] = {
            "input_ids": unconditional_ids,
            "attention_mask": unconditional_attention_mask,
            "use_cache": use_cache,
            "past_key_values": None,
            "first_pass": True,
        }

    def get_unconditional_logits(self, input_ids: Tensor) -> Tensor:
        """Run the model once on the other prompt and the tokens since; (batch, new length, vocabulary) logits."""
        context = self.unconditional_context
        newest = input_ids[:, -1:]
        if context["first_pass"]:
            if context["input_ids"] is None:
                context["input_ids"] = newest
            if context["attention_mask"] is None:
                context["attention_mask"] = torch.ones_like(context["input_ids"], dtype=torch.long)
            context["first_pass"] = False
        else:
            mask = context["attention_mask"]
            context["attention_mask"] = torch.cat([mask, torch.ones_like(newest, dtype=torch.long)], dim=1)
            kept = [] if context["use_cache"] else [context["input_ids"]]
            context["input_ids"] = torch.cat([*kept, newest], dim=1)
        output = self.model(
            context["input_ids"],
            attention_mask=context["attention_mask"],
            use_cache=context["use_cache"],
            past_key_values=context["past_key_values"],
        )
        context["past_key_values"] = output.get("past_key_values", None)
        return output.logits

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        scores = scores.log_softmax(dim=-1)
        if self.guidance_scale == 1:
            return scores
        unconditional = self.get_unconditional_logits(input_ids)[:, -1].log_softmax(dim=-1)
        return self.guidance_scale * (scores - unconditional) + unconditional


# --- of single model families ------------------------------------------------------------------------------------


class WhisperTimeStampLogitsProcessor(LogitsProcessor):
    """Keeps timestamps in pairs and in order, and prefers one where their probability together is the greatest.

    Source: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision, arXiv 2212.04356.

    Args:
        generate_config: has `eos_token_id`, `no_timestamps_token_id`, `forced_decoder_ids` and optionally
            `max_initial_timestamp_index`. Token ids after `no_timestamps_token_id` are timestamps.
        _detect_timestamp_from_logprob: whether to compare the probabilities of timestamps and text.
    """

    def __init__(self, generate_config: Any, _detect_timestamp_from_logprob: bool | None = None) -> None:
        self.eos_token_id = generate_config.eos_token_id
        self.no_timestamps_token_id = generate_config.no_timestamps_token_id
        self.timestamp_begin = generate_config.no_timestamps_token_id + 1
        if _detect_timestamp_from_logprob is None:
            _detect_timestamp_from_logprob = getattr(generate_config, "_detect_timestamp_from_logprob", True)
        self._detect_timestamp_from_logprob = _detect_timestamp_from_logprob
        self.begin_index = len(generate_config.forced_decoder_ids or ()) + 1
        self.max_initial_timestamp_index = getattr(generate_config, "max_initial_timestamp_index", None)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        begin = self.timestamp_begin
        scores[:, self.no_timestamps_token_id] = NEVER
        self._keep_pairs_and_order(input_ids[:, self.begin_index :], scores)
        if input_ids.shape[1] == self.begin_index:
            scores[:, :begin] = NEVER
            if self.max_initial_timestamp_index is not None:
                scores[:, begin + self.max_initial_timestamp_index + 1 :] = NEVER
        if self._detect_timestamp_from_logprob:
            log_p = scores.float().log_softmax(dim=-1)
            likely = log_p[:, begin:].logsumexp(dim=-1) > log_p[:, :begin].amax(dim=-1)
            scores[:, :begin].masked_fill_(likely[:, None], NEVER)
        return scores

    def _keep_pairs_and_order(self, sampled: Tensor, scores: Tensor) -> None:
        """Apply, in place, the rules that follow from the tokens sampled so far, (batch, new length)."""
        begin, length = self.timestamp_begin, sampled.shape[1]
        if length == 0:
            return
        is_timestamp = sampled >= begin
        last = is_timestamp[:, -1:]
        second_last = is_timestamp[:, -2:-1] if length > 1 else torch.ones_like(last)
        token = torch.arange(scores.shape[-1], device=scores.device)
        # After a pair comes text; after a single one its partner or the end.
        ban = (last & second_last) & (token >= begin) | (last & ~second_last) & (token < self.eos_token_id)
        # Never back in time; the start of a pair may equal its end, and the next must be later.
        position = torch.arange(1, length + 1, device=sampled.device)
        latest = (is_timestamp * position).argmax(dim=1, keepdim=True)
        least = sampled.gather(1, latest) + (~(last & ~second_last)).to(sampled.dtype)
        ban |= is_timestamp.any(dim=1, keepdim=True) & (token >= begin) & (token < least)
        scores.masked_fill_(ban, NEVER)


class AlternatingCodebooksLogitsProcessor(LogitsProcessor):
    """Alternates between the two codebooks of Bark.

    Args:
        input_start_len: length of the prompt.
        semantic_vocab_size: tokens before the first codebook.
        codebook_size: tokens per codebook.
    """

    def __init__(self, input_start_len: int, semantic_vocab_size: int, codebook_size: int) -> None:
        require(
            is_whole(input_start_len, 0),
            f"`input_start_len` must be an int from 0, found {input_start_len}",
        )
        self.input_start_len = input_start_len
        self.semantic_vocab_size = semantic_vocab_size
        self.codebook_size = codebook_size

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        second = self.semantic_vocab_size + self.codebook_size
        if (input_ids.shape[-1] - self.input_start_len) % 2 == 0:
            scores[:, : self.semantic_vocab_size] = NEVER
            scores[:, second:] = NEVER
        else:
            scores[:, :second] = NEVER
        return scores


class BarkEosPrioritizerLogitsProcessor(LogitsProcessor):
    """Ends as soon as the end is likely enough.

    Args:
        eos_token_id: token or tokens that end a sequence.
        min_eos_p: probability of the end; None switches this off.
    """

    def __init__(self, eos_token_id: int | list[int], min_eos_p: float | None) -> None:
        self.eos_token_id = as_list(eos_token_id)
        require(min_eos_p is None or min_eos_p > 0, f"`min_eos_p` must be a float above 0, found {min_eos_p}")
        self.min_eos_p = min_eos_p
        self._eos = TokenIds(self.eos_token_id)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if not self.min_eos_p:
            return scores
        eos = self._eos.on(scores.device)
        likely = scores.float().softmax(dim=-1).index_select(-1, eos) > self.min_eos_p
        only_end = torch.full_like(scores, NEVER).index_copy_(-1, eos, scores.index_select(-1, eos))
        return torch.where(likely.any(dim=1, keepdim=True), only_end, scores)

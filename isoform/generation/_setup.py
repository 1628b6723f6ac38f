"""From the options to the processors of scores, the stopping criteria and the kind of decoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..utils.generic import ExplicitEnum
from . import logits_process as lp
from .stopping_criteria import MaxLengthCriteria, MaxTimeCriteria, StoppingCriteriaList

if TYPE_CHECKING:
    from .configuration_utils import GenerationConfig


class GenerationMode(ExplicitEnum):
    """The kinds of decoding."""

    CONTRASTIVE_SEARCH = "contrastive_search"
    GREEDY_SEARCH = "greedy_search"
    SAMPLE = "sample"
    ASSISTED_GENERATION = "assisted_generation"
    BEAM_SEARCH = "beam_search"
    BEAM_SAMPLE = "beam_sample"
    CONSTRAINED_BEAM_SEARCH = "constrained_beam_search"
    GROUP_BEAM_SEARCH = "group_beam_search"


class Setup:
    """The methods that turn a `GenerationConfig` into objects. Models may override them."""

    config: Any

    def _get_generation_mode(self, generation_config: GenerationConfig, assistant_model: Any) -> GenerationMode:
        """The kind of decoding that the options ask for."""
        options = generation_config
        if options.constraints is not None or options.force_words_ids is not None:
            mode = GenerationMode.CONSTRAINED_BEAM_SEARCH
        elif options.num_beams == 1:
            contrastive = options.top_k is not None and options.top_k > 1 and (options.penalty_alpha or 0) > 0
            if options.do_sample:
                mode = GenerationMode.SAMPLE
            else:
                mode = GenerationMode.CONTRASTIVE_SEARCH if contrastive else GenerationMode.GREEDY_SEARCH
        elif options.num_beam_groups > 1:
            mode = GenerationMode.GROUP_BEAM_SEARCH
        else:
            mode = GenerationMode.BEAM_SAMPLE if options.do_sample else GenerationMode.BEAM_SEARCH
        if assistant_model is None:
            return mode
        if mode not in (GenerationMode.GREEDY_SEARCH, GenerationMode.SAMPLE):
            raise ValueError(
                f"assistant_model works with greedy search and sampling only, but the options ask for {mode.value}"
            )
        return GenerationMode.ASSISTED_GENERATION

    def _get_logits_processor(
        self,
        generation_config: GenerationConfig,
        input_ids_seq_length: int,
        encoder_input_ids: Tensor | None,
        prefix_allowed_tokens_fn: Callable[[int, Tensor], list[int]] | None,
        logits_processor: lp.LogitsProcessorList | None,
        model_kwargs: dict[str, Any] | None = None,
        negative_prompt_ids: Tensor | None = None,
        negative_prompt_attention_mask: Tensor | None = None,
    ) -> lp.LogitsProcessorList:
        """The processors that the options ask for, in the order in which they are applied; the caller's come last."""
        o, eos, made = generation_config, generation_config.eos_token_id, lp.LogitsProcessorList()

        def add(wanted: Any, build: Callable[..., Any], *args: Any) -> None:
            if wanted:
                made.append(build(*args))

        if o.guidance_scale is not None and o.guidance_scale != 1:
            made.append(
                lp.UnbatchedClassifierFreeGuidanceLogitsProcessor(
                    o.guidance_scale,
                    self,
                    unconditional_ids=negative_prompt_ids,
                    unconditional_attention_mask=negative_prompt_attention_mask,
                    use_cache=(model_kwargs or {}).get("use_cache", True),
                )
            )
        add(o.sequence_bias is not None, lp.SequenceBiasLogitsProcessor, o.sequence_bias)
        add(
            (o.diversity_penalty or 0) > 0,
            lp.HammingDiversityLogitsProcessor,
            o.diversity_penalty,
            o.num_beams,
            o.num_beam_groups,
        )
        add(
            o.encoder_repetition_penalty not in (None, 1.0),
            lp.EncoderRepetitionPenaltyLogitsProcessor,
            o.encoder_repetition_penalty,
            encoder_input_ids,
        )
        add(o.repetition_penalty not in (None, 1.0), lp.RepetitionPenaltyLogitsProcessor, o.repetition_penalty)
        add((o.no_repeat_ngram_size or 0) > 0, lp.NoRepeatNGramLogitsProcessor, o.no_repeat_ngram_size)
        add(
            (o.encoder_no_repeat_ngram_size or 0) > 0,
            lp.EncoderNoRepeatNGramLogitsProcessor,
            o.encoder_no_repeat_ngram_size,
            encoder_input_ids,
        )
        add(o.bad_words_ids is not None, lp.NoBadWordsLogitsProcessor, o.bad_words_ids, eos)
        add((o.min_length or 0) > 0 and eos is not None, lp.MinLengthLogitsProcessor, o.min_length, eos)
        add(
            (o.min_new_tokens or 0) > 0 and eos is not None,
            lp.MinNewTokensLengthLogitsProcessor,
            input_ids_seq_length,
            o.min_new_tokens,
            eos,
        )
        add(
            prefix_allowed_tokens_fn is not None,
            lp.PrefixConstrainedLogitsProcessor,
            prefix_allowed_tokens_fn,
            o.num_beams // (o.num_beam_groups or 1),
        )
        add(o.forced_bos_token_id is not None, lp.ForcedBOSTokenLogitsProcessor, o.forced_bos_token_id)
        add(o.forced_eos_token_id is not None, lp.ForcedEOSTokenLogitsProcessor, o.max_length, o.forced_eos_token_id)
        add(o.remove_invalid_values is True, lp.InfNanRemoveLogitsProcessor)
        add(
            o.exponential_decay_length_penalty is not None,
            lp.ExponentialDecayLengthPenalty,
            o.exponential_decay_length_penalty,
            eos,
            input_ids_seq_length,
        )
        add(o.suppress_tokens is not None, lp.SuppressTokensLogitsProcessor, o.suppress_tokens)
        add(
            o.begin_suppress_tokens is not None,
            lp.SuppressTokensAtBeginLogitsProcessor,
            o.begin_suppress_tokens,
            _first_free_position(o, input_ids_seq_length),
        )
        add(o.forced_decoder_ids is not None, lp.ForceTokensLogitsProcessor, o.forced_decoder_ids)
        made = self._merge_criteria_processor_list(made, logits_processor or lp.LogitsProcessorList())
        add_normalization(made, o)
        return made

    def _get_logits_warper(self, generation_config: GenerationConfig) -> lp.LogitsProcessorList:
        """The processors that shape the distribution before sampling, in the order in which they are applied."""
        o, warpers = generation_config, lp.LogitsProcessorList()
        # Beams need a token to go on with besides each that ends the sequence.
        keep = 1
        if o.num_beams > 1:
            keep = len(o.eos_token_id) + 1 if isinstance(o.eos_token_id, (list, tuple)) else 2
        if o.temperature is not None and o.temperature != 1.0:
            warpers.append(lp.TemperatureLogitsWarper(o.temperature))
        if o.top_k is not None and o.top_k != 0:
            warpers.append(lp.TopKLogitsWarper(top_k=o.top_k, min_tokens_to_keep=keep))
        if o.top_p is not None and o.top_p < 1.0:
            warpers.append(lp.TopPLogitsWarper(top_p=o.top_p, min_tokens_to_keep=keep))
        if o.typical_p is not None and o.typical_p < 1.0:
            warpers.append(lp.TypicalLogitsWarper(mass=o.typical_p, min_tokens_to_keep=keep))
        if o.epsilon_cutoff is not None and 0.0 < o.epsilon_cutoff < 1.0:
            warpers.append(lp.EpsilonLogitsWarper(epsilon=o.epsilon_cutoff, min_tokens_to_keep=keep))
        if o.eta_cutoff is not None and 0.0 < o.eta_cutoff < 1.0:
            warpers.append(lp.EtaLogitsWarper(epsilon=o.eta_cutoff, min_tokens_to_keep=keep))
        add_normalization(warpers, o)
        return warpers

    def _get_stopping_criteria(
        self, generation_config: GenerationConfig, stopping_criteria: StoppingCriteriaList | None
    ) -> StoppingCriteriaList:
        """The limits of length and time, then the caller's criteria."""
        criteria = StoppingCriteriaList()
        if generation_config.max_length is not None:
            trained_length = getattr(self.config, "max_position_embeddings", None)
            criteria.append(MaxLengthCriteria(generation_config.max_length, max_position_embeddings=trained_length))
        if generation_config.max_time is not None:
            criteria.append(MaxTimeCriteria(max_time=generation_config.max_time))
        return self._merge_criteria_processor_list(criteria, stopping_criteria or StoppingCriteriaList())

    def _merge_criteria_processor_list(self, default_list: Any, custom_list: Any) -> Any:
        """`default_list` followed by `custom_list`.

        Raises:
            ValueError: both hold an object of the same class, so an option and an object of the caller contradict.
        """
        kind = "stopping criteria" if isinstance(custom_list, StoppingCriteriaList) else "logits processor"
        for custom in custom_list:
            for default in default_list:
                if type(custom) is type(default):
                    raise ValueError(
                        f"A custom {kind} of type {type(custom)} has been passed to `generate`, but the options "
                        f"already ask for one ({default}). Pass it one way only: as an option, or as an object."
                    )
        default_list.extend(custom_list)
        return default_list


def add_normalization(processors: lp.LogitsProcessorList, options: GenerationConfig) -> None:
    """Normalise after all else where the options say so."""
    if options.renormalize_logits is True:
        processors.append(lp.LogitNormalization())


def _first_free_position(options: GenerationConfig, prompt_length: int) -> int:
    """Where the first token that is not forced will stand."""
    position = prompt_length
    if prompt_length == 1 and options.forced_bos_token_id is not None:
        position += 1
    if options.forced_decoder_ids:
        position += options.forced_decoder_ids[-1][0]  # type: ignore[operator]
    return position


def as_id_list(ids: int | Sequence[int] | Tensor | None) -> list[int] | None:
    """One id, several or none as a list or None."""
    if ids is None:
        return None
    if hasattr(ids, "tolist"):
        ids = ids.tolist()
    return [ids] if isinstance(ids, int) else list(ids)

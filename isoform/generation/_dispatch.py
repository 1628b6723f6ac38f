"""From the options of `generate` to a call of the method for the kind of decoding."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ._setup import GenerationMode
from .configuration_utils import GenerationConfig


def dispatch(
    model: Any,
    mode: GenerationMode,
    config: GenerationConfig,
    input_ids: Tensor,
    inputs: Tensor,
    common: dict[str, Any],
    streamer: Any,
    assistant_model: Any,
    model_kwargs: dict[str, Any],
) -> Any:
    """Call the method of `model` for `mode`.

    Args:
        input_ids: the ids to continue; `inputs` is the main input, of the encoder if there is one.
        common: arguments that all methods take.
        model_kwargs: inputs of the model.
    """

    def expand(copies: int) -> tuple[Tensor, dict[str, Any]]:
        return model._expand_inputs_for_generation(
            input_ids=input_ids, expand_size=copies, is_encoder_decoder=model.config.is_encoder_decoder, **model_kwargs
        )

    if mode == GenerationMode.ASSISTED_GENERATION:
        _check_assisted(config, input_ids, model_kwargs)
        if assistant_model.config.is_encoder_decoder:
            model_kwargs["assistant_encoder_outputs"] = _run_assistants_encoder(assistant_model, inputs, model_kwargs)
        if config.do_sample:
            common["logits_warper"] = model._get_logits_warper(config)
        return model.assisted_decoding(
            input_ids,
            assistant_model=assistant_model,
            do_sample=config.do_sample,
            streamer=streamer,
            **common,
            **model_kwargs,
        )
    if mode == GenerationMode.GREEDY_SEARCH:
        return model.greedy_search(input_ids, streamer=streamer, **common, **model_kwargs)
    if mode == GenerationMode.CONTRASTIVE_SEARCH:
        if not model_kwargs["use_cache"]:
            raise ValueError("Contrastive search requires `use_cache=True`")
        return model.contrastive_search(
            input_ids,
            top_k=config.top_k,
            penalty_alpha=config.penalty_alpha,
            streamer=streamer,
            sequential=config.low_memory,
            **common,
            **model_kwargs,
        )
    if mode == GenerationMode.SAMPLE:
        warper = model._get_logits_warper(config)
        ids, kwargs = expand(config.num_return_sequences)
        return model.sample(ids, logits_warper=warper, streamer=streamer, **common, **kwargs)
    if mode == GenerationMode.BEAM_SAMPLE:
        common["logits_warper"] = model._get_logits_warper(config)
    if mode == GenerationMode.CONSTRAINED_BEAM_SEARCH:
        scorer: Any = _constrained_scorer(config, input_ids)
    else:
        scorer = _scorer(config, input_ids)
    method = getattr(model, mode.value)
    ids, kwargs = expand(config.num_beams)
    return method(ids, scorer, **common, **kwargs)


def _scorer(config: GenerationConfig, input_ids: Tensor) -> Any:
    from .beam_search import BeamSearchScorer

    _check_beams(config)
    return BeamSearchScorer(
        batch_size=input_ids.shape[0],
        num_beams=config.num_beams,
        device=input_ids.device,
        length_penalty=config.length_penalty,
        do_early_stopping=config.early_stopping,
        num_beam_hyps_to_keep=config.num_return_sequences,
        num_beam_groups=config.num_beam_groups,
        max_length=config.max_length,
    )


def _constrained_scorer(config: GenerationConfig, input_ids: Tensor) -> Any:
    from .beam_search import ConstrainedBeamSearchScorer

    _check_beams(config)
    return ConstrainedBeamSearchScorer(
        constraints=_constraints(config),
        batch_size=input_ids.shape[0],
        num_beams=config.num_beams,
        device=input_ids.device,
        length_penalty=config.length_penalty,
        do_early_stopping=config.early_stopping,
        num_beam_hyps_to_keep=config.num_return_sequences,
        max_length=config.max_length,
    )


def _check_beams(config: GenerationConfig) -> None:
    if config.num_return_sequences > config.num_beams:
        raise ValueError(
            f"`num_return_sequences` ({config.num_return_sequences}) must not exceed `num_beams` ({config.num_beams})."
        )
    if config.max_length is None:
        raise ValueError("`max_length` needs to be a stopping criterion for beam search: set it or `max_new_tokens`")


def _constraints(config: GenerationConfig) -> list[Any]:
    """The options' constraints and those that `force_words_ids` stands for."""
    from .beam_constraints import DisjunctiveConstraint, PhrasalConstraint

    constraints = list(config.constraints or [])
    words: Any = config.force_words_ids
    if words is None:
        return constraints

    def is_phrase(phrase: Any) -> bool:
        return isinstance(phrase, list) and bool(phrase) and all(isinstance(t, int) and t >= 0 for t in phrase)

    def is_choice(phrases: Any) -> bool:
        return isinstance(phrases, list) and bool(phrases) and all(is_phrase(phrase) for phrase in phrases)

    if not isinstance(words, list) or not words or not all(is_phrase(word) or is_choice(word) for word in words):
        raise ValueError(
            "`force_words_ids` must be a non-empty list of lists of token ids, or of alternatives (such lists); "
            f"found {words}"
        )
    constraints += [PhrasalConstraint(word) if is_phrase(word) else DisjunctiveConstraint(word) for word in words]
    return constraints


def _check_assisted(config: GenerationConfig, input_ids: Tensor, model_kwargs: dict[str, Any]) -> None:
    if config.num_return_sequences > 1:
        raise ValueError(
            "Assisted generation returns one sequence: `num_return_sequences` must be 1, found "
            f"{config.num_return_sequences}."
        )
    if input_ids.shape[0] > 1:
        raise ValueError(f"Assisted generation takes one prompt at a time (batch_size = 1), found {input_ids.shape[0]}")
    if not model_kwargs["use_cache"]:
        raise ValueError("Assisted generation needs `use_cache=True`")


def _run_assistants_encoder(assistant: Any, inputs: Tensor, model_kwargs: dict[str, Any]) -> Any:
    kwargs = {name: value for name, value in model_kwargs.items() if name != "encoder_outputs"}
    tensor, name, kwargs = assistant._prepare_model_inputs(inputs, assistant.generation_config.bos_token_id, kwargs)
    return assistant._prepare_encoder_decoder_kwargs_for_generation(tensor, kwargs, name)["encoder_outputs"]

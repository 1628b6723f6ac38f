"""`GenerationMixin`: text generation for every model that has it among its bases."""

from __future__ import annotations

import copy
import inspect
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..utils import logging
from ._inputs import InputPreparation, check_prompt, crop_past
from ._setup import GenerationMode, Setup, as_id_list
from ._transition_scores import compute_transition_scores
from .configuration_utils import GenerationConfig
from .logits_process import LogitsProcessorList, TopKLogitsWarper, TopPLogitsWarper
from .outputs import *  # noqa: F403
from .outputs import __all__ as _OUTPUTS
from .stopping_criteria import StoppingCriteriaList, validate_stopping_criteria

if TYPE_CHECKING:
    from .beam_search import BeamScorer, ConstrainedBeamSearchScorer
    from .loop import Options, Strategy
    from .outputs import GenerateOutput
    from .streamers import BaseStreamer

logger = logging.get_logger(__name__)

__all__ = ["GenerationMixin", "GenerationMode", "top_k_top_p_filtering", *_OUTPUTS]

# Modules that write `generate`'s arguments anew (chat servers, watermarking) replace these methods of a model, so
# `generate` always goes through them.


class GenerationMixin(InputPreparation, Setup):
    """Text generation. `generate` reads the options and calls the method of the kind of decoding they ask for.

    - `greedy_search`: `num_beams=1`, `do_sample=False`
    - `contrastive_search`: `penalty_alpha > 0`, `top_k > 1`
    - `sample`: `num_beams=1`, `do_sample=True`
    - `beam_search`: `num_beams > 1`, `do_sample=False`
    - `beam_sample`: `num_beams > 1`, `do_sample=True`
    - `group_beam_search`: `num_beams > 1`, `num_beam_groups > 1`
    - `constrained_beam_search`: `constraints` or `force_words_ids`
    - `assisted_decoding`: `assistant_model`

    The model's class defines `prepare_inputs_for_generation`.
    """

    compute_transition_scores = compute_transition_scores

    @torch.no_grad()
    def generate(
        self,
        inputs: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        logits_processor: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        prefix_allowed_tokens_fn: Callable[[int, Tensor], list[int]] | None = None,
        synced_gpus: bool | None = None,
        assistant_model: Any = None,
        streamer: BaseStreamer | None = None,
        negative_prompt_ids: Tensor | None = None,
        negative_prompt_attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> GenerateOutput | Tensor:
        """Generate token ids that continue a prompt, or a decoder's output for an encoder's input.

        Args:
            inputs: `(batch, length)` prompt: token ids, or for encoder-decoder models the encoder's main input. None
                starts from `bos_token_id`.
            generation_config: options; the model's own (`model.generation_config`) where None.
            logits_processor: applied after the processors that the options ask for.
            stopping_criteria: added to those that the options ask for.
            prefix_allowed_tokens_fn: `(row of the batch, ids so far) -> ids that may follow`.
            synced_gpus: keep stepping until all processes are done; by default where ZeRO stage 3 runs on several GPUs.
            assistant_model: a smaller model of the same vocabulary that proposes tokens.
            streamer: receives the prompt and then the tokens as they come. Not with beams.
            negative_prompt_ids: `(batch, length)` prompt to move away from, with `guidance_scale`.
            negative_prompt_attention_mask: its mask.
            **kwargs: options that override the config's, and inputs of the model such as `attention_mask`. Inputs of an
                encoder-decoder model's decoder begin with `decoder_`.

        Returns:
            `(batch * num_return_sequences, length)` token ids, prompt included for decoders; with
            `return_dict_in_generate=True` one of the classes in `isoform.generation.outputs`.

        Raises:
            TypeError: the model has no head for generation.
            ValueError: options or inputs that contradict each other, or unknown arguments.
        """
        self._validate_model_class()
        if isinstance(generation_config, dict):
            raise TypeError("generation_config must be a GenerationConfig, found a dict: pass generate(**options)")
        config = copy.deepcopy(generation_config or self._current_generation_config())
        model_kwargs = config.update(**kwargs)
        config.validate()
        self._validate_model_kwargs(model_kwargs.copy())
        _choose_pad_token(config, model_kwargs)

        tensor, name, model_kwargs = self._prepare_model_inputs(inputs, config.bos_token_id, model_kwargs)
        model_kwargs["output_attentions"] = config.output_attentions
        model_kwargs["output_hidden_states"] = config.output_hidden_states
        encoder_decoder = self.config.is_encoder_decoder
        # Without a cache, embeddings would have to be extended by those of each new token.
        model_kwargs["use_cache"] = True if name == "inputs_embeds" and not encoder_decoder else config.use_cache
        self._complete_attention_mask(tensor, config, model_kwargs)
        if name == "input_ids":
            check_prompt(self, tensor, model_kwargs)
        input_ids, model_kwargs = self._first_ids(tensor, name, config, model_kwargs)
        if streamer is not None:
            if config.num_beams > 1:
                raise ValueError(
                    "`streamer` needs tokens that stay, and beam search takes them back: set "
                    f"`num_beams` to 1, found {config.num_beams}."
                )
            streamer.put(input_ids.cpu())

        explicit = kwargs.get("max_length") is not None or config.max_length is None
        _set_max_length(config, input_ids.shape[-1], has_default=not explicit)
        self._validate_generated_length(config, input_ids.shape[-1], has_default_max_length=not explicit)
        mode = self._get_generation_mode(config, assistant_model)
        if self.device.type not in ("meta", input_ids.device.type):  # meta: weights are brought in from memory or disk
            warnings.warn(
                f"`input_ids` is on {input_ids.device.type}, but the model is on {self.device.type}. This may fail or "
                f"be slow: call `input_ids.to('{self.device.type}')` before `generate()`.",
                UserWarning,
                stacklevel=2,
            )
        processors = self._get_logits_processor(
            generation_config=config,
            input_ids_seq_length=input_ids.shape[-1],
            encoder_input_ids=tensor,
            prefix_allowed_tokens_fn=prefix_allowed_tokens_fn,
            logits_processor=logits_processor or LogitsProcessorList(),
            model_kwargs=model_kwargs,
            negative_prompt_ids=negative_prompt_ids,
            negative_prompt_attention_mask=negative_prompt_attention_mask,
        )
        criteria = self._get_stopping_criteria(
            generation_config=config, stopping_criteria=stopping_criteria or StoppingCriteriaList()
        )
        if getattr(config, "compile_decoding", None):
            model_kwargs["compile_decoding"] = config.compile_decoding
        common = {
            "logits_processor": processors,
            "stopping_criteria": criteria,
            "pad_token_id": config.pad_token_id,
            "eos_token_id": config.eos_token_id,
            "output_scores": config.output_scores,
            "return_dict_in_generate": config.return_dict_in_generate,
            "synced_gpus": _several_zero3_processes() if synced_gpus is None else synced_gpus,
        }
        from ._dispatch import dispatch

        return dispatch(self, mode, config, input_ids, tensor, common, streamer, assistant_model, model_kwargs)

    # Preparation, in the order of `generate`

    def _validate_model_class(self) -> None:
        """Refuse models without a head for generation, naming classes that have one."""
        if self.can_generate():  # type: ignore[attr-defined]
            return
        message = f"{type(self).__name__} cannot generate: it has no language model head."
        names = sorted(_classes_that_generate(type(self.config)))
        raise TypeError(message + (f" Use one of {', '.join(names)}." if names else ""))

    def _current_generation_config(self) -> GenerationConfig:
        """The model's options; those derived from its config are derived anew where the config was changed since."""
        own = self.generation_config
        if own._from_model_config and own._original_object_hash == hash(own):
            current = GenerationConfig.from_model_config(self.config)
            if current != own:
                warnings.warn(
                    "Options of generation were changed in the model's config, which is deprecated: change them in "
                    "`model.generation_config`, or pass them to `generate()`.",
                    UserWarning,
                    stacklevel=3,
                )
                self.generation_config = current
        return self.generation_config

    def _complete_attention_mask(self, tensor: Tensor, config: GenerationConfig, model_kwargs: dict[str, Any]) -> None:
        """Add a mask where the model takes one and none was given; warn of padding on the wrong side."""
        takes_mask = "attention_mask" in inspect.signature(self.forward).parameters  # type: ignore[attr-defined]
        if model_kwargs.get("attention_mask") is None and takes_mask and "encoder_outputs" not in model_kwargs:
            model_kwargs["attention_mask"] = self._prepare_attention_mask_for_generation(
                tensor, config.pad_token_id, config.eos_token_id
            )
        if self.config.is_encoder_decoder or config.pad_token_id is None or tensor.dim() != 2:
            return
        if bool((tensor[:, -1] == config.pad_token_id).any()):
            logger.warning(
                "Some prompts end in padding, and a decoder would continue after it: pad on the left "
                "(`padding_side='left'` of the tokenizer)."
            )

    def _first_ids(
        self, tensor: Tensor, name: str, config: GenerationConfig, model_kwargs: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        """The ids that the new tokens are appended to. Runs the encoder if there is one."""
        if not self.config.is_encoder_decoder:
            return (tensor if name == "input_ids" else model_kwargs.pop("input_ids")), model_kwargs
        if "encoder_outputs" not in model_kwargs:
            model_kwargs = self._prepare_encoder_decoder_kwargs_for_generation(tensor, model_kwargs, name)
        return self._prepare_decoder_input_ids_for_generation(
            batch_size=tensor.shape[0],
            model_input_name=name,
            model_kwargs=model_kwargs,
            decoder_start_token_id=config.decoder_start_token_id,  # type: ignore[arg-type]  # a list: one per row
            bos_token_id=config.bos_token_id,
            device=tensor.device,
        )

    def _validate_generated_length(
        self, generation_config: GenerationConfig, input_ids_length: int, has_default_max_length: bool
    ) -> None:
        """Warn of lengths that are a mere default, or that cannot be met."""
        options = generation_config
        if options.max_length is None:
            return

        def warn(message: str) -> None:
            warnings.warn(message, UserWarning, stacklevel=4)

        if has_default_max_length and options.max_new_tokens is None and options.max_length == 20:
            warn(
                "No length is given: the text ends at the default `max_length` of 20 tokens, prompt included. Set "
                "`max_new_tokens`."
            )
        if input_ids_length >= options.max_length:
            name = "decoder_input_ids" if self.config.is_encoder_decoder else "input_ids"
            warn(
                f"{name} has {input_ids_length} tokens, but `max_length` is {options.max_length}, prompt included: "
                "little or nothing can be generated. Set `max_new_tokens`."
            )
        hint = "Generation will stop at the maximum length: decrease the minimum or increase the maximum."
        if options.min_length is not None and options.min_length > options.max_length:
            warn(
                f"`min_length` ({options.min_length}) cannot be reached: the text ends at {options.max_length} "
                f"tokens. {hint}"
            )
        if options.min_new_tokens is not None and options.min_new_tokens + input_ids_length > options.max_length:
            warn(
                f"`min_new_tokens` ({options.min_new_tokens}) cannot be reached: the prompt has {input_ids_length} "
                f"tokens, and the text ends at {options.max_length}. {hint}"
            )

    # The kinds of decoding

    def greedy_search(
        self,
        input_ids: Tensor,
        logits_processor: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        max_length: int | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_scores: bool | None = None,
        return_dict_in_generate: bool | None = None,
        synced_gpus: bool = False,
        streamer: BaseStreamer | None = None,
        **model_kwargs: Any,
    ) -> Any:
        """Continue each row of `input_ids` `(batch, length)` by the most likely token.

        What is None is taken from the model's `generation_config`. `max_length` is deprecated: pass a
        `MaxLengthCriteria`. `model_kwargs` are inputs of the model, such as `attention_mask`. Unlike `generate`, these
        methods compute gradients where they are enabled.

        Returns:
            `(batch, length)` ids, or a `GreedySearch…Output` with `return_dict_in_generate`.
        """
        from .strategies import Greedy

        options = self._options(logits_processor, None, stopping_criteria, max_length, pad_token_id, eos_token_id,
                                output_attentions, output_hidden_states, output_scores, return_dict_in_generate,
                                synced_gpus, streamer)  # fmt: skip
        return self._decode(Greedy(), input_ids, options, model_kwargs)

    def sample(
        self,
        input_ids: Tensor,
        logits_processor: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        logits_warper: LogitsProcessorList | None = None,
        max_length: int | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_scores: bool | None = None,
        return_dict_in_generate: bool | None = None,
        synced_gpus: bool = False,
        streamer: BaseStreamer | None = None,
        **model_kwargs: Any,
    ) -> Any:
        """As `greedy_search`, but by tokens drawn from the distribution that `logits_warper` leaves."""
        from .strategies import Sample

        options = self._options(logits_processor, logits_warper, stopping_criteria, max_length, pad_token_id,
                                eos_token_id, output_attentions, output_hidden_states, output_scores,
                                return_dict_in_generate, synced_gpus, streamer)  # fmt: skip
        return self._decode(Sample(), input_ids, options, model_kwargs)

    def contrastive_search(
        self,
        input_ids: Tensor,
        top_k: int | None = 1,
        penalty_alpha: float | None = 0,
        logits_processor: LogitsProcessorList | None = None,
        logits_warper: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_scores: bool | None = None,
        return_dict_in_generate: bool | None = None,
        synced_gpus: bool = False,
        streamer: BaseStreamer | None = None,
        sequential: bool | None = None,
        **model_kwargs: Any,
    ) -> Any:
        """Continue each row by the one of the `top_k` likeliest tokens that repeats the least. Else as `greedy_search`.

        `penalty_alpha` weighs the penalty on repetition; `sequential` runs the candidates one by one, to save memory.
        """
        from .contrastive import Contrastive

        options = self._options(logits_processor, logits_warper, stopping_criteria, None, pad_token_id, eos_token_id,
                                output_attentions, output_hidden_states, output_scores, return_dict_in_generate,
                                synced_gpus, streamer)  # fmt: skip
        strategy = Contrastive(top_k or 1, penalty_alpha or 0.0, bool(sequential))
        return self._decode(strategy, input_ids, options, {**model_kwargs, "use_cache": True})

    def beam_search(
        self,
        input_ids: Tensor,
        beam_scorer: BeamScorer,
        logits_processor: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        max_length: int | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_scores: bool | None = None,
        return_dict_in_generate: bool | None = None,
        synced_gpus: bool = False,
        **model_kwargs: Any,
    ) -> Any:
        """Follow the best `beam_scorer.num_beams` hypotheses of each prompt. Else as `greedy_search`.

        `input_ids` is `(batch * num_beams, length)`: each prompt `num_beams` times.
        """
        from .strategies import Beams

        options = self._options(logits_processor, None, stopping_criteria, max_length, pad_token_id, eos_token_id,
                                output_attentions, output_hidden_states, output_scores, return_dict_in_generate,
                                synced_gpus, None, beams=True)  # fmt: skip
        return self._decode(Beams(beam_scorer), input_ids, options, model_kwargs)

    def beam_sample(
        self,
        input_ids: Tensor,
        beam_scorer: BeamScorer,
        logits_processor: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        logits_warper: LogitsProcessorList | None = None,
        max_length: int | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_scores: bool | None = None,
        return_dict_in_generate: bool | None = None,
        synced_gpus: bool = False,
        **model_kwargs: Any,
    ) -> Any:
        """As `beam_search`, but the continuations to consider are drawn."""
        from .strategies import SampledBeams

        options = self._options(logits_processor, logits_warper, stopping_criteria, max_length, pad_token_id,
                                eos_token_id, output_attentions, output_hidden_states, output_scores,
                                return_dict_in_generate, synced_gpus, None, beams=True)  # fmt: skip
        return self._decode(SampledBeams(beam_scorer), input_ids, options, model_kwargs)

    def group_beam_search(
        self,
        input_ids: Tensor,
        beam_scorer: BeamScorer,
        logits_processor: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        max_length: int | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_scores: bool | None = None,
        return_dict_in_generate: bool | None = None,
        synced_gpus: bool = False,
        **model_kwargs: Any,
    ) -> Any:
        """As `beam_search`, in groups of beams that a `HammingDiversityLogitsProcessor` keeps different."""
        from .strategies import GroupedBeams

        options = self._options(logits_processor, None, stopping_criteria, max_length, pad_token_id, eos_token_id,
                                output_attentions, output_hidden_states, output_scores, return_dict_in_generate,
                                synced_gpus, None, beams=True)  # fmt: skip
        return self._decode(GroupedBeams(beam_scorer), input_ids, options, model_kwargs)

    def constrained_beam_search(
        self,
        input_ids: Tensor,
        constrained_beam_scorer: ConstrainedBeamSearchScorer,
        logits_processor: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        max_length: int | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_scores: bool | None = None,
        return_dict_in_generate: bool | None = None,
        synced_gpus: bool | None = None,
        **model_kwargs: Any,
    ) -> Any:
        """As `beam_search`, with hypotheses that fulfil the scorer's constraints."""
        from .strategies import ConstrainedBeams

        options = self._options(logits_processor, None, stopping_criteria, max_length, pad_token_id, eos_token_id,
                                output_attentions, output_hidden_states, output_scores, return_dict_in_generate,
                                bool(synced_gpus), None, beams=True)  # fmt: skip
        return self._decode(ConstrainedBeams(constrained_beam_scorer), input_ids, options, model_kwargs)

    def assisted_decoding(
        self,
        input_ids: Tensor,
        assistant_model: Any = None,
        do_sample: bool = False,
        logits_processor: LogitsProcessorList | None = None,
        logits_warper: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_scores: bool | None = None,
        return_dict_in_generate: bool | None = None,
        synced_gpus: bool = False,
        streamer: BaseStreamer | None = None,
        candidate_generator: Any = None,
        **model_kwargs: Any,
    ) -> Any:
        """As `greedy_search` or `sample`, with several tokens checked per pass of the model.

        The tokens to check come from `assistant_model`, or from a `CandidateGenerator`. Only for one sequence.
        """
        from .assisted import Assisted
        from .candidate_generator import AssistedCandidateGenerator

        options = self._options(logits_processor, logits_warper, stopping_criteria, None, pad_token_id, eos_token_id,
                                output_attentions, output_hidden_states, output_scores, return_dict_in_generate,
                                synced_gpus, streamer)  # fmt: skip
        if input_ids.shape[0] != 1:
            raise ValueError(
                f"Assisted generation takes one prompt at a time (batch_size = 1), found {input_ids.shape[0]}"
            )
        model_kwargs["use_cache"] = True
        assistant_kwargs = dict(model_kwargs)
        own_encoder = model_kwargs.pop("assistant_encoder_outputs", None)
        assistant_kwargs.pop("assistant_encoder_outputs", None)
        if own_encoder is not None:
            assistant_kwargs["encoder_outputs"] = own_encoder
        if candidate_generator is None:
            if assistant_model is None:
                raise ValueError("assisted_decoding needs an `assistant_model` or a `candidate_generator`")
            assistant_kwargs.pop("past_key_values", None)
            candidate_generator = AssistedCandidateGenerator(
                input_ids, assistant_model, options.processors, assistant_kwargs, options.eos_token_id
            )
        return self._decode(Assisted(candidate_generator, do_sample), input_ids, options, model_kwargs)

    def _options(
        self,
        processors: LogitsProcessorList | None,
        warpers: LogitsProcessorList | None,
        criteria: StoppingCriteriaList | None,
        max_length: int | None,
        pad_token_id: int | None,
        eos_token_id: int | list[int] | None,
        attentions: bool | None,
        hidden_states: bool | None,
        scores: bool | None,
        return_dict: bool | None,
        synced_gpus: bool,
        streamer: BaseStreamer | None,
        beams: bool = False,
    ) -> Options:
        """The arguments of the methods above, completed from the model's `generation_config`."""
        from .loop import Options

        own = self.generation_config

        def given(value: Any, name: str) -> Any:
            return getattr(own, name) if value is None else value

        criteria = criteria if criteria is not None else StoppingCriteriaList()
        if max_length is not None:
            warnings.warn(
                "`max_length` is deprecated here: pass "
                "`stopping_criteria=StoppingCriteriaList([MaxLengthCriteria(...)])`.",
                UserWarning,
                stacklevel=3,
            )
            criteria = validate_stopping_criteria(criteria, max_length)
        if beams and not criteria:
            warnings.warn("No stopping criteria are given: this will likely loop forever", UserWarning, stacklevel=3)
        pad, eos = given(pad_token_id, "pad_token_id"), as_id_list(given(eos_token_id, "eos_token_id"))
        if eos and pad is None and not beams:
            raise ValueError(
                "Rows that ended must be padded: `eos_token_id` is set, so `pad_token_id` has to be set too."
            )
        return Options(
            processors=LogitsProcessorList() if processors is None else processors,
            warpers=LogitsProcessorList() if warpers is None else warpers,
            criteria=criteria,
            pad_token_id=pad,
            eos_token_id=eos,
            attentions=bool(given(attentions, "output_attentions")),
            hidden_states=bool(given(hidden_states, "output_hidden_states")),
            scores=bool(given(scores, "output_scores")),
            return_dict=bool(given(return_dict, "return_dict_in_generate")),
            synced_gpus=synced_gpus,
            streamer=streamer,
        )

    def _decode(self, strategy: Strategy, input_ids: Tensor, options: Options, model_kwargs: dict[str, Any]) -> Any:
        """Run the decoding loop."""
        from .loop import Decoding, decode
        from .steps import make_steps

        steps = make_steps(self, input_ids, model_kwargs, options, strategy)
        return decode(Decoding(self, input_ids, steps, options), strategy)


def _choose_pad_token(config: GenerationConfig, model_kwargs: dict[str, Any]) -> None:
    """Pad with the end token where no padding token is known."""
    if config.pad_token_id is not None or config.eos_token_id is None:
        return
    if model_kwargs.get("attention_mask") is None:
        logger.warning(
            "There is neither an `attention_mask` nor a pad token id, so padding cannot be told from text: pass "
            "the `attention_mask` of the tokenizer."
        )
    config.pad_token_id = as_id_list(config.eos_token_id)[0]  # type: ignore[index]
    logger.warning(f"`pad_token_id` is not set: padding with `eos_token_id` ({config.pad_token_id}).")


def _set_max_length(config: GenerationConfig, prompt_length: int, has_default: bool) -> None:
    """Make `max_length` follow from `max_new_tokens`, which takes precedence."""
    if config.max_new_tokens is None:
        return
    if not has_default and config.max_length is not None:
        logger.warning(
            f"`max_new_tokens` ({config.max_new_tokens}) and `max_length` ({config.max_length}) are both given: "
            "`max_new_tokens` counts."
        )
    config.max_length = config.max_new_tokens + prompt_length


def _several_zero3_processes() -> bool:
    """Whether the weights are spread over several processes, all of which must take part in each pass."""
    if "deepspeed" not in sys.modules:
        return False
    from ..integrations.deepspeed import is_deepspeed_zero3_enabled

    return bool(is_deepspeed_zero3_enabled()) and torch.distributed.get_world_size() > 1


def _classes_that_generate(config_class: type) -> set[str]:
    """Names of the classes of this architecture that have a head for generation."""
    from ..models.auto import modeling_auto

    tables = ("CAUSAL_LM", "VISION_2_SEQ", "SEQ_TO_SEQ_CAUSAL_LM", "SPEECH_SEQ_2_SEQ")
    found = set()
    for table in tables:
        mapping = getattr(modeling_auto, f"MODEL_FOR_{table}_MAPPING", {})
        if config_class in mapping:
            classes = mapping[config_class]
            found |= {c.__name__ for c in (classes if isinstance(classes, (list, tuple)) else [classes])}
    return found


def top_k_top_p_filtering(
    logits: Tensor,
    top_k: int = 0,
    top_p: float = 1.0,
    filter_value: float = -float("Inf"),
    min_tokens_to_keep: int = 1,
) -> Tensor:
    """`logits` `(batch, vocabulary)` with all but the `top_k` likeliest, and those of probability `top_p`, filtered
    out.

    Args:
        top_k: tokens to keep; 0 keeps all.
        top_p: keep the smallest set of likeliest tokens with this probability.
        filter_value: what the others get.
        min_tokens_to_keep: tokens to keep in any case.
    """
    if top_k > 0:
        logits = TopKLogitsWarper(top_k, filter_value, min_tokens_to_keep)(None, logits)  # type: ignore[arg-type]
    if 0 <= top_p < 1.0:
        logits = TopPLogitsWarper(top_p, filter_value, min_tokens_to_keep)(None, logits)  # type: ignore[arg-type]
    return logits


_crop_past_key_values = crop_past

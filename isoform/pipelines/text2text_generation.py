"""Text to text with an encoder-decoder: generation, summarization and translation."""

from __future__ import annotations

import enum
import warnings
from typing import Any

import torch

from ..tokenization_utils_base import TruncationStrategy
from ..utils import logging
from .base import Pipeline

logger = logging.get_logger(__name__)


class ReturnType(enum.Enum):
    """What a text2text pipeline returns."""

    TENSORS = 0
    TEXT = 1


class Text2TextGenerationPipeline(Pipeline):
    """Turns a text into another one with an encoder-decoder.

    Task: "text2text-generation".

    Args:
        return_text: Return decoded texts (the default).
        return_tensors: Return token ids instead.
        clean_up_tokenization_spaces: Remove the spaces that tokenization put before punctuation.
        truncation: The tokenizer's argument of that name.
        stop_sequence: Stop at the first token of this text.

    Further keyword arguments go to `generate`. The configuration's `prefix` is put in front of each text.
    """

    return_name = "generated"  # what the keys of results begin with

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING

        self.check_model_type(MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING)

    def _sanitize_parameters(
        self,
        return_tensors: bool | None = None,
        return_text: bool | None = None,
        return_type: ReturnType | None = None,
        clean_up_tokenization_spaces: bool | None = None,
        truncation: Any = None,
        stop_sequence: str | None = None,
        **generate_kwargs: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        postprocess_params: dict[str, Any] = {}
        if return_tensors is not None and return_type is None:
            return_type = ReturnType.TENSORS if return_tensors else ReturnType.TEXT
        if return_type is not None:
            postprocess_params["return_type"] = return_type
        if clean_up_tokenization_spaces is not None:
            postprocess_params["clean_up_tokenization_spaces"] = clean_up_tokenization_spaces
        if stop_sequence is not None:
            ids = self.tokenizer.encode(stop_sequence, add_special_tokens=False)
            if len(ids) > 1:
                warnings.warn("`stop_sequence` is several tokens long: it stops at the first of them.", stacklevel=3)
            generate_kwargs["eos_token_id"] = ids[0]
        return {} if truncation is None else {"truncation": truncation}, generate_kwargs, postprocess_params

    def check_inputs(self, input_length: int, min_length: int, max_length: int) -> bool:
        """Whether these lengths make sense for the task; warns where they do not."""
        return True

    def _parse_and_tokenize(self, *args: Any, truncation: Any) -> Any:
        prefix = getattr(self.model.config, "prefix", None) or ""
        text = args[0]
        if isinstance(text, list):
            if self.tokenizer.pad_token_id is None:
                raise ValueError("Several texts at once need padding: set `pipe.tokenizer.pad_token` first")
            text = [prefix + entry for entry in text]
        elif isinstance(text, str):
            text = prefix + text
        else:
            raise ValueError(f"expected a text or a list of texts, found {type(text).__name__}: {text!r}")
        inputs = self.tokenizer(
            text, padding=isinstance(text, list), truncation=truncation, return_tensors=self.framework
        )
        inputs.pop("token_type_ids", None)  # encoder-decoders have none
        return inputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Generate.

        Args:
            args: A text, or a list of texts.

        Returns:
            For a text a list with an entry for each returned sequence (`num_return_sequences`), which is
            `{"generated_text": …}` ("summary_text" for summaries, "translation_text" for translations) or, with
            `return_tensors`, `{"generated_token_ids": …}`. For a list of texts the list of these; entries of one
            sequence each are not wrapped in lists of their own.
        """
        results = super().__call__(*args, **kwargs)
        many = isinstance(args[0], list) and all(isinstance(text, str) for text in args[0])
        return [result[0] for result in results] if many and all(len(result) == 1 for result in results) else results

    def preprocess(
        self, inputs: Any, truncation: Any = TruncationStrategy.DO_NOT_TRUNCATE, **kwargs: Any
    ) -> dict[str, Any]:
        return self._parse_and_tokenize(inputs, truncation=truncation, **kwargs)

    def _forward(self, model_inputs: Any, **generate_kwargs: Any) -> dict[str, Any]:
        rows, length = model_inputs["input_ids"].shape
        config = self.model.config
        bounds = (generate_kwargs.get(name, getattr(config, name)) for name in ("min_length", "max_length"))
        self.check_inputs(length, *bounds)
        target = model_inputs.get("forced_bos_token_id")
        if isinstance(target, list):  # of a batch, all of whose texts are translated to one language
            model_inputs["forced_bos_token_id"] = target[0]
        generated = self.model.generate(**model_inputs, **generate_kwargs)
        sequences = getattr(generated, "sequences", generated)
        return {"output_ids": sequences.reshape(rows, sequences.shape[0] // rows, *sequences.shape[1:])}

    def postprocess(
        self,
        model_outputs: dict[str, Any],
        return_type: ReturnType = ReturnType.TEXT,
        clean_up_tokenization_spaces: bool = False,
    ) -> list[dict[str, Any]]:
        sequences = model_outputs["output_ids"][0]
        if return_type == ReturnType.TENSORS:
            return [{f"{self.return_name}_token_ids": ids} for ids in sequences]
        return [
            {
                f"{self.return_name}_text": self.tokenizer.decode(
                    ids, skip_special_tokens=True, clean_up_tokenization_spaces=clean_up_tokenization_spaces
                )
            }
            for ids in sequences
        ]

    def _cut_padding(
        self, output: dict[str, Any], padding: int, length: int, forward_params: dict[str, Any]
    ) -> dict[str, Any]:
        """Without what fills up sequences that ended before others of the batch."""
        sequences = output["output_ids"]
        given = forward_params.get("generation_config") or self.model.generation_config
        end_ids = forward_params.get("eos_token_id", given.eos_token_id)
        end_ids = torch.tensor([] if end_ids is None else end_ids).reshape(-1)
        # The first token only starts the decoder, and may be the one that ends texts.
        ended = torch.isin(sequences[..., 1:], end_ids).cumsum(-1) > 0
        surplus = max(int(ended.flatten(0, -2).all(0).sum()) - 1, 0)  # all ended: one position holds the last end
        return {**output, "output_ids": sequences[..., : sequences.shape[-1] - surplus]}

    def _batch_cost(self, length: int, forward_params: dict[str, Any]) -> int:
        given = forward_params.get("generation_config") or self.model.generation_config
        new = forward_params.get("max_new_tokens") or given.max_new_tokens
        # After the encoder a row costs one token a step, and memory for the cache.
        return max(length, (length + (new or forward_params.get("max_length") or given.max_length or 0)) // 4)


class SummarizationPipeline(Text2TextGenerationPipeline):
    """Summarizes texts.

    Task: "summarization". Takes what `Text2TextGenerationPipeline` takes.
    """

    return_name = "summary"

    def check_inputs(self, input_length: int, min_length: int, max_length: int) -> bool:
        """Warns where a summary would be longer than the text, or its bounds contradict each other."""
        if max_length < min_length:
            logger.warning(f"`min_length` ({min_length}) is above `max_length` ({max_length})")
        if input_length < max_length:
            logger.warning(
                f"`max_length` is {max_length}, but the text has only {input_length} tokens: a summary should be "
                f"shorter, for instance max_length={input_length // 2}"
            )
        return True


class TranslationPipeline(Text2TextGenerationPipeline):
    """Translates texts.

    Task: "translation", or "translation_xx_to_yy", which names the two languages.

    Args:
        src_lang: The language of the texts, for models of many languages, in the form that their tokenizer knows.
        tgt_lang: The language to translate to.

    Takes what `Text2TextGenerationPipeline` takes, too.
    """

    return_name = "translation"

    def check_inputs(self, input_length: int, min_length: int, max_length: int) -> bool:
        """Warns where the text is about as long as a translation may be."""
        if input_length > 0.9 * max_length:
            logger.warning(
                f"The text has {input_length} tokens and `max_length` is {max_length}: its translation may be cut "
                "off. Pass a larger `max_length`."
            )
        return True

    def preprocess(  # type: ignore[override]
        self,
        *args: Any,
        truncation: Any = TruncationStrategy.DO_NOT_TRUNCATE,
        src_lang: str | None = None,
        tgt_lang: str | None = None,
    ) -> Any:
        if getattr(self.tokenizer, "_build_translation_inputs", None):
            return self.tokenizer._build_translation_inputs(
                *args, return_tensors=self.framework, truncation=truncation, src_lang=src_lang, tgt_lang=tgt_lang
            )
        return self._parse_and_tokenize(*args, truncation=truncation)

    def _sanitize_parameters(  # type: ignore[override]
        self, src_lang: str | None = None, tgt_lang: str | None = None, **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        preprocess_params, forward_params, postprocess_params = super()._sanitize_parameters(**kwargs)
        if src_lang is None and tgt_lang is None:
            parts = (kwargs.get("task") or self.task or "").split("_")
            if len(parts) == 4:  # translation_xx_to_yy
                src_lang, tgt_lang = parts[1], parts[3]
        for name, language in (("src_lang", src_lang), ("tgt_lang", tgt_lang)):
            if language is not None:
                preprocess_params[name] = language
        return preprocess_params, forward_params, postprocess_params

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Translate.

        Args:
            args: A text, or a list of texts.

        Returns:
            As `Text2TextGenerationPipeline`, with the key "translation_text" ("translation_token_ids").
        """
        return super().__call__(*args, **kwargs)

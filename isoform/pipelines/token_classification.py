"""Token classification: a label for each token, or for each entity made of neighbouring tokens."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from ..utils.generic import ExplicitEnum
from .base import ArgumentHandler, ChunkPipeline, accepts
from .text_inputs import softmax, tokenize_many


class TokenClassificationArgumentHandler(ArgumentHandler):
    """A text or several, with the offsets of their tokens where the caller knows them, as two lists."""

    def __call__(self, inputs: str | list[str], **kwargs: Any) -> tuple[list[str], list[Any] | None]:
        if isinstance(inputs, (list, tuple)) and inputs:
            inputs = list(inputs)
        elif isinstance(inputs, str):
            inputs = [inputs]
        else:
            raise ValueError("At least one input is required.")
        offset_mapping = kwargs.get("offset_mapping")
        if offset_mapping:
            if isinstance(offset_mapping, list) and isinstance(offset_mapping[0], tuple):
                offset_mapping = [offset_mapping]
            if len(offset_mapping) != len(inputs):
                raise ValueError("`offset_mapping` must have as many rows as there are texts")
        return inputs, offset_mapping


_ARGUMENTS = TokenClassificationArgumentHandler()


class AggregationStrategy(ExplicitEnum):
    """How tokens become entities.

    NONE leaves tokens as they are. SIMPLE joins neighbours with the same label. The others first settle one label for
    each word: that of its FIRST token, that of the AVERAGE of its tokens' scores, or that of its token with the MAX
    score.
    """

    NONE = "none"
    SIMPLE = "simple"
    FIRST = "first"
    AVERAGE = "average"
    MAX = "max"


_BY_WORD = (AggregationStrategy.FIRST, AggregationStrategy.AVERAGE, AggregationStrategy.MAX)


class TokenClassificationPipeline(ChunkPipeline):
    """Labels tokens or entities with a model that has a token classification head.

    Task: "token-classification", alias "ner".

    Args:
        ignore_labels: Labels that are left out of the result (default: `["O"]`).
        aggregation_strategy: An `AggregationStrategy` or its name.
        grouped_entities, ignore_subwords: Old names of strategies: "simple" and "first".
        offset_mapping: Where the tokens lie in the text, for tokenizers that do not know.
        stride: Split texts that are longer than the model takes into windows that overlap by this many tokens. Needs a
            fast tokenizer and an aggregation strategy other than "none".
    """

    default_input_names = "sequences"
    outputs_per_token = True

    def __init__(self, args_parser: Any = _ARGUMENTS, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING

        self.check_model_type(MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING)
        self._args_parser = args_parser

    def _sanitize_parameters(
        self,
        ignore_labels: list[str] | None = None,
        grouped_entities: bool | None = None,
        ignore_subwords: bool | None = None,
        aggregation_strategy: AggregationStrategy | str | None = None,
        offset_mapping: list[tuple[int, int]] | None = None,
        stride: int | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        preprocess_params: dict[str, Any] = {}
        postprocess_params: dict[str, Any] = {}
        if offset_mapping is not None:
            preprocess_params["offset_mapping"] = offset_mapping
        if grouped_entities is not None or ignore_subwords is not None:
            old = _old_strategy(grouped_entities, ignore_subwords)
            aggregation_strategy = old if aggregation_strategy is None else aggregation_strategy
        if aggregation_strategy is not None:
            strategy = _strategy(aggregation_strategy)
            self._check_strategy(strategy)
            postprocess_params["aggregation_strategy"] = strategy
        if ignore_labels is not None:
            postprocess_params["ignore_labels"] = ignore_labels
        if stride is not None:
            preprocess_params["tokenizer_params"] = self._stride_options(stride, aggregation_strategy)
        return preprocess_params, {}, postprocess_params

    def _check_strategy(self, strategy: AggregationStrategy) -> None:
        if strategy in _BY_WORD and not self.tokenizer.is_fast:
            raise ValueError(
                "This `aggregation_strategy` puts words together, which needs a fast tokenizer: use one, or the "
                "strategy 'simple'."
            )

    def _stride_options(self, stride: int, strategy: Any) -> dict[str, Any]:
        if stride >= self.tokenizer.model_max_length:
            raise ValueError(
                f"`stride` ({stride}) must leave room for new tokens: less than `tokenizer.model_max_length` "
                f"({self.tokenizer.model_max_length}), and special tokens count."
            )
        if strategy is None or _strategy(strategy) == AggregationStrategy.NONE:
            raise ValueError(
                "`stride` splits a text into pieces, which only an `aggregation_strategy` other than 'none' puts "
                "together again."
            )
        if not self.tokenizer.is_fast:
            raise ValueError("`stride` splits a text into pieces, which needs a fast tokenizer.")
        return {"return_overflowing_tokens": True, "padding": True, "stride": stride}

    def __call__(self, inputs: str | list[str], **kwargs: Any) -> Any:
        """Label.

        Args:
            inputs: A text or several.

        Returns:
            For each text a list of tokens, `{"entity", "score", "index", "word", "start", "end"}`, or of entities,
            `{"entity_group", "score", "word", "start", "end"}`. Positions count characters.
        """
        if isinstance(inputs, (Dataset, Iterator)):
            return super().__call__(inputs, **kwargs)
        texts, offset_mapping = self._args_parser(inputs, **kwargs)
        if offset_mapping:
            kwargs.pop("offset_mapping")
            results = [
                super(TokenClassificationPipeline, self).__call__(text, offset_mapping=[offsets], **kwargs)
                for text, offsets in zip(texts, offset_mapping)
            ]
            return results[0] if isinstance(inputs, str) else results
        return super().__call__(inputs if isinstance(inputs, str) else texts, **kwargs)

    def preprocess(
        self, sentence: str, offset_mapping: Any = None, **preprocess_params: Any
    ) -> Iterator[dict[str, Any]]:
        tokenizer_params = preprocess_params.pop("tokenizer_params", {})
        encoded = self.tokenizer(
            sentence, return_tensors=self.framework, **self._tokenizer_options(), **tokenizer_params
        )
        encoded.pop("overflow_to_sample_mapping", None)
        windows = len(encoded["input_ids"])
        for index in range(windows):
            model_inputs = {key: value[index][None] for key, value in encoded.items()}
            if offset_mapping is not None:
                model_inputs["offset_mapping"] = offset_mapping
            yield {
                **model_inputs,
                "sentence": sentence if index == 0 else None,
                "is_last": index == windows - 1,
            }

    def _tokenizer_options(self) -> dict[str, Any]:
        return {
            "truncation": bool(self.tokenizer.model_max_length and self.tokenizer.model_max_length > 0),
            "return_special_tokens_mask": True,
            "return_offsets_mapping": self.tokenizer.is_fast,
        }

    def preprocess_batch(self, inputs: list[Any], **preprocess_params: Any) -> list[list[Any]]:
        simple = self.tokenizer.is_fast and not preprocess_params and all(isinstance(text, str) for text in inputs)
        if not simple:
            return super().preprocess_batch(inputs, **preprocess_params)
        rows = tokenize_many(self.tokenizer, inputs, **self._tokenizer_options())
        return [[{**row, "sentence": text, "is_last": True}] for row, text in zip(rows, inputs)]

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Any]:
        kept = {key: model_inputs.pop(key) for key in ("special_tokens_mask", "sentence", "is_last")}
        kept["offset_mapping"] = model_inputs.pop("offset_mapping", None)
        if accepts(self.model, "use_cache"):
            logits = self.model(**model_inputs, use_cache=False)["logits"]
        else:
            logits = self.model(**model_inputs)["logits"]
        return {"logits": logits, **kept, **model_inputs}

    def postprocess(
        self,
        all_outputs: list[dict[str, Any]],
        aggregation_strategy: AggregationStrategy = AggregationStrategy.NONE,
        ignore_labels: list[str] | None = None,
    ) -> list[dict[str, Any]]:
        ignored = ["O"] if ignore_labels is None else ignore_labels
        sentence = all_outputs[0]["sentence"]
        entities: list[dict[str, Any]] = []
        for output in all_outputs:
            pre_entities = self.gather_pre_entities(
                sentence,
                output["input_ids"][0].numpy(),
                softmax(output["logits"][0].float().numpy()),
                _offsets(output["offset_mapping"]),
                output["special_tokens_mask"][0].numpy(),
                aggregation_strategy,
            )
            entities.extend(
                entity
                for entity in self.aggregate(pre_entities, aggregation_strategy)
                if entity.get("entity") not in ignored and entity.get("entity_group") not in ignored
            )
        return self.aggregate_overlapping_entities(entities) if len(all_outputs) > 1 else entities

    def aggregate_overlapping_entities(self, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Of entities that overlap keep the longest, and of those the one with the best score."""
        kept: list[dict[str, Any]] = []
        for entity in sorted(entities, key=lambda entity: entity["start"]):
            if not kept or not kept[-1]["start"] <= entity["start"] < kept[-1]["end"]:
                kept.append(entity)
            elif _rank(entity) > _rank(kept[-1]):
                kept[-1] = entity
        return kept

    def gather_pre_entities(
        self,
        sentence: str,
        input_ids: np.ndarray,
        scores: np.ndarray,
        offset_mapping: list[tuple[int, int]] | None,
        special_tokens_mask: np.ndarray,
        aggregation_strategy: AggregationStrategy,
    ) -> list[dict[str, Any]]:
        """All tokens but special ones, with `word`, `scores`, `start`, `end`, `index` and `is_subword`."""
        pre_entities = []
        words = self.tokenizer.convert_ids_to_tokens(input_ids.tolist())
        for index, (token_id, word, token_scores) in enumerate(zip(input_ids, words, scores)):
            if special_tokens_mask[index]:
                continue
            start = end = None
            is_subword = False
            if offset_mapping is not None:
                start, end = (int(position) for position in offset_mapping[index])
                if int(token_id) == self.tokenizer.unk_token_id:
                    word = sentence[start:end]
                else:
                    is_subword = self._is_subword(sentence, word, start, end, aggregation_strategy)
            pre_entities.append(
                {
                    "word": word,
                    "scores": token_scores,
                    "start": start,
                    "end": end,
                    "index": index,
                    "is_subword": is_subword,
                }
            )
        return pre_entities

    def _is_subword(
        self, sentence: str, word: str, start: int, end: int, aggregation_strategy: AggregationStrategy
    ) -> bool:
        backend = getattr(getattr(self.tokenizer, "_tokenizer", None), "model", None)
        if getattr(backend, "continuing_subword_prefix", None):
            return len(word) != end - start  # the prefix makes the token longer than its text
        if aggregation_strategy in _BY_WORD:
            warnings.warn(
                "The tokenizer does not mark where words begin: they are told by the spaces around them",
                UserWarning,
                stacklevel=2,
            )
        return start > 0 and " " not in sentence[start - 1 : start + 1]

    def aggregate(
        self, pre_entities: list[dict[str, Any]], aggregation_strategy: AggregationStrategy
    ) -> list[dict[str, Any]]:
        """Label the tokens, or the words they make, and join neighbours unless the strategy is NONE."""
        if aggregation_strategy in _BY_WORD:
            return self.group_entities(self.aggregate_words(pre_entities, aggregation_strategy))
        entities = []
        for token in pre_entities:
            best = token["scores"].argmax()
            entities.append(
                {
                    "entity": self.model.config.id2label[int(best)],
                    "score": token["scores"][best],
                    **{key: token[key] for key in ("index", "word", "start", "end")},
                }
            )
        return entities if aggregation_strategy == AggregationStrategy.NONE else self.group_entities(entities)

    def aggregate_word(
        self, entities: list[dict[str, Any]], aggregation_strategy: AggregationStrategy
    ) -> dict[str, Any]:
        """One labelled word from its tokens."""
        if aggregation_strategy == AggregationStrategy.FIRST:
            scores = entities[0]["scores"]
        elif aggregation_strategy == AggregationStrategy.MAX:
            scores = max(entities, key=lambda entity: entity["scores"].max())["scores"]
        elif aggregation_strategy == AggregationStrategy.AVERAGE:
            scores = np.nanmean(np.stack([entity["scores"] for entity in entities]), axis=0)
        else:
            raise ValueError("Invalid aggregation_strategy")
        best = scores.argmax()
        return {
            "entity": self.model.config.id2label[int(best)],
            "score": scores[best],
            "word": self.tokenizer.convert_tokens_to_string([entity["word"] for entity in entities]),
            "start": entities[0]["start"],
            "end": entities[-1]["end"],
        }

    def aggregate_words(
        self, entities: list[dict[str, Any]], aggregation_strategy: AggregationStrategy
    ) -> list[dict[str, Any]]:
        """The labelled words of a text: a token that is no subword begins a new one."""
        if aggregation_strategy not in _BY_WORD:
            raise ValueError("words are put together by the strategies FIRST, AVERAGE and MAX only")
        words: list[list[dict[str, Any]]] = []
        for entity in entities:
            if words and entity["is_subword"]:
                words[-1].append(entity)
            else:
                words.append([entity])
        return [self.aggregate_word(word, aggregation_strategy) for word in words]

    def group_sub_entities(self, entities: list[dict[str, Any]]) -> dict[str, Any]:
        """One entity from neighbours with the same tag."""
        return {
            "entity_group": entities[0]["entity"].split("-", 1)[-1],
            "score": np.mean(np.nanmean([entity["score"] for entity in entities])),
            "word": self.tokenizer.convert_tokens_to_string([entity["word"] for entity in entities]),
            "start": entities[0]["start"],
            "end": entities[-1]["end"],
        }

    def get_tag(self, entity_name: str) -> tuple[str, str]:
        """`("B", "PER")` for "B-PER"; a label without a prefix counts as inside."""
        for prefix in ("B", "I"):
            if entity_name.startswith(f"{prefix}-"):
                return prefix, entity_name[2:]
        return "I", entity_name

    def group_entities(self, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Join neighbours with the same tag; a label "B-…" always begins a new entity."""
        groups: list[list[dict[str, Any]]] = []
        for entity in entities:
            position, tag = self.get_tag(entity["entity"])
            if groups and position != "B" and tag == self.get_tag(groups[-1][-1]["entity"])[1]:
                groups[-1].append(entity)
            else:
                groups.append([entity])
        return [self.group_sub_entities(group) for group in groups]


NerPipeline = TokenClassificationPipeline


def _strategy(name: AggregationStrategy | str) -> AggregationStrategy:
    return name if isinstance(name, AggregationStrategy) else AggregationStrategy[name.upper()]


def _old_strategy(grouped_entities: bool | None, ignore_subwords: bool | None) -> AggregationStrategy:
    strategy = AggregationStrategy.NONE
    if grouped_entities:
        strategy = AggregationStrategy.FIRST if ignore_subwords else AggregationStrategy.SIMPLE
    for name, value in (("grouped_entities", grouped_entities), ("ignore_subwords", ignore_subwords)):
        if value is not None:
            warnings.warn(
                f"`{name}` is deprecated: pass `aggregation_strategy='{strategy.value}'`, which means the same.",
                UserWarning,
                stacklevel=3,
            )
    return strategy


def _offsets(offset_mapping: Any) -> list[tuple[int, int]] | None:
    """The offsets of one text: the tokenizer's tensor `(1, tokens, 2)`, or what the caller gave."""
    if offset_mapping is None:
        return None
    return offset_mapping[0].tolist() if isinstance(offset_mapping, torch.Tensor) else offset_mapping[0]


def _rank(entity: dict[str, Any]) -> tuple[int, float]:
    return entity["end"] - entity["start"], entity["score"]

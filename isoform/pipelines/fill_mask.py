"""Fill-mask: the likeliest tokens for each masked position of a text."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..utils import logging
from .base import Pipeline, PipelineException
from .text_inputs import tokenize_many

logger = logging.get_logger(__name__)


class FillMaskPipeline(Pipeline):
    """Predicts masked tokens with a model that has a masked language modelling head.

    Task: "fill-mask".

    Args:
        top_k: How many tokens to return for each mask (default 5), best first.
        targets: One word or several: only these are scored. A word that is not in the vocabulary stands for the first
            of its tokens.
        tokenizer_kwargs: Arguments for the tokenizer.
    """

    outputs_per_token = True

    def _sanitize_parameters(
        self,
        top_k: int | None = None,
        targets: str | list[str] | None = None,
        tokenizer_kwargs: dict[str, Any] | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if self.tokenizer.mask_token_id is None:
            raise self._error(f"{type(self.tokenizer).__name__} has no `mask_token`, so no text can have masks")
        options: dict[str, Any] = {}
        if targets is not None:
            options["target_ids"] = self.get_target_ids(targets, top_k)
        if top_k is not None:
            options["top_k"] = top_k
        return {} if tokenizer_kwargs is None else {"tokenizer_kwargs": tokenizer_kwargs}, {}, options

    def _error(self, reason: str) -> PipelineException:
        return PipelineException("fill-mask", self.model.base_model_prefix, reason)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Fill the masks.

        Args:
            inputs: A text with one mask token or more, or a list of such texts.

        Returns:
            For each text a list of `{"score", "token", "token_str", "sequence"}`; for a text with several masks a list
            of such lists, one for each mask. The masks are filled independently of each other.

        Raises:
            PipelineException: a text has no mask, or the tokenizer has no mask token.
        """
        outputs = super().__call__(inputs, **kwargs)
        return outputs[0] if isinstance(inputs, list) and len(inputs) == 1 else outputs

    def get_masked_index(self, input_ids: torch.Tensor) -> torch.Tensor:
        """The places of mask tokens in `input_ids`, one row of indices for each."""
        return torch.nonzero(input_ids == self.tokenizer.mask_token_id)

    def _ensure_exactly_one_mask_token(self, input_ids: torch.Tensor) -> None:
        if self.get_masked_index(input_ids).numel() == 0:
            raise self._error(f"No mask_token ({self.tokenizer.mask_token}) found on the input")

    def ensure_exactly_one_mask_token(self, model_inputs: Any) -> None:
        """Check that every text has a mask (one or more, in spite of the name).

        Raises:
            PipelineException: one has none.
        """
        rows = model_inputs if isinstance(model_inputs, list) else [{"input_ids": r} for r in model_inputs["input_ids"]]
        for row in rows:
            self._ensure_exactly_one_mask_token(row["input_ids"])

    def preprocess(
        self,
        inputs: Any,
        return_tensors: str | None = None,
        tokenizer_kwargs: dict[str, Any] | None = None,
        **preprocess_parameters: Any,
    ) -> Any:
        encoded = self.tokenizer(inputs, return_tensors=return_tensors or self.framework, **(tokenizer_kwargs or {}))
        self.ensure_exactly_one_mask_token(encoded)
        return encoded

    def preprocess_batch(
        self, inputs: list[Any], tokenizer_kwargs: dict[str, Any] | None = None, **preprocess_parameters: Any
    ) -> list[list[Any]]:
        if not all(isinstance(item, str) for item in inputs) or (tokenizer_kwargs or {}).get("padding"):
            return super().preprocess_batch(inputs, tokenizer_kwargs=tokenizer_kwargs, **preprocess_parameters)
        rows = tokenize_many(self.tokenizer, inputs, **(tokenizer_kwargs or {}))
        self.ensure_exactly_one_mask_token(rows)
        return [[row] for row in rows]

    def _forward(self, model_inputs: Any) -> Any:
        outputs = self.model(**model_inputs)
        outputs["input_ids"] = model_inputs["input_ids"]
        return outputs

    def postprocess(self, model_outputs: Any, top_k: int = 5, target_ids: np.ndarray | None = None) -> Any:
        input_ids, logits = model_outputs["input_ids"][0], model_outputs["logits"][0]
        masked = self.get_masked_index(input_ids).squeeze(-1)
        probabilities = logits[masked].float().softmax(-1)
        if target_ids is not None:
            top_k = min(top_k, len(target_ids))
            probabilities = probabilities[:, torch.from_numpy(target_ids)]
        scores, chosen = probabilities.topk(top_k)
        if target_ids is not None:
            chosen = torch.from_numpy(target_ids)[chosen]
        # With several masks the others stay visible in the text.
        single = len(masked) == 1
        results = [
            [self._filled(input_ids, position, token, score, single) for token, score in zip(tokens, row)]
            for position, tokens, row in zip(masked.tolist(), chosen.tolist(), scores.tolist())
        ]
        return results[0] if single else results

    def _filled(
        self, input_ids: torch.Tensor, position: int, token: int, score: float, skip_special_tokens: bool
    ) -> dict[str, Any]:
        ids = input_ids.tolist()
        ids[position] = token
        ids = [number for number in ids if number != self.tokenizer.pad_token_id]
        text = self.tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)
        return {"score": score, "token": token, "token_str": self.tokenizer.decode([token]), "sequence": text}

    def get_target_ids(self, targets: str | list[str], top_k: int | None = None) -> np.ndarray:
        """The sorted token ids of target words.

        Raises:
            ValueError: no target is given, or none gives a token.
        """
        vocab = self.tokenizer.get_vocab()
        ids = []
        for target in [targets] if isinstance(targets, str) else targets:
            token = vocab.get(target)
            if token is None:
                pieces = self.tokenizer(target, add_special_tokens=False, max_length=1, truncation=True)["input_ids"]
                if not pieces:
                    logger.warning(f"The target {target!r} is not in the vocabulary and gives no token: it is ignored.")
                    continue
                token = pieces[0]
                logger.warning(
                    f"The target {target!r} is not in the vocabulary: its first token "
                    f"{self.tokenizer.convert_ids_to_tokens(token)!r} stands for it."
                )
            ids.append(token)
        if not ids:
            raise ValueError("At least one target must be provided when passed.")
        return np.array(sorted(set(ids)))

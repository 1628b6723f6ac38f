"""The vocabulary matrices of a model: finding, tying and resizing them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .utils import logging

logger = logging.get_logger(__name__)


def module_at(model: nn.Module, path: str) -> nn.Module:
    """The submodule at a dotted path."""
    for name in path.split("."):
        model = getattr(model, name)
    return model


def set_module_at(model: nn.Module, path: str, value: nn.Module) -> None:
    """Replaces the submodule at a dotted path."""
    parent, _, name = path.rpartition(".")
    setattr(module_at(model, parent) if parent else model, name, value)


class EmbeddingMixin:
    """Input and output embeddings. A body names `input_embeddings`, a head `output_embeddings`, as dotted paths."""

    input_embeddings: str | None = None
    output_embeddings: str | None = None
    _tied_weights_keys: list[str] | None = None

    config: Any
    base_model: Any

    def get_input_embeddings(self) -> nn.Module:
        """The embedding of the input tokens.

        Raises:
            NotImplementedError: The model names none.
        """
        body = self.base_model
        if body is not self:
            return body.get_input_embeddings()
        if self.input_embeddings is None:
            raise NotImplementedError(f"{type(self).__name__} has no input embeddings.")
        return module_at(self, self.input_embeddings)  # type: ignore[arg-type]

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replaces the embedding of the input tokens."""
        body = self.base_model
        if body is not self:
            body.set_input_embeddings(value)
        elif self.input_embeddings is None:
            raise NotImplementedError(f"{type(self).__name__} has no input embeddings.")
        else:
            set_module_at(self, self.input_embeddings, value)  # type: ignore[arg-type]

    def get_output_embeddings(self) -> nn.Module | None:
        """The projection to the vocabulary, or None for a model without one."""
        return None if self.output_embeddings is None else module_at(self, self.output_embeddings)  # type: ignore[arg-type]

    def set_output_embeddings(self, value: nn.Module) -> None:
        """Replaces the projection to the vocabulary."""
        if self.output_embeddings is None:
            raise NotImplementedError(f"{type(self).__name__} has no output embeddings.")
        set_module_at(self, self.output_embeddings, value)  # type: ignore[arg-type]

    def tie_weights(self) -> None:
        """Makes the output embedding share the weight of the input embedding, where the config says so."""
        output = self.get_output_embeddings()
        if output is not None and getattr(self.config, "tie_word_embeddings", True):
            self._tie_or_clone_weights(output, self.get_input_embeddings())
        body = self.base_model
        if getattr(self.config, "tie_encoder_decoder", False) and hasattr(body, "encoder") and hasattr(body, "decoder"):
            prefix = self.base_model_prefix  # type: ignore[attr-defined]
            self._tie_encoder_decoder_weights(body.encoder, body.decoder, prefix)
        for module in self.modules():  # type: ignore[attr-defined]
            if hasattr(module, "_tie_weights"):
                module._tie_weights()

    @staticmethod
    def _tie_encoder_decoder_weights(encoder: nn.Module, decoder: nn.Module, base_model_prefix: str = "") -> None:
        """Makes the encoder use the decoder's weights wherever both have a module of the same name.

        Cross-attention, which an encoder has not, is passed over: in lists of blocks (T5) those after it move up.
        """
        for name, own in decoder._parameters.items():
            if own is not None and encoder._parameters.get(name) is not None:
                encoder._parameters[name] = own
        children = dict(encoder.named_children())
        skipped = 0
        for name, child in decoder.named_children():
            if name.isdigit():
                name = str(int(name) - skipped)
                if len(children) < len(list(decoder.children())) and type(children.get(name)) is not type(child):
                    skipped += 1
                    continue
            if name in children:
                EmbeddingMixin._tie_encoder_decoder_weights(children[name], child)

    def _tie_or_clone_weights(self, output_embeddings: nn.Module, input_embeddings: nn.Module) -> None:
        weight = input_embeddings.weight
        if getattr(self.config, "torchscript", False):
            # A traced graph cannot hold one parameter under two names.
            weight = nn.Parameter(weight.detach().clone(), requires_grad=bool(weight.requires_grad))  # type: ignore[operator]
        output_embeddings.weight = weight
        rows = weight.shape[0]  # type: ignore[union-attr, index]
        bias = getattr(output_embeddings, "bias", None)
        if bias is not None and bias.shape[0] != rows:
            bias.data = nn.functional.pad(bias.data[:rows], (0, max(0, rows - bias.shape[0])))
        if hasattr(output_embeddings, "out_features") and hasattr(input_embeddings, "num_embeddings"):
            output_embeddings.out_features = input_embeddings.num_embeddings

    def resize_token_embeddings(
        self, new_num_tokens: int | None = None, pad_to_multiple_of: int | None = None
    ) -> nn.Embedding:
        """Grows or shrinks the vocabulary of the input and output embeddings; new rows are initialised like a new
        model.

        Args:
            new_num_tokens: Number of tokens to have; None keeps the number (then only `pad_to_multiple_of` has an
            effect). pad_to_multiple_of: Rounds the number up to a multiple of this, which makes matrix products faster.

        Returns:
            The input embedding.
        """
        embeddings = self._resize_token_embeddings(new_num_tokens, pad_to_multiple_of)
        if new_num_tokens is None and pad_to_multiple_of is None:
            return embeddings
        rows = embeddings.weight.shape[0]
        self.config.vocab_size = rows
        if hasattr(self, "vocab_size"):
            self.vocab_size = rows
        self.tie_weights()
        return embeddings

    def _resize_token_embeddings(
        self, new_num_tokens: int | None, pad_to_multiple_of: int | None = None
    ) -> nn.Embedding:
        old = self.get_input_embeddings()
        new = self._get_resized_embeddings(old, new_num_tokens, pad_to_multiple_of)  # type: ignore[arg-type]
        if new is old:
            return new
        self.set_input_embeddings(new)
        head = self.get_output_embeddings()
        if head is not None and not getattr(self.config, "tie_word_embeddings", False):
            self.set_output_embeddings(self._get_resized_lm_head(head, new.weight.shape[0]))  # type: ignore[arg-type]
        return self.get_input_embeddings()  # type: ignore[return-value]

    def _get_resized_embeddings(
        self, old_embeddings: nn.Embedding, new_num_tokens: int | None = None, pad_to_multiple_of: int | None = None
    ) -> nn.Embedding:
        rows, width = old_embeddings.weight.shape
        target = _rounded(rows, new_num_tokens, pad_to_multiple_of)
        if target is None or target == rows:
            return old_embeddings
        if not isinstance(old_embeddings, nn.Embedding):
            raise TypeError(
                f"Cannot resize embeddings of class {type(old_embeddings).__name__}: expected nn.Embedding."
                " Override `_get_resized_embeddings` for your class."
            )
        weight = old_embeddings.weight
        new = nn.Embedding(target, width, device=weight.device, dtype=weight.dtype)
        self._init_weights(new)  # type: ignore[attr-defined]
        _copy_rows(weight, new.weight)
        new.weight.requires_grad_(weight.requires_grad)
        padding = old_embeddings.padding_idx
        new.padding_idx = padding if padding is not None and padding < target else None
        return new

    def _get_resized_lm_head(
        self, old_lm_head: nn.Linear, new_num_tokens: int | None = None, transposed: bool | None = False
    ) -> nn.Linear:
        """The head with `new_num_tokens` outputs; `transposed` means that its weight is (inputs, outputs)."""
        weight = old_lm_head.weight
        rows, width = weight.shape[::-1] if transposed else weight.shape
        if new_num_tokens is None or new_num_tokens == rows:
            return old_lm_head
        if not isinstance(old_lm_head, nn.Linear):
            raise TypeError(
                f"Cannot resize a head of class {type(old_lm_head).__name__}: expected nn.Linear."
                " Override `_get_resized_lm_head` for your class."
            )
        bias = old_lm_head.bias
        sizes = (new_num_tokens, width) if transposed else (width, new_num_tokens)
        new = nn.Linear(*sizes, bias=bias is not None, device=weight.device, dtype=weight.dtype)
        self._init_weights(new)  # type: ignore[attr-defined]
        if transposed:
            _copy_rows(weight.T, new.weight.T)
        else:
            _copy_rows(weight, new.weight)
        if bias is not None:
            # Under `transposed` nn.Linear sized the bias by the inputs; the head's bias is over the tokens.
            new.bias = nn.Parameter(bias.new_zeros(new_num_tokens))
            _copy_rows(bias, new.bias)
            new.bias.requires_grad_(bias.requires_grad)
        new.weight.requires_grad_(weight.requires_grad)
        return new

    def resize_position_embeddings(self, new_num_position_embeddings: int) -> None:
        """Changes the number of learned positions, where an architecture supports it."""
        raise NotImplementedError(f"{type(self).__name__} cannot resize its position embeddings.")

    def get_position_embeddings(self) -> nn.Embedding | tuple[nn.Embedding, ...]:
        """The position embeddings, where an architecture supports it."""
        raise NotImplementedError(f"{type(self).__name__} does not expose its position embeddings.")


def _rounded(rows: int, wanted: int | None, multiple: int | None) -> int | None:
    if multiple is not None:
        if not isinstance(multiple, int) or multiple < 1:
            raise ValueError(f"pad_to_multiple_of must be a positive integer; found {multiple!r}.")
        return -(-(rows if wanted is None else wanted) // multiple) * multiple
    if wanted is not None and wanted < 1:
        raise ValueError(f"new_num_tokens must be positive; found {wanted!r}.")
    return wanted


def _copy_rows(old: torch.Tensor, new: torch.Tensor) -> None:
    """Copies the rows that both have."""
    rows = min(old.shape[0], new.shape[0])
    with torch.no_grad():
        new[:rows] = old[:rows]

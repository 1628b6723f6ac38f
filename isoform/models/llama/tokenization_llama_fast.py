"""The Rust tokenizer of Llama."""

from __future__ import annotations

from typing import Any

from tokenizers import processors

from ...tokenization_sentencepiece import SentencePieceTokenizerFast
from ...tokenization_utils_base import AddedToken
from .tokenization_llama import DEFAULT_SYSTEM_PROMPT, BosAndEos, LlamaTokenizer, llama_chat_template

__all__ = ["DEFAULT_SYSTEM_PROMPT", "VOCAB_FILES_NAMES", "LlamaTokenizerFast"]

VOCAB_FILES_NAMES = {"vocab_file": "tokenizer.model", "tokenizer_file": "tokenizer.json"}


class LlamaTokenizerFast(BosAndEos, SentencePieceTokenizerFast):
    """SentencePiece tokenizer of Llama, in Rust, with bytes for unknown characters.

    ``add_bos_token`` and ``add_eos_token`` may be changed at any time. After changing ``bos_token`` or ``eos_token``,
    call :meth:`update_post_processor`.

    Args:
        vocab_file: Path of ``tokenizer.model``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of ``tokenizer.json``.
        clean_up_tokenization_spaces: Remove spaces before punctuation when decoding.
        unk_token: Token for what is not in the vocabulary.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        add_bos_token: Put the BOS token before each sequence.
        add_eos_token: Put the EOS token after each sequence.
        use_default_system_prompt: Give conversations without a system prompt that of Llama 2.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    model_input_names = ["input_ids", "attention_mask"]
    slow_tokenizer_class = LlamaTokenizer
    padding_side = "left"

    def __init__(
        self,
        vocab_file: str | None = None,
        tokenizer_file: str | None = None,
        clean_up_tokenization_spaces: bool = False,
        unk_token: str | AddedToken = "<unk>",
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        add_bos_token: bool = True,
        add_eos_token: bool = False,
        use_default_system_prompt: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file=vocab_file,
            tokenizer_file=tokenizer_file,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            add_bos_token=add_bos_token,
            add_eos_token=add_eos_token,
            use_default_system_prompt=use_default_system_prompt,
            **kwargs,
        )
        self._add_bos_token = add_bos_token
        self._add_eos_token = add_eos_token
        self.use_default_system_prompt = use_default_system_prompt
        self.update_post_processor()

    def update_post_processor(self) -> None:
        """Make the Rust tokenizer add the BOS and EOS tokens that the options ask for.

        Raises:
            ValueError: A token that shall be added is not set.
        """
        ids: list[tuple[str, int]] = []
        around = {"bos": "", "eos": ""}
        for name in around:
            if not getattr(self, f"add_{name}_token"):
                continue
            token = getattr(self, f"{name}_token")
            if token is None:
                raise ValueError(f"add_{name}_token = True but {name}_token = None")
            around[name] = token
            ids.append((token, getattr(self, f"{name}_token_id")))

        def part(sequence: str, kind: int) -> list[str]:
            pieces = (around["bos"], f"${sequence}", around["eos"])
            return [f"{piece}:{kind}" for piece in pieces if piece]

        self._tokenizer.post_processor = processors.TemplateProcessing(
            single=part("A", 0), pair=part("A", 0) + part("B", 1), special_tokens=ids
        )

    @property
    def add_bos_token(self) -> bool:  # type: ignore[override]
        """Whether the BOS token is put before each sequence."""
        return self._add_bos_token

    @add_bos_token.setter
    def add_bos_token(self, value: bool) -> None:
        self._add_bos_token = value
        self.update_post_processor()

    @property
    def add_eos_token(self) -> bool:  # type: ignore[override]
        """Whether the EOS token is put after each sequence."""
        return self._add_eos_token

    @add_eos_token.setter
    def add_eos_token(self, value: bool) -> None:
        self._add_eos_token = value
        self.update_post_processor()

    @property
    def default_chat_template(self) -> str:
        """The template of conversations for checkpoints that bring none: that of Llama 2."""
        return llama_chat_template(self.use_default_system_prompt)

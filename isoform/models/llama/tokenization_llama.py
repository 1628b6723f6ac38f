"""The Python tokenizer of Llama (Touvron et al. 2023), used by Mistral too."""

from __future__ import annotations

import json
from typing import Any

from ..._tokenization_frame import Frame, Framed
from ...tokenization_bpe import as_added_token
from ...tokenization_sentencepiece import SPIECE_UNDERLINE, NoSpaceAfterSpecial, SentencePieceTokenizer
from ...tokenization_utils_base import AddedToken

__all__ = ["DEFAULT_SYSTEM_PROMPT", "SPIECE_UNDERLINE", "VOCAB_FILES_NAMES", "LlamaTokenizer"]

VOCAB_FILES_NAMES = {"vocab_file": "tokenizer.model"}

# How conversations were written when Llama 2 was trained, and the system prompt that Meta published with it.
B_INST, E_INST = "[INST]", "[/INST]"
B_SYS, E_SYS = "<<SYS>>\n", "\n<</SYS>>\n\n"
DEFAULT_SYSTEM_PROMPT = (
    "You are a helpful, respectful and honest assistant. Always answer as helpfully as possible, while being safe. "
    "Your answers should not include any harmful, unethical, racist, sexist, toxic, dangerous, or illegal content. "
    "Please ensure that your responses are socially unbiased and positive in nature.\n\n"
    "If a question does not make any sense, or is not factually coherent, explain why instead of answering "
    "something not correct. If you don't know the answer to a question, please don't share false information."
)

_CHAT_TEMPLATE = """
{%- set system, turns = none, messages -%}
{%- if messages[0].role == 'system' -%}
    {%- set system, turns = messages[0].content, messages[1:] -%}
{%- elif DEFAULT is not none and '<<SYS>>' not in messages[0].content -%}
    {%- set system = DEFAULT -%}
{%- endif -%}
{%- for turn in turns -%}
    {%- if (turn.role == 'user') != (loop.index is odd) -%}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
    {%- endif -%}
    {%- set text = turn.content -%}
    {%- if loop.first and system is not none -%}
        {%- set text = B_SYS + system + E_SYS + text -%}
    {%- endif -%}
    {%- if turn.role == 'user' -%}
        {{- bos_token + '[INST] ' + text.strip() + ' [/INST]' -}}
    {%- elif turn.role == 'system' -%}
        {{- B_SYS + text.strip() + E_SYS -}}
    {%- elif turn.role == 'assistant' -%}
        {{- ' ' + text.strip() + ' ' + eos_token -}}
    {%- endif -%}
{%- endfor -%}
"""


def llama_chat_template(use_default_system_prompt: bool) -> str:
    """The template of Llama 2's conversations.

    The first message may be a system prompt; then user and assistant must alternate.

    Args:
        use_default_system_prompt: Give conversations without a system prompt that of Meta.
    """
    names = {
        "DEFAULT": DEFAULT_SYSTEM_PROMPT if use_default_system_prompt else None,
        "B_SYS": B_SYS,
        "E_SYS": E_SYS,
    }
    # `-%}` would also trim what follows, so the constants are set in one line of their own.
    constants = "".join(f"{{%- set {name} = {_literal(value)} -%}}" for name, value in names.items())
    return constants + _CHAT_TEMPLATE.strip()


def _literal(value: str | None) -> str:
    """A value as Jinja writes it; its strings have the escapes of JSON."""
    return "none" if value is None else json.dumps(value)


class BosAndEos(Framed):
    """Mixin of tokenizers with ``add_bos_token`` and ``add_eos_token``: each sequence is put between the two."""

    add_bos_token: bool
    add_eos_token: bool
    bos_token_id: int | None
    eos_token_id: int | None

    def _around(self) -> tuple[list[int], list[int]]:
        return (
            [self.bos_token_id] if self.add_bos_token else [],  # type: ignore[list-item]
            [self.eos_token_id] if self.add_eos_token else [],  # type: ignore[list-item]
        )

    def _frame(self) -> Frame:
        bos, eos = self._around()
        return bos, eos + bos, eos

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 for the tokens of the first sequence, 1 for those of the second, special tokens included."""
        extra = sum(map(len, self._around()))
        second = [] if token_ids_1 is None else [1] * (len(token_ids_1) + extra)
        return [0] * (len(token_ids_0) + extra) + second


class LlamaTokenizer(BosAndEos, NoSpaceAfterSpecial, SentencePieceTokenizer):
    """SentencePiece tokenizer of Llama, in Python, with bytes for unknown characters.

    Args:
        vocab_file: Path of ``tokenizer.model``.
        unk_token: Token for what is not in the vocabulary.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        pad_token: Token for padding.
        sp_model_kwargs: Options of ``sentencepiece.SentencePieceProcessor``.
        add_bos_token: Put the BOS token before each sequence.
        add_eos_token: Put the EOS token after each sequence.
        clean_up_tokenization_spaces: Remove spaces before punctuation when decoding.
        use_default_system_prompt: Give conversations without a system prompt that of Llama 2.
        spaces_between_special_tokens: Put spaces between added tokens when decoding.
        legacy: Put a space after each special token within a text, as the first versions did. By default true; new
            checkpoints set it to false.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    model_input_names = ["input_ids", "attention_mask"]

    def __init__(
        self,
        vocab_file: str,
        unk_token: str | AddedToken = "<unk>",
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        pad_token: str | AddedToken | None = None,
        sp_model_kwargs: dict[str, Any] | None = None,
        add_bos_token: bool = True,
        add_eos_token: bool = False,
        clean_up_tokenization_spaces: bool = False,
        use_default_system_prompt: bool = False,
        spaces_between_special_tokens: bool = False,
        legacy: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._set_legacy(legacy, kwargs.pop("from_slow", False))
        self.add_bos_token = add_bos_token
        self.add_eos_token = add_eos_token
        self.use_default_system_prompt = use_default_system_prompt
        super().__init__(
            vocab_file,
            sp_model_kwargs=sp_model_kwargs,
            bos_token=as_added_token(bos_token, normalized=False, special=True),
            eos_token=as_added_token(eos_token, normalized=False, special=True),
            unk_token=as_added_token(unk_token, normalized=False, special=True),
            pad_token=as_added_token(pad_token, normalized=False, special=True),
            add_bos_token=add_bos_token,
            add_eos_token=add_eos_token,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            use_default_system_prompt=use_default_system_prompt,
            spaces_between_special_tokens=spaces_between_special_tokens,
            legacy=self.legacy,
            **kwargs,
        )

    def _space_before_run(self, position: int) -> bool:
        return self.legacy and position > 0

    @property
    def default_chat_template(self) -> str:
        """The template of conversations for checkpoints that bring none: that of Llama 2."""
        return llama_chat_template(self.use_default_system_prompt)

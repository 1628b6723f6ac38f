"""Special tokens (`bos_token`, `pad_token`, …): attributes of tokenizers, and how they enter the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenizers import AddedToken

from .utils import logging

__all__ = ["AddedToken", "SpecialTokensMixin"]

logger = logging.get_logger(__name__)


def _token_property(name: str) -> property:
    """A special token as text; `None`, and a log entry, where it is not set."""
    attribute = f"_{name}"

    def read(self: SpecialTokensMixin) -> str | None:
        value = getattr(self, attribute)
        if value is None:
            if self.verbose:
                logger.error(f"Using {name}, but it is not set yet.")
            return None
        return str(value)

    def write(self: SpecialTokensMixin, value: str | AddedToken | None) -> None:
        if value is not None and not isinstance(value, (str, AddedToken)):
            label = name.removesuffix("_token").upper()
            raise ValueError(f"The {label} token must be a str or an AddedToken, found {value!r}")
        setattr(self, attribute, value)

    return property(read, write, doc=f"The {name.replace('_', ' ')} as text, or `None`.")


def _id_property(name: str) -> property:
    """The id of a special token, or `None`."""
    attribute = f"_{name}"

    def read(self: SpecialTokensMixin) -> int | None:
        value = getattr(self, attribute)
        return None if value is None else self.convert_tokens_to_ids(str(value))

    def write(self: SpecialTokensMixin, value: int | None) -> None:
        setattr(self, attribute, None if value is None else self.convert_ids_to_tokens(value))

    return property(read, write, doc=f"The id of the {name.replace('_', ' ')}, or `None`.")


class SpecialTokensMixin:
    """The special tokens of a tokenizer, with methods to set them and to add tokens to the vocabulary.

    Args:
        verbose: Log when a token that is not set is asked for.
        **kwargs: Special tokens by name, as `str` or `AddedToken`; other names are ignored.
    """

    SPECIAL_TOKENS_ATTRIBUTES = [
        "bos_token",
        "eos_token",
        "unk_token",
        "sep_token",
        "pad_token",
        "cls_token",
        "mask_token",
        "additional_special_tokens",
    ]

    bos_token, bos_token_id = _token_property("bos_token"), _id_property("bos_token")
    eos_token, eos_token_id = _token_property("eos_token"), _id_property("eos_token")
    unk_token, unk_token_id = _token_property("unk_token"), _id_property("unk_token")
    sep_token, sep_token_id = _token_property("sep_token"), _id_property("sep_token")
    pad_token, pad_token_id = _token_property("pad_token"), _id_property("pad_token")
    cls_token, cls_token_id = _token_property("cls_token"), _id_property("cls_token")
    mask_token, mask_token_id = _token_property("mask_token"), _id_property("mask_token")

    _unk_token: str | AddedToken | None

    def convert_tokens_to_ids(self, tokens: str | list[str]) -> Any:
        """The id of a token, or the ids of a list of tokens; that of `unk_token` for unknown ones."""
        raise NotImplementedError

    def convert_ids_to_tokens(self, ids: int | list[int], skip_special_tokens: bool = False) -> Any:
        """The token of an id, or the tokens of a list of ids."""
        raise NotImplementedError

    def __init__(self, verbose: bool = False, **kwargs: Any) -> None:
        for name in self.SPECIAL_TOKENS_ATTRIBUTES[:-1]:
            setattr(self, f"_{name}", None)
        self._additional_special_tokens: list[str | AddedToken] | None = []
        self._pad_token_type_id = 0
        self.verbose = verbose
        for name in kwargs.keys() & set(self.SPECIAL_TOKENS_ATTRIBUTES):
            value = kwargs[name]
            if value is None:
                continue
            if name == "additional_special_tokens":
                _check_tokens(value)
                value = list(value)
            elif not isinstance(value, (str, AddedToken)):
                raise TypeError(f"{name} must be a str or an AddedToken, found {type(value)}")
            setattr(self, name, value)

    @property
    def pad_token_type_id(self) -> int:
        """The token type id of padding."""
        return self._pad_token_type_id

    @property
    def additional_special_tokens(self) -> list[str] | None:
        """The special tokens without a name of their own."""
        if self._additional_special_tokens is None:
            if self.verbose:
                logger.error("additional_special_tokens is read, but none are set.")
            return None
        return [str(token) for token in self._additional_special_tokens]

    @additional_special_tokens.setter
    def additional_special_tokens(self, value: Sequence[str | AddedToken] | None) -> None:
        self._additional_special_tokens = None if value is None else list(value)

    @property
    def additional_special_tokens_ids(self) -> list[int] | None:
        """The ids of `additional_special_tokens`."""
        tokens = self.additional_special_tokens
        return None if tokens is None else self.convert_tokens_to_ids(tokens)

    @additional_special_tokens_ids.setter
    def additional_special_tokens_ids(self, values: list[int]) -> None:
        self._additional_special_tokens = [self.convert_ids_to_tokens(value) for value in values]

    # ---- views ----

    @property
    def special_tokens_map(self) -> dict[str, str | list[str]]:
        """The special tokens that are set, by name, as text."""
        return {
            name: [str(token) for token in value] if isinstance(value, list) else str(value)
            for name, value in self.special_tokens_map_extended.items()
        }

    @property
    def special_tokens_map_extended(self) -> dict[str, Any]:
        """The special tokens that are set, by name, as they were given (`AddedToken` keeps its options)."""
        values = ((name, getattr(self, f"_{name}", None)) for name in self.SPECIAL_TOKENS_ATTRIBUTES)
        return {name: value for name, value in values if value}

    @property
    def all_special_tokens_extended(self) -> list[str | AddedToken]:
        """All special tokens as they were given, each once."""
        tokens: dict[str, str | AddedToken] = {}
        for value in self.special_tokens_map_extended.values():
            for token in value if isinstance(value, list) else [value]:
                tokens.setdefault(str(token), token)
        return list(tokens.values())

    @property
    def all_special_tokens(self) -> list[str]:
        """All special tokens as text, each once."""
        return [str(token) for token in self.all_special_tokens_extended]

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `all_special_tokens`."""
        return self.convert_tokens_to_ids(self.all_special_tokens)

    # ---- adding ----

    def add_special_tokens(
        self,
        special_tokens_dict: dict[str, str | AddedToken | Sequence[str | AddedToken]],
        replace_additional_special_tokens: bool = True,
    ) -> int:
        """Sets special tokens, and adds to the vocabulary those that are not in it.

        Special tokens are never split, and `decode(skip_special_tokens=True)` drops them. When tokens were added,
        resize the embeddings of the model: `model.resize_token_embeddings(len(tokenizer))`.

        Args:
            special_tokens_dict: Tokens by name: the names in `SPECIAL_TOKENS_ATTRIBUTES`.
            replace_additional_special_tokens: Replace the list `additional_special_tokens` rather than extend it.

        Returns:
            How many tokens are new in the vocabulary.
        """
        to_add: list[str | AddedToken] = []
        given: dict[str, Any] = dict(special_tokens_dict or {})
        for name, value in given.items():
            assert name in self.SPECIAL_TOKENS_ATTRIBUTES, f"Key {name} is not a special token"
            if name == "additional_special_tokens":
                assert isinstance(value, (list, tuple)) and all(isinstance(t, (str, AddedToken)) for t in value), (
                    f"{name} must be a list of str or AddedToken, found {value}"
                )
                known = set() if replace_additional_special_tokens else set(self.additional_special_tokens or ())
                # The order of a set, by the hashes of the Rust library: models were trained with ids given in it.
                tokens = list({_as_special(t) for t in value if str(t) not in known})
                if replace_additional_special_tokens and tokens:
                    self.additional_special_tokens = tokens
                else:
                    self._additional_special_tokens = [*(self._additional_special_tokens or ()), *tokens]
                to_add += tokens
            else:
                if not isinstance(value, (str, AddedToken)):
                    raise ValueError(f"{name} must be a str or an AddedToken, found {value!r}")
                setattr(self, name, _as_special(value))
                to_add.append(_as_special(value))
        return self.add_tokens(to_add, special_tokens=True)

    def add_tokens(
        self, new_tokens: str | AddedToken | Sequence[str | AddedToken], special_tokens: bool = False
    ) -> int:
        """Adds whole tokens, which the model's algorithm will not split, to the end of the vocabulary.

        When tokens were added, resize the embeddings of the model: `model.resize_token_embeddings(len(tokenizer))`.

        Args:
            new_tokens: Tokens; `AddedToken` says how they match (`single_word`, `lstrip`, `rstrip`, `normalized`).
            special_tokens: Whether `decode(skip_special_tokens=True)` is to drop them.

        Returns:
            How many tokens are new in the vocabulary.
        """
        if not new_tokens:
            return 0
        tokens: Any = new_tokens if isinstance(new_tokens, (list, tuple)) else [new_tokens]
        return self._add_tokens(tokens, special_tokens=special_tokens)

    def _add_tokens(self, new_tokens: Sequence[str | AddedToken], special_tokens: bool = False) -> int:
        raise NotImplementedError

    def sanitize_special_tokens(self) -> int:
        """Deprecated: special tokens enter the vocabulary by themselves. Returns how many were missing."""
        logger.warning_once("`sanitize_special_tokens` is deprecated: special tokens are added when they are set.")
        return self.add_tokens(self.all_special_tokens_extended, special_tokens=True)


def _as_special(token: Any) -> AddedToken:
    return AddedToken(token, normalized=False, special=True) if isinstance(token, str) else token


def _check_tokens(tokens: Any) -> None:
    assert isinstance(tokens, (list, tuple)), f"expected a list or tuple of tokens, found {tokens!r}"
    for token in tokens:
        assert isinstance(token, (str, AddedToken)), f"each token must be a str or an AddedToken, found {token!r}"

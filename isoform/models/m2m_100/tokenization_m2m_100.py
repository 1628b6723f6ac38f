"""The tokenizer of M2M100 (Fan et al. 2020): 100 languages."""

# ruff: noqa: SIM905 (lists of codes are easier to read as words)
from __future__ import annotations

from typing import Any

from ..._tokenization_files import vocabulary_path
from ..._tokenization_languages import Languages
from ...tokenization_bpe import read_vocab, write_vocab
from ...tokenization_sentencepiece import SPIECE_UNDERLINE, SentencePieceTokenizer, write_model
from ...tokenization_utils_base import AddedToken

__all__ = ["FAIRSEQ_LANGUAGE_CODES", "SPIECE_UNDERLINE", "VOCAB_FILES_NAMES", "M2M100Tokenizer"]

VOCAB_FILES_NAMES = {
    "vocab_file": "vocab.json",
    "spm_file": "sentencepiece.bpe.model",
    "tokenizer_config_file": "tokenizer_config.json",
}
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {"facebook/m2m100_418M": 1024}

# Languages in the order of their ids, by `language_codes`.
FAIRSEQ_LANGUAGE_CODES = {
    "m2m100": """
        af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr
        ht hu hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or
        pa pl ps pt ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh zu
    """.split(),
    "wmt21": ["en", "ha", "is", "ja", "cs", "ru", "zh", "de"],
}


class M2M100Tokenizer(Languages, SentencePieceTokenizer):
    """SentencePiece tokenizer of M2M100.

    A text is written ``__en__ … </s>``: first the token of its language. These tokens have the ids behind the
    vocabulary.

    Args:
        vocab_file: Path of ``vocab.json``, which gives pieces their ids.
        spm_file: Path of ``sentencepiece.bpe.model``.
        src_lang: Language of the texts; by default English, ``en``.
        tgt_lang: Language of target texts.
        bos_token: Token for the beginning of a text.
        eos_token: Token behind each text.
        sep_token: Token that separates texts.
        pad_token: Token for padding.
        unk_token: Token for what is not in the vocabulary.
        language_codes: The list of languages, ``"m2m100"`` or ``"wmt21"``.
        sp_model_kwargs: Options of ``sentencepiece.SentencePieceProcessor``.
        num_madeup_words: Number of ids without meaning behind those of the languages.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    model_input_names = ["input_ids", "attention_mask"]
    src_lang_default = "en"
    tgt_lang_default = "ro"

    def __init__(
        self,
        vocab_file: str,
        spm_file: str,
        src_lang: str | None = None,
        tgt_lang: str | None = None,
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        pad_token: str | AddedToken = "<pad>",
        unk_token: str | AddedToken = "<unk>",
        language_codes: str = "m2m100",
        sp_model_kwargs: dict[str, Any] | None = None,
        num_madeup_words: int = 8,
        **kwargs: Any,
    ) -> None:
        self.language_codes = language_codes
        self.num_madeup_words = num_madeup_words
        self.spm_file = spm_file
        self.encoder = read_vocab(vocab_file)
        self.decoder = {index: token for token, index in self.encoder.items()}
        self.encoder_size = len(self.encoder)
        codes = FAIRSEQ_LANGUAGE_CODES[language_codes]
        self.lang_code_to_token = {code: f"__{code}__" for code in codes}
        self.lang_code_to_id = {code: self.encoder_size + index for index, code in enumerate(codes)}
        self.lang_token_to_id = {f"__{code}__": index for code, index in self.lang_code_to_id.items()}
        self.id_to_lang_token = {index: token for token, index in self.lang_token_to_id.items()}
        super().__init__(
            spm_file,
            src_lang=src_lang or self.src_lang_default,
            tgt_lang=tgt_lang,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            unk_token=unk_token,
            pad_token=pad_token,
            language_codes=language_codes,
            sp_model_kwargs=sp_model_kwargs,
            num_madeup_words=num_madeup_words,
            **{"additional_special_tokens": [], **kwargs},
        )
        self.vocab_file = vocab_file
        self._set_languages(src_lang, tgt_lang)

    @property
    def vocab_size(self) -> int:
        """Number of tokens, not counting languages and those that were added."""
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        """All tokens but those of languages, and their ids."""
        return {**self.encoder, **self.added_tokens_encoder}

    def get_lang_token(self, lang: str) -> str:
        """The token of a language: ``__en__`` for ``en``."""
        return self.lang_code_to_token[lang]

    def get_lang_id(self, lang: str) -> int:
        """The id of the token of a language."""
        return self.lang_token_to_id[self.get_lang_token(lang)]

    def _language_id(self, language: str) -> int:
        return self.get_lang_id(language)

    @property
    def cur_lang_id(self) -> int:
        """The id of the language that texts are encoded for at present."""
        return self.cur_lang_code

    def _convert_token_to_id(self, token: str) -> int:
        index = self.lang_token_to_id.get(token, self.encoder.get(token))
        return self.encoder[str(self.unk_token)] if index is None else index

    def _convert_id_to_token(self, index: int) -> str:
        return self.id_to_lang_token.get(index) or self.decoder.get(index, str(self.unk_token))

    def _space_before_run(self, position: int) -> bool:
        return False

    def convert_tokens_to_string(self, tokens: Any) -> str:
        """The text that a sequence of tokens stands for."""
        return super().convert_tokens_to_string(tokens).strip()

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:  # type: ignore[override]
        """Write ``vocab.json`` and the SentencePiece model; returns their paths."""
        names = (self.vocab_files_names[key] for key in ("vocab_file", "spm_file"))
        vocab_path, model_path = (vocabulary_path(save_directory, filename_prefix, name) for name in names)
        write_vocab(self.encoder, vocab_path)
        return vocab_path, write_model(model_path, self._model_bytes)

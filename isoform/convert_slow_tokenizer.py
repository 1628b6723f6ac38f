"""Conversion of Python tokenizers to the tokenizers of the Rust library ``tokenizers``.

A converter takes a slow tokenizer and returns a ``tokenizers.Tokenizer``. To add one, subclass :class:`Converter`, or
:class:`SpmConverter` for a tokenizer with a SentencePiece model, override what differs, and list it in
``SLOW_TO_FAST_CONVERTERS``. No converter needs the packages ``sentencepiece`` or ``protobuf``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram, WordPiece

from ._tokenization_frame import frame_processor
from .errors import TokenizerError
from .sentencepiece_model import ModelType, SentencePieceModel, read_sentencepiece_model

__all__ = ["SLOW_TO_FAST_CONVERTERS", "Converter", "SpmConverter", "convert_slow_tokenizer"]

# A piece and its score (the logarithm of its probability, or minus its rank).
ScoredPieces = Sequence[tuple[str, float]]


def byte_level_bpe(
    vocab: Mapping[str, int],
    merges: Iterable[tuple[str, str]],
    add_prefix_space: bool = False,
    source: str = "",
    model: BPE | None = None,
) -> Tokenizer:
    """A GPT-2 like tokenizer, without post-processing of special tokens.

    Args:
        vocab: Token to id, where tokens are bytes written as in :func:`bytes_to_unicode`.
        merges: Pairs of symbols, the first to be merged first.
        add_prefix_space: Put a space before the text.
        source: Path of the merges, for error messages.
        model: The model of vocabulary and merges, if it is there already.

    Raises:
        TokenizerError: A merge uses or makes a token that is not in ``vocab``.
    """
    tokenizer = Tokenizer(model or _bpe(source, vocab, merges, continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def _bpe(source: str, vocab: Mapping[str, int], merges: Iterable[tuple[str, str]], **options: Any) -> BPE:
    try:
        return BPE(dict(vocab), list(merges), **options)
    except Exception as error:  # the library has no exceptions of its own
        raise TokenizerError(
            f"{source or 'The merges'}: do not fit the vocabulary ({error}). Merges and vocabulary must come from the "
            "same tokenizer, and both files must be complete."
        ) from error


def template(tokenizer: Any, single: str, pair: str, *special_tokens: str) -> processors.TemplateProcessing:
    """Post-processing that adds special tokens.

    Args:
        tokenizer: Slow tokenizer that knows the ids of the special tokens.
        single: Template of one sequence, such as ``"[CLS]:0 $A:0 [SEP]:0"``.
        pair: Template of two sequences.
        *special_tokens: The special tokens in the templates.
    """
    ids = [(token, tokenizer.convert_tokens_to_ids(token)) for token in special_tokens]
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=ids)


class Converter:
    """Base of all converters.

    Args:
        original_tokenizer: The slow tokenizer.
    """

    def __init__(self, original_tokenizer: Any) -> None:
        self.original_tokenizer = original_tokenizer

    def converted(self) -> Tokenizer:
        """The Rust tokenizer. Added tokens are up to the caller."""
        raise NotImplementedError(f"{type(self).__name__} must define converted()")


class GPT2Converter(Converter):
    """Byte-level BPE, with an optional BOS token before the text."""

    def _byte_level_bpe(self) -> Tokenizer:
        slow = self.original_tokenizer
        source = str(getattr(slow, "merges_file", ""))
        model = getattr(slow, "rust_model", None)
        return byte_level_bpe(slow.encoder, slow.bpe_ranks, slow.add_prefix_space, source, model)

    def converted(self) -> Tokenizer:
        """The Rust tokenizer."""
        slow = self.original_tokenizer
        tokenizer = self._byte_level_bpe()
        if getattr(slow, "add_bos_token", False):
            bos = str(slow.bos_token)
            tokenizer.post_processor = template(slow, f"{bos}:0 $A:0", f"{bos}:0 $A:0 $B:1", bos)
        return tokenizer


class RobertaConverter(GPT2Converter):
    """Byte-level BPE with the special tokens of RoBERTa."""

    def converted(self) -> Tokenizer:
        """The Rust tokenizer."""
        slow = self.original_tokenizer
        tokenizer = self._byte_level_bpe()
        tokenizer.post_processor = roberta_processor(slow, "sep", "cls", slow.add_prefix_space, True)
        return tokenizer


def roberta_processor(tokenizer: Any, sep: str, cls: str, add_prefix_space: bool, trim_offsets: bool) -> Any:
    """Post-processing that adds special tokens the way of RoBERTa, `cls A sep`, and trims spaces off the offsets.

    Args:
        tokenizer: Tokenizer that knows the special tokens.
        sep: Name of the token behind each sequence, "sep".
        cls: Name of the token before all.
        add_prefix_space: Whether a space is put before the text.
        trim_offsets: Leave the space before a word out of its offsets.
    """
    end, start = ((getattr(tokenizer, f"{name}_token"), getattr(tokenizer, f"{name}_token_id")) for name in (sep, cls))
    return processors.RobertaProcessing(end, start, trim_offsets=trim_offsets, add_prefix_space=add_prefix_space)


class CLIPConverter(Converter):
    """Byte-level BPE of lower-case words, with marked ends of words."""

    def converted(self) -> Tokenizer:
        """The Rust tokenizer."""
        from .models.clip.tokenization_clip import CLIP_WORDS

        slow = self.original_tokenizer
        options = {"continuing_subword_prefix": "", "end_of_word_suffix": "</w>", "unk_token": str(slow.unk_token)}
        tokenizer = Tokenizer(_bpe(str(slow.merges_file), slow.encoder, slow.bpe_ranks, **options))
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
        )
        words = pre_tokenizers.Split(Regex(CLIP_WORDS), behavior="removed", invert=True)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False)])
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.post_processor = roberta_processor(slow, "eos", "bos", False, False)
        return tokenizer


class BertConverter(Converter):
    """Word pieces of words and punctuation."""

    def converted(self) -> Tokenizer:
        """The Rust tokenizer."""
        slow = self.original_tokenizer
        basic = getattr(slow, "basic_tokenizer", None)
        tokenizer = Tokenizer(WordPiece(dict(slow.vocab), unk_token=str(slow.unk_token)))
        tokenizer.normalizer = normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=basic is not None and basic.tokenize_chinese_chars,
            strip_accents=False if basic is None else basic.strip_accents,
            lowercase=basic is not None and basic.do_lower_case,
        )
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece(prefix="##")
        tokenizer.post_processor = frame_processor(slow)
        return tokenizer


class HerbertConverter(Converter):
    """BPE of the words of BERT."""

    def converted(self) -> Tokenizer:
        """The Rust tokenizer."""
        slow = self.original_tokenizer
        merges = [pair for pair in slow.bpe_ranks if not pair[0].startswith("#version")]  # a header counts as a merge
        options = {"unk_token": str(slow.unk_token), "end_of_word_suffix": "</w>"}
        tokenizer = Tokenizer(_bpe(str(slow.merges_file), slow.encoder, merges, **options))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
        sep, cls = ((getattr(slow, f"{name}_token"), getattr(slow, f"{name}_token_id")) for name in ("sep", "cls"))
        tokenizer.post_processor = processors.BertProcessing(sep, cls)
        return tokenizer


class SentencePieceExtractor:
    """Vocabulary and merges of a SentencePiece BPE model.

    Args:
        model: Path of the ``.model`` file.
    """

    def __init__(self, model: str | PathLike[str]) -> None:
        self.proto = read_sentencepiece_model(model)

    def extract(self, vocab_scores: ScoredPieces | None = None) -> tuple[dict[str, int], list[tuple[str, str]]]:
        """Returns the ids of the pieces and the merges, the first to be merged first.

        Args:
            vocab_scores: Pieces and scores to derive the merges from, instead of those of the file.
        """
        pieces = self.proto.pieces
        vocab = {piece.piece: index for index, piece in enumerate(pieces)}
        return vocab, sentencepiece_merges(vocab_scores or [(piece.piece, piece.score) for piece in pieces], vocab)


def sentencepiece_merges(scored: ScoredPieces, vocab: Mapping[str, int]) -> list[tuple[str, str]]:
    """The merges of a SentencePiece BPE model, which stores scores only.

    Any two pieces whose concatenation is a piece may be merged; pairs with the best score go first. Of the pairs that
    make the same piece, those of pieces with low ids go first.
    """
    found: list[tuple[float, tuple[str, str]]] = []
    for piece, score in dict(scored).items():
        splits = ((piece[:cut], piece[cut:]) for cut in range(1, len(piece)))
        known = [(left, right) for left, right in splits if left in vocab and right in vocab]
        known.sort(key=lambda pair: (vocab[pair[0]], vocab[pair[1]]))
        found.extend((score, pair) for pair in known)
    found.sort(key=lambda entry: entry[0], reverse=True)
    return [pair for _, pair in found]


class SpmConverter(Converter):
    """SentencePiece models, unigram or BPE.

    Subclasses override the methods below, which are called in their order here; ``proto`` is the contents of the model
    file.
    """

    # Whether the converted tokenizer writes unknown characters as bytes, as the model does when it was trained to.
    handle_byte_fallback = False

    def __init__(self, original_tokenizer: Any) -> None:
        super().__init__(original_tokenizer)
        proto = getattr(original_tokenizer, "model_proto", None)
        self.proto: SentencePieceModel = proto or read_sentencepiece_model(original_tokenizer.vocab_file)
        if self.proto.trainer_spec.byte_fallback and not self.handle_byte_fallback:
            warnings.warn(
                f"The SentencePiece model of {type(original_tokenizer).__name__} writes unknown characters as bytes. "
                "Its fast version does not: there such characters become the unknown token.",
                stacklevel=3,
            )

    def vocab(self, proto: SentencePieceModel) -> list[tuple[str, float]]:
        """Pieces and scores; their order gives the ids."""
        return [(piece.piece, piece.score) for piece in proto.pieces]

    def unk_id(self, proto: SentencePieceModel) -> int:
        """Id of the unknown token."""
        return proto.trainer_spec.unk_id

    def tokenizer(self, proto: SentencePieceModel) -> Tokenizer:
        """The tokenizer with its segmentation model."""
        model_type = proto.trainer_spec.model_type
        scored = self.vocab(proto)
        if model_type == ModelType.UNIGRAM:
            return Tokenizer(Unigram(scored, self.unk_id(proto), self.handle_byte_fallback))
        if model_type == ModelType.BPE:
            return Tokenizer(self._bpe_model(proto, scored))
        known = {kind.value: kind.name for kind in ModelType}
        raise TokenizerError(
            f"{getattr(self.original_tokenizer, 'vocab_file', 'The SentencePiece model')}: model type "
            f"{known.get(model_type, model_type)} has no fast version, only UNIGRAM and BPE have. "
            "Use the slow tokenizer."
        )

    def _bpe_model(self, proto: SentencePieceModel, scored: ScoredPieces) -> BPE:
        ids = {piece.piece: index for index, piece in enumerate(proto.pieces)}
        return _bpe(
            str(getattr(self.original_tokenizer, "vocab_file", "")),
            {piece: index for index, (piece, _) in enumerate(scored)},
            sentencepiece_merges(scored, ids),
            unk_token=proto.trainer_spec.unk_piece,
            fuse_unk=True,
            byte_fallback=self.handle_byte_fallback,
        )

    def normalizer(self, proto: SentencePieceModel) -> normalizers.Normalizer | None:
        """The model's own table of character replacements, and no repeated spaces."""
        steps: list[normalizers.Normalizer] = [normalizers.Replace(Regex(" {2,}"), " ")]
        if proto.normalizer_spec.precompiled_charsmap:
            steps.insert(0, normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap))
        return normalizers.Sequence(steps)

    def pre_tokenizer(self, replacement: str, add_prefix_space: bool) -> pre_tokenizers.PreTokenizer | None:
        """How text is cut into words."""
        scheme = "always" if add_prefix_space else "never"
        return pre_tokenizers.Metaspace(replacement=replacement, prepend_scheme=scheme)

    def decoder(self, replacement: str, add_prefix_space: bool) -> decoders.Decoder | None:
        """How tokens become text."""
        scheme = "always" if add_prefix_space else "never"
        return decoders.Metaspace(replacement=replacement, prepend_scheme=scheme)

    def post_processor(self) -> processors.PostProcessor | None:
        """How special tokens are added; :func:`template` makes most of them."""
        return None

    def converted(self) -> Tokenizer:
        """The Rust tokenizer."""
        tokenizer = self.tokenizer(self.proto)
        parts = {
            "normalizer": self.normalizer(self.proto),
            "pre_tokenizer": self.pre_tokenizer("▁", True),
            "decoder": self.decoder("▁", True),
            "post_processor": self.post_processor(),
        }
        for name, part in parts.items():
            if part is not None:
                setattr(tokenizer, name, part)
        return tokenizer


class LlamaConverter(SpmConverter):
    """Llama: spaces are ordinary characters, unknown characters become bytes."""

    handle_byte_fallback = True
    special_tokens = ("<unk>", "<s>", "</s>")  # ids 0 to 2, whatever the model calls them

    def vocab(self, proto: SentencePieceModel) -> list[tuple[str, float]]:
        """The pieces, whose first three are the special tokens of Llama."""
        return [(token, 0.0) for token in self.special_tokens] + super().vocab(proto)[3:]

    def unk_id(self, proto: SentencePieceModel) -> int:
        """Id of the unknown token: always 0."""
        return 0

    def tokenizer(self, proto: SentencePieceModel) -> Tokenizer:
        """The tokenizer with its segmentation model."""
        tokenizer = super().tokenizer(proto)
        if proto.trainer_spec.model_type == ModelType.BPE:
            added = [AddedToken(token, normalized=False, special=True) for token in self.special_tokens]
            tokenizer.add_special_tokens(added)
        return tokenizer

    def normalizer(self, proto: SentencePieceModel) -> normalizers.Normalizer:
        """A leading space, and visible spaces; nothing else is replaced."""
        return normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])

    def pre_tokenizer(self, replacement: str, add_prefix_space: bool) -> None:
        """None: pieces may cross spaces."""

    def decoder(self, replacement: str, add_prefix_space: bool) -> decoders.Decoder:
        """Joins bytes to characters, and drops the leading space."""
        return decoders.Sequence(
            [
                decoders.Replace("▁", " "),
                decoders.ByteFallback(),
                decoders.Fuse(),
                decoders.Strip(content=" ", left=1),
            ]
        )


class T5Converter(SpmConverter):
    """T5: the sentinels stand behind the pieces, the last one first."""

    def vocab(self, proto: SentencePieceModel) -> list[tuple[str, float]]:
        """The pieces and the sentinels."""
        count = self.original_tokenizer._extra_ids
        return super().vocab(proto) + [(f"<extra_id_{index}>", 0.0) for index in reversed(range(count))]

    def post_processor(self) -> processors.PostProcessor:
        """Each sequence with EOS behind it."""
        return frame_processor(self.original_tokenizer)


class FairseqConverter(SpmConverter):
    """XLM-RoBERTa and NLLB: the ids of fairseq."""

    def vocab(self, proto: SentencePieceModel) -> list[tuple[str, float]]:
        """The special tokens of fairseq, the pieces, and what the slow tokenizer puts behind them."""
        names = self.original_tokenizer._pieces
        scores = [0.0] * 4 + [piece.score for piece in proto.pieces[3:]]
        return list(zip(names, scores + [0.0] * (len(names) - len(scores)), strict=True))

    def unk_id(self, proto: SentencePieceModel) -> int:
        """Id of the unknown token: always 3."""
        return 3

    def post_processor(self) -> processors.PostProcessor:
        """Special tokens the way of the slow tokenizer."""
        return frame_processor(self.original_tokenizer)


SLOW_TO_FAST_CONVERTERS: dict[str, type[Converter]] = {
    "BertTokenizer": BertConverter,
    "CLIPTokenizer": CLIPConverter,
    "CodeGenTokenizer": GPT2Converter,
    "GPT2Tokenizer": GPT2Converter,
    "HerbertTokenizer": HerbertConverter,
    "LlamaTokenizer": LlamaConverter,
    "NllbTokenizer": FairseqConverter,
    "RobertaTokenizer": RobertaConverter,
    "T5Tokenizer": T5Converter,
    "XLMRobertaTokenizer": FairseqConverter,
}


def convert_slow_tokenizer(transformer_tokenizer: Any) -> Tokenizer:
    """Convert a slow tokenizer.

    Args:
        transformer_tokenizer: The slow tokenizer. For a class that has no converter, that of its nearest base class is
            used.

    Returns:
        The Rust tokenizer, to be passed to a fast tokenizer as ``tokenizer_object``.

    Raises:
        ValueError: Neither the class nor a base of it has a converter.
    """
    for base in type(transformer_tokenizer).__mro__:
        converter = SLOW_TO_FAST_CONVERTERS.get(base.__name__)
        if converter is not None:
            return converter(transformer_tokenizer).converted()
    raise ValueError(
        f"{type(transformer_tokenizer).__name__} has no fast version: no converter is known for it. "
        f"Converters exist for {', '.join(sorted(SLOW_TO_FAST_CONVERTERS))}."
    )

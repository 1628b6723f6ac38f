"""The processor of Wav2Vec2 with a language model (n-grams), through the package `pyctcdecode`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from ...utils import ModelOutput
from ...utils.import_utils import requires_backends
from ..wav2vec2.processing_wav2vec2 import SpeechProcessor


@dataclass
class Wav2Vec2DecoderWithLMOutput(ModelOutput):
    """Decoded texts: one, or those of a batch; each a list of the `n_best` if more than one was asked for.

    Attributes:
        text: The text.
        logit_score: Log probability of the text by the model.
        lm_score: The same with that of the language model.
        word_offsets: `{"word", "start_offset", "end_offset"}` of each word, in positions of the model's output.
    """

    text: Any
    logit_score: Any = None
    lm_score: Any = None
    word_offsets: Any = None


class Wav2Vec2ProcessorWithLM(SpeechProcessor):
    """Prepares sounds, and reads transcripts from logits by beam search with a language model.

    Args:
        feature_extractor: A `Wav2Vec2FeatureExtractor`.
        tokenizer: A `Wav2Vec2CTCTokenizer`.
        decoder: A `pyctcdecode.BeamSearchDecoderCTC`, whose alphabet is the tokenizer's.
    """

    tokenizer_class = "Wav2Vec2CTCTokenizer"

    def __init__(self, feature_extractor: Any, tokenizer: Any, decoder: Any) -> None:
        requires_backends(self, "pyctcdecode")
        from pyctcdecode import BeamSearchDecoderCTC

        super().__init__(feature_extractor, tokenizer)
        if not isinstance(decoder, BeamSearchDecoderCTC):
            raise ValueError(f"`decoder` has to be of type {BeamSearchDecoderCTC.__name__}, but is {type(decoder)}")
        missing = self.get_missing_alphabet_tokens(decoder, tokenizer)
        if missing:
            raise ValueError(
                f"The tokens {sorted(missing)} are defined in the tokenizer's vocabulary, but not in the decoder's"
                " alphabet: give the decoder's labels in the order of the vocabulary's ids."
            )
        self.decoder = decoder

    def save_pretrained(self, save_directory: str | os.PathLike[str], **kwargs: Any) -> None:  # type: ignore[override]
        """Write all three parts to a folder."""
        super().save_pretrained(save_directory, **kwargs)
        self.decoder.save_to_dir(os.fspath(save_directory))

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> Any:
        """Read all three parts from a folder or a repository.

        Args:
            pretrained_model_name_or_path: A folder, or a Hub id.
            kwargs: Of the parts; `alpha`, `beta`, `unk_score_offset` and `score_boundary` of the language model;
                `unigram_encoding` of its file of words.
        """
        requires_backends(cls, "pyctcdecode")
        from pyctcdecode import BeamSearchDecoderCTC

        settings = {name: kwargs.pop(name, None) for name in ("alpha", "beta", "unk_score_offset", "score_boundary")}
        encoding = kwargs.pop("unigram_encoding", "utf-8")
        feature_extractor, tokenizer = cls._get_arguments_from_pretrained(pretrained_model_name_or_path, **kwargs)
        name = os.fspath(pretrained_model_name_or_path)
        if os.path.exists(name):
            decoder = BeamSearchDecoderCTC.load_from_dir(name, unigram_encoding=encoding)
        else:
            kwargs.pop("_from_auto", None)
            files = os.path.join(BeamSearchDecoderCTC._LANGUAGE_MODEL_SERIALIZED_DIRECTORY, "*")
            allowed = [files, BeamSearchDecoderCTC._ALPHABET_SERIALIZED_FILENAME]
            decoder = BeamSearchDecoderCTC.load_from_hf_hub(name, allow_patterns=allowed, **kwargs)
        for attribute, value in settings.items():
            if value is not None:
                cls._set_language_model_attribute(decoder, attribute, value)
        return cls(feature_extractor=feature_extractor, tokenizer=tokenizer, decoder=decoder)

    @staticmethod
    def _set_language_model_attribute(decoder: Any, attribute: str, value: float) -> None:
        setattr(decoder.model_container[decoder._model_key], attribute, value)

    @property
    def language_model(self) -> Any:
        """The decoder's language model."""
        return self.decoder.model_container[self.decoder._model_key]

    @staticmethod
    def get_missing_alphabet_tokens(decoder: Any, tokenizer: Any) -> set[str]:
        """Tokens of the tokenizer that the decoder's alphabet lacks."""
        from pyctcdecode.alphabet import BLANK_TOKEN_PTN, UNK_TOKEN, UNK_TOKEN_PTN

        def label(token: str) -> str:
            if BLANK_TOKEN_PTN.match(token):
                return ""
            if token == tokenizer.word_delimiter_token:
                return " "
            return UNK_TOKEN if UNK_TOKEN_PTN.match(token) else token

        return {label(token) for token in tokenizer.get_vocab()} - set(decoder._alphabet.labels)

    def batch_decode(
        self,
        logits: np.ndarray,
        pool: Any = None,
        num_processes: int | None = None,
        beam_width: int | None = None,
        beam_prune_logp: float | None = None,
        token_min_logp: float | None = None,
        hotwords: Iterable[str] | None = None,
        hotword_weight: float | None = None,
        alpha: float | None = None,
        beta: float | None = None,
        unk_score_offset: float | None = None,
        lm_score_boundary: bool | None = None,
        output_word_offsets: bool = False,
        n_best: int = 1,
    ) -> Wav2Vec2DecoderWithLMOutput:
        """The texts of a batch.

        Args:
            logits: `(batch, positions, vocabulary)`; positions of -100 are padding.
            pool: A pool of processes, made after this processor.
            num_processes: Make one of so many.
            beam_width: Texts that are followed at once.
            beam_prune_logp: Drop texts that are less probable than the best by more than this.
            token_min_logp: Tokens below this log probability are not tried.
            hotwords: Words to favour.
            hotword_weight: By how much.
            alpha: Weight of the language model.
            beta: Score of each word, against the preference for short texts.
            unk_score_offset: Score of unknown words.
            lm_score_boundary: Let the language model know where texts begin and end.
            output_word_offsets: Also give where words are.
            n_best: How many texts of each sound.
        """
        self.decoder.reset_params(
            alpha=alpha, beta=beta, unk_score_offset=unk_score_offset, lm_score_boundary=lm_score_boundary
        )
        rows = [row[(row != -100.0).all(axis=-1)] for row in logits]
        options = _beam_options(beam_width, beam_prune_logp, token_min_logp, hotwords, hotword_weight)
        if pool is None and num_processes is not None and num_processes > 1:
            with get_context("fork").Pool(num_processes) as own:
                found = self.decoder.decode_beams_batch(own, logits_list=rows, **options)
        else:
            found = self.decoder.decode_beams_batch(pool, logits_list=rows, **options)
        outputs = [_output(beams, output_word_offsets, n_best) for beams in found]
        columns = {name: [getattr(output, name) for output in outputs] for name in ("text", "logit_score", "lm_score")}
        words = [output.word_offsets for output in outputs] if output_word_offsets else None
        return Wav2Vec2DecoderWithLMOutput(**columns, word_offsets=words)

    def decode(
        self,
        logits: np.ndarray,
        beam_width: int | None = None,
        beam_prune_logp: float | None = None,
        token_min_logp: float | None = None,
        hotwords: Iterable[str] | None = None,
        hotword_weight: float | None = None,
        alpha: float | None = None,
        beta: float | None = None,
        unk_score_offset: float | None = None,
        lm_score_boundary: bool | None = None,
        output_word_offsets: bool = False,
        n_best: int = 1,
    ) -> Wav2Vec2DecoderWithLMOutput:
        """The text of one sound, from logits `(positions, vocabulary)`. For the options see `batch_decode`."""
        self.decoder.reset_params(
            alpha=alpha, beta=beta, unk_score_offset=unk_score_offset, lm_score_boundary=lm_score_boundary
        )
        options = _beam_options(beam_width, beam_prune_logp, token_min_logp, hotwords, hotword_weight)
        return _output(self.decoder.decode_beams(logits, **options), output_word_offsets, n_best)


def _beam_options(
    beam_width: int | None,
    beam_prune_logp: float | None,
    token_min_logp: float | None,
    hotwords: Iterable[str] | None,
    hotword_weight: float | None,
) -> dict[str, Any]:
    """The options of the beam search that are given; pyctcdecode has defaults for the others."""
    given = {
        "beam_width": beam_width,
        "beam_prune_logp": beam_prune_logp,
        "token_min_logp": token_min_logp,
        "hotwords": hotwords,
        "hotword_weight": hotword_weight,
    }
    return {name: value for name, value in given.items() if value is not None}


def _output(beams: list[Any], offsets: bool, n_best: int) -> Wav2Vec2DecoderWithLMOutput:
    """One text, or a list of the best; a beam begins with its text and ends with its two scores."""

    def words(frames: Any) -> list[dict[str, Any]]:
        return [{"word": word, "start_offset": start, "end_offset": end} for word, (start, end) in frames]

    # Between text and scores: the state of the language model where it is kept, then the frames of the words.
    rows = [(beam[0], beam[-2], beam[-1], words(beam[-3]) if offsets else None) for beam in beams[:n_best]]
    if n_best == 1:
        return Wav2Vec2DecoderWithLMOutput(*rows[0])
    texts, logit_scores, lm_scores, found = (list(column) for column in zip(*rows, strict=True))
    return Wav2Vec2DecoderWithLMOutput(texts, logit_scores, lm_scores, found if offsets else None)

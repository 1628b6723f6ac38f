"""The processor of Wav2Vec2: a feature extractor for sounds, and a tokenizer for CTC."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...processing_utils import ProcessorMixin
from .feature_extraction_wav2vec2 import Wav2Vec2FeatureExtractor
from .tokenization_wav2vec2 import Wav2Vec2CTCTokenizer


class SpeechProcessor(ProcessorMixin):
    """What processors of a feature extractor and a tokenizer for transcripts share."""

    feature_extractor_class = "Wav2Vec2FeatureExtractor"
    tokenizer_class: Any = "AutoTokenizer"
    feature_extractor: Any
    tokenizer: Any

    def __init__(self, feature_extractor: Any, tokenizer: Any) -> None:
        super().__init__(feature_extractor, tokenizer)
        self.current_processor = self.feature_extractor
        self._in_target_context_manager = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Prepare sounds, transcripts, or both.

        Args:
            args: A sound, or several.
            kwargs: `audio` (or `raw_speech`), if not in `args`; `sampling_rate`; `text`, one or several texts; others
                go to the feature extractor and to the tokenizer.

        Returns:
            What the feature extractor makes of sounds, with the ids of the transcripts as `labels`; or what the
            tokenizer makes of transcripts alone.
        """
        if self._in_target_context_manager:
            return self.current_processor(*args, **kwargs)
        if "raw_speech" in kwargs:
            warnings.warn("`raw_speech` is now called `audio`.", FutureWarning, stacklevel=2)
            audio = kwargs.pop("raw_speech")
        else:
            audio = kwargs.pop("audio", None)
        sampling_rate, text = kwargs.pop("sampling_rate", None), kwargs.pop("text", None)
        if args:
            audio, args = args[0], args[1:]
        if audio is None and text is None:
            raise ValueError("You need to specify either an `audio` or `text` input to process.")
        inputs = None if audio is None else self.feature_extractor(audio, *args, sampling_rate=sampling_rate, **kwargs)
        if text is None:
            return inputs
        encodings = self.tokenizer(text, **kwargs)
        if inputs is None:
            return encodings
        inputs["labels"] = encodings["input_ids"]
        return inputs

    def pad(self, *args: Any, **kwargs: Any) -> Any:
        """Pad prepared sounds, transcripts, or both, to one length each.

        Args:
            args: Prepared sounds.
            kwargs: `input_features`, prepared sounds if not in `args`; `labels`, prepared transcripts; and the options
                of `SequenceFeatureExtractor.pad` and of the tokenizer's `pad`.

        Returns:
            The sounds, with the transcripts' ids as `labels`; or the transcripts alone.
        """
        if self._in_target_context_manager:
            return self.current_processor.pad(*args, **kwargs)
        features, labels = kwargs.pop("input_features", None), kwargs.pop("labels", None)
        if args:
            features, args = args[0], args[1:]
        if features is not None:
            features = self.feature_extractor.pad(features, *args, **kwargs)
        if labels is not None:
            labels = self.tokenizer.pad(labels, **kwargs)
        if labels is None:
            return features
        if features is None:
            return labels
        features["labels"] = labels["input_ids"]
        return features

    @contextmanager
    def as_target_processor(self) -> Iterator[None]:
        """Deprecated: pass `text=` or `labels=`. Within the block the processor prepares transcripts."""
        warnings.warn("`as_target_processor` is deprecated: pass `text` (or `labels` to `pad`).", stacklevel=3)
        self._in_target_context_manager, self.current_processor = True, self.tokenizer
        try:
            yield
        finally:
            self._in_target_context_manager, self.current_processor = False, self.feature_extractor


class Wav2Vec2Processor(SpeechProcessor):
    """Prepares sounds, and reads transcripts from what a model gives.

    Args:
        feature_extractor: A `Wav2Vec2FeatureExtractor`.
        tokenizer: A tokenizer for CTC.
    """

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> Any:
        """Read both parts from a folder or a repository; old ones lack the name of the tokenizer's class."""
        try:
            return super().from_pretrained(pretrained_model_name_or_path, **kwargs)
        except (OSError, ValueError) as error:
            try:
                feature_extractor = Wav2Vec2FeatureExtractor.from_pretrained(pretrained_model_name_or_path, **kwargs)
                tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(pretrained_model_name_or_path, **kwargs)
            except (OSError, ValueError):
                raise error from None
            warnings.warn(
                f"{pretrained_model_name_or_path} does not say which tokenizer it has: Wav2Vec2CTCTokenizer is used."
                " Add its name as `tokenizer_class` to tokenizer_config.json.",
                FutureWarning,
                stacklevel=2,
            )
            return cls(feature_extractor=feature_extractor, tokenizer=tokenizer)

    def batch_decode(self, *args: Any, **kwargs: Any) -> Any:
        """See the tokenizer."""
        return self.tokenizer.batch_decode(*args, **kwargs)

    def decode(self, *args: Any, **kwargs: Any) -> Any:
        """See the tokenizer."""
        return self.tokenizer.decode(*args, **kwargs)

"""The processor of CLAP: its feature extractor for sounds, and RoBERTa's tokenizer for texts."""

from __future__ import annotations

from typing import Any

from ...processing_utils import ProcessorMixin
from ...tokenization_utils_base import BatchEncoding
from ...utils.generic import TensorType


class ClapProcessor(ProcessorMixin):
    """Prepares texts and sounds for CLAP.

    Args:
        feature_extractor: A `ClapFeatureExtractor`.
        tokenizer: A RoBERTa tokenizer.
    """

    feature_extractor_class = "ClapFeatureExtractor"
    tokenizer_class = ("RobertaTokenizer", "RobertaTokenizerFast")

    def __init__(self, feature_extractor: Any, tokenizer: Any) -> None:
        super().__init__(feature_extractor, tokenizer)

    def __call__(
        self, text: Any = None, audios: Any = None, return_tensors: str | TensorType | None = None, **kwargs: Any
    ) -> BatchEncoding:
        """Prepare texts, sounds, or both.

        Args:
            text: A text, or several.
            audios: A sound `(length,)`, or several, of the feature extractor's sampling rate.
            return_tensors: "pt", "np", "tf" or "jax".
            kwargs: `sampling_rate` of the sounds; all others go to both parts. `padding=True` thus fills up sounds with
                zeros; leave it out where sounds shall be repeated, as the feature extractor is set up.

        Returns:
            `input_ids` and `attention_mask` of texts, `input_features` and `is_longer` of sounds.
        """
        sampling_rate = kwargs.pop("sampling_rate", None)
        if text is None and audios is None:
            raise ValueError("You have to specify either text or audios. Both cannot be none.")
        encoding: Any = None
        if text is not None:
            encoding = self.tokenizer(text, return_tensors=return_tensors, **kwargs)
        if audios is None:
            return encoding
        features = self.feature_extractor(audios, sampling_rate=sampling_rate, return_tensors=return_tensors, **kwargs)
        if encoding is None:
            return BatchEncoding(data=dict(features), tensor_type=return_tensors)
        encoding.update(features)
        return encoding

    def batch_decode(self, *args: Any, **kwargs: Any) -> Any:
        """See the tokenizer."""
        return self.tokenizer.batch_decode(*args, **kwargs)

    def decode(self, *args: Any, **kwargs: Any) -> Any:
        """See the tokenizer."""
        return self.tokenizer.decode(*args, **kwargs)

    @property
    def model_input_names(self) -> list[str]:
        """Names of all that it can give."""
        return list(dict.fromkeys([*self.tokenizer.model_input_names, *self.feature_extractor.model_input_names]))

"""Feature extractor of Wav2Vec2 and its relatives: the waveform itself, padded and normalised."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...feature_extraction_sequence_utils import SequenceFeatureExtractor
from ...feature_extraction_utils import BatchFeature
from ...utils import logging
from ...utils.generic import PaddingStrategy, TensorType

logger = logging.get_logger(__name__)


class Wav2Vec2FeatureExtractor(SequenceFeatureExtractor):
    """Pads waveforms, and scales each to zero mean and unit variance.

    Args:
        feature_size: Values of each position: 1.
        sampling_rate: In hertz, of the sounds that the model expects.
        padding_value: What fills positions of padding.
        return_attention_mask: Whether to return the mask by default. Models with group normalisation
            (`feat_extract_norm="group"`) were trained without, on zeros as padding; those with layer normalisation
            need it.
        do_normalize: Whether to scale.
    """

    model_input_names = ["input_values", "attention_mask"]

    def __init__(
        self,
        feature_size: int = 1,
        sampling_rate: int = 16000,
        padding_value: float = 0.0,
        return_attention_mask: bool = False,
        do_normalize: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(feature_size=feature_size, sampling_rate=sampling_rate, padding_value=padding_value, **kwargs)
        self.return_attention_mask = return_attention_mask
        self.do_normalize = do_normalize

    @staticmethod
    def zero_mean_unit_var_norm(
        input_values: list[np.ndarray], attention_mask: list[np.ndarray] | None, padding_value: float = 0.0
    ) -> list[np.ndarray]:
        """Scale each waveform to zero mean and unit variance over what is no padding."""
        if attention_mask is None:
            return [(x - x.mean()) / np.sqrt(x.var() + 1e-7) for x in input_values]
        normed = []
        for values, mask in zip(input_values, attention_mask, strict=True):
            length = int(np.asarray(mask).sum())
            real = values[:length]
            row = (values - real.mean()) / np.sqrt(real.var() + 1e-7)
            row[length:] = padding_value
            normed.append(row)
        return normed

    def __call__(
        self,
        raw_speech: np.ndarray | list[float] | list[np.ndarray] | list[list[float]],
        padding: bool | str | PaddingStrategy = False,
        max_length: int | None = None,
        truncation: bool = False,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | TensorType | None = None,
        sampling_rate: int | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare one sound or several.

        Args:
            raw_speech: A waveform `(length,)` or several of them, mono.
            padding, max_length, truncation, pad_to_multiple_of, return_attention_mask, return_tensors: See `pad`.
            sampling_rate: Of `raw_speech`, in hertz; pass it, so that a wrong one is an error.

        Returns:
            `input_values` `(batch, length)` and, if asked for, `attention_mask`.

        Raises:
            ValueError: The sampling rate is not that of the feature extractor, or a sound has several channels.
        """
        check_sampling_rate(self, sampling_rate)
        waves = as_waveforms(self, raw_speech)
        padded = self.pad(
            BatchFeature({"input_values": waves}),
            padding=padding,
            max_length=max_length,
            truncation=truncation,
            pad_to_multiple_of=pad_to_multiple_of,
            return_attention_mask=return_attention_mask,
        )
        values: Any = padded["input_values"]
        if not isinstance(values, np.ndarray):  # tensors: `pad` gives back what it was given
            values = [np.asarray(row, dtype=np.float32) for row in values]
        mask = padded.get("attention_mask")
        if mask is not None:
            mask = [np.asarray(row, dtype=np.int32) for row in mask]
            padded["attention_mask"] = mask
        if self.do_normalize:
            pads = self._get_padding_strategies(padding, max_length=max_length) is not PaddingStrategy.DO_NOT_PAD
            values = self.zero_mean_unit_var_norm(values, mask if pads else None, self.padding_value)
        padded["input_values"] = values
        return padded.convert_to_tensors(return_tensors)


def check_sampling_rate(extractor: SequenceFeatureExtractor, sampling_rate: int | None) -> None:
    """Complain if sounds have another sampling rate than the model was trained with, or if nobody says which.

    Raises:
        ValueError: They have another one.
    """
    if sampling_rate is None:
        logger.warning_once(
            f"Pass `sampling_rate` to {type(extractor).__name__}: sounds of another rate than "
            f"{extractor.sampling_rate} Hz would silently give wrong results."
        )
    elif sampling_rate != extractor.sampling_rate:
        raise ValueError(
            f"The model corresponding to this feature extractor: {type(extractor).__name__} was trained with a "
            f"sampling rate of {extractor.sampling_rate} Hz, but the sounds have {sampling_rate} Hz: resample them "
            "first."
        )


def as_waveforms(extractor: SequenceFeatureExtractor, sounds: Any) -> list[np.ndarray]:
    """One sound or several as a list of arrays `(length,)`.

    Raises:
        ValueError: A sound has several channels.
    """
    array = isinstance(sounds, np.ndarray) or hasattr(sounds, "detach")
    if array and sounds.ndim > 2:
        raise ValueError(f"Only mono-channel audio is supported for input to {type(extractor).__name__}, found an "
                         f"array of shape {tuple(sounds.shape)}: average the channels first.")  # fmt: skip
    several = sounds.ndim > 1 if array else len(sounds) and isinstance(sounds[0], (np.ndarray, tuple, list))
    return [np.asarray(sound) for sound in (sounds if several else [sounds])]

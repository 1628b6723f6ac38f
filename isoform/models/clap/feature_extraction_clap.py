"""Feature extractor of CLAP: log-mel spectrograms of ten seconds, or four views of a longer sound."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...audio_utils import mel_filter_bank, spectrogram, window_function
from ...feature_extraction_sequence_utils import SequenceFeatureExtractor
from ...feature_extraction_utils import BatchFeature
from ...utils.generic import TensorType
from ..wav2vec2.feature_extraction_wav2vec2 import as_waveforms, check_sampling_rate


class ClapFeatureExtractor(SequenceFeatureExtractor):
    """Makes log-mel spectrograms.

    Args:
        feature_size: Mel filters.
        sampling_rate: In hertz.
        hop_length: Samples from one frame to the next.
        max_length_s: Seconds of the sounds that the model sees.
        fft_window_size: Samples of a frame.
        padding_value, return_attention_mask: Kept, not used: there is no mask.
        frequency_min, frequency_max: Band of the mel filters, in hertz.
        top_db: Kept, not used.
        truncation: For longer sounds: "rand_trunc" takes a random part; "fusion" the whole, shrunk, and one random part
            each of the beginning, the middle and the end.
        padding: For shorter sounds: "repeatpad" repeats the sound as often as it fits and fills up with zeros, "repeat"
            repeats it and cuts, "pad" fills up with zeros.
    """

    model_input_names = ["input_features", "is_longer"]
    unsaved = ("mel_filters", "mel_filters_slaney", "window")

    def __init__(
        self,
        feature_size: int = 64,
        sampling_rate: int = 48_000,
        hop_length: int = 480,
        max_length_s: int = 10,
        fft_window_size: int = 1024,
        padding_value: float = 0.0,
        return_attention_mask: bool = False,
        frequency_min: float = 0,
        frequency_max: float = 14_000,
        top_db: int | None = None,
        truncation: str = "fusion",
        padding: str = "repeatpad",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            feature_size=feature_size,
            sampling_rate=sampling_rate,
            padding_value=padding_value,
            return_attention_mask=return_attention_mask,
            **kwargs,
        )
        self.top_db, self.truncation, self.padding = top_db, truncation, padding
        self.fft_window_size, self.hop_length = fft_window_size, hop_length
        self.nb_frequency_bins = (fft_window_size >> 1) + 1
        self.max_length_s = max_length_s
        self.nb_max_samples = max_length_s * sampling_rate
        self.frequency_min, self.frequency_max = frequency_min, frequency_max
        sizes = (self.nb_frequency_bins, feature_size, frequency_min, frequency_max, sampling_rate)
        self.mel_filters = mel_filter_bank(*sizes, norm=None, mel_scale="htk")
        self.mel_filters_slaney = mel_filter_bank(*sizes, norm="slaney", mel_scale="slaney")

    def _np_extract_fbank_features(self, waveform: np.ndarray, mel_filters: np.ndarray | None = None) -> np.ndarray:
        """The log-mel spectrogram in decibels, `(frames, feature_size)`."""
        return spectrogram(
            waveform,
            window_function(self.fft_window_size, "hann"),
            frame_length=self.fft_window_size,
            hop_length=self.hop_length,
            power=2.0,
            mel_filters=mel_filters,
            log_mel="dB",
        ).T

    def _random_mel_fusion(self, mel: np.ndarray, total_frames: int, chunk_frames: int) -> np.ndarray:
        """The whole, shrunk to `chunk_frames`, and a random part of each third: `(4, chunk_frames, feature_size)`."""
        thirds = np.array_split(np.arange(total_frames - chunk_frames + 1), 3)
        starts = [np.random.choice(third if len(third) else [0]) for third in thirds]
        parts = [mel[start : start + chunk_frames] for start in starts]
        return np.stack([_shrink(mel, chunk_frames), *parts])

    def _get_input_mel(
        self, waveform: np.ndarray, max_length: int, truncation: str, padding: str
    ) -> tuple[np.ndarray, bool]:
        """The input of one sound, `(1 or 4, frames, feature_size)`, and whether it was longer than the model sees."""
        if truncation not in ("fusion", "rand_trunc"):
            raise NotImplementedError(f"truncation {truncation!r} does not exist: use 'fusion' or 'rand_trunc'")
        longer = len(waveform) > max_length
        if len(waveform) < max_length:
            if not len(waveform):
                raise ValueError("A sound has no samples")
            if padding == "repeat":
                waveform = np.tile(waveform, max_length // len(waveform) + 1)[:max_length]
            elif padding == "repeatpad":
                waveform = np.tile(waveform, max_length // len(waveform))
            waveform = np.pad(waveform, (0, max_length - len(waveform)))
        if truncation == "rand_trunc":
            if longer:
                start = np.random.randint(0, len(waveform) - max_length + 1)
                waveform = waveform[start : start + max_length]
            return self._np_extract_fbank_features(waveform, self.mel_filters_slaney)[None], longer
        mel = self._np_extract_fbank_features(waveform, self.mel_filters)
        chunk_frames = max_length // self.hop_length + 1
        if longer and len(mel) > chunk_frames:
            return self._random_mel_fusion(mel, len(mel), chunk_frames), True
        return np.stack([mel] * 4), False

    def __call__(
        self,
        raw_speech: np.ndarray | list[float] | list[np.ndarray] | list[list[float]],
        truncation: str | None = None,
        padding: str | None = None,
        max_length: int | None = None,
        sampling_rate: int | None = None,
        return_tensors: str | TensorType | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare one sound or several.

        Args:
            raw_speech: A waveform `(length,)` or several of them, mono.
            truncation, padding: See the constructor, whose settings hold by default.
            max_length: In samples; `max_length_s` by default.
            sampling_rate: Of `raw_speech`, in hertz; pass it, so that a wrong one is an error.
            return_tensors: "pt", "np", "tf" or "jax".

        Returns:
            `input_features` `(batch, 1 or 4, frames, feature_size)` and `is_longer` `(batch, 1)`.

        Raises:
            ValueError: The sampling rate is not that of the feature extractor, or a sound has several channels.
        """
        check_sampling_rate(self, sampling_rate)
        truncation, padding = truncation or self.truncation, padding or self.padding
        length = max_length or self.nb_max_samples
        waves = [wave.astype(np.float64, copy=False) for wave in as_waveforms(self, raw_speech)]
        made = [self._get_input_mel(wave, length, truncation, padding) for wave in waves]
        mels, longer = [mel for mel, _ in made], [is_longer for _, is_longer in made]
        if truncation == "fusion" and not any(longer):
            # The fusion path of the model must see one sound, or its batch statistics are of nothing.
            longer[np.random.randint(0, len(longer))] = True
        features = BatchFeature({"input_features": mels, "is_longer": [[flag] for flag in longer]})
        return features.convert_to_tensors(return_tensors)


def _shrink(mel: np.ndarray, frames: int) -> np.ndarray:
    """Linear interpolation of `(n, features)` to `(frames, features)`, samples taken at the centres of cells."""
    position = ((np.arange(frames, dtype=np.float32) + 0.5) * np.float32(len(mel) / frames) - 0.5).clip(0)
    low = np.minimum(position.astype(np.int64), len(mel) - 1)
    high = np.minimum(low + 1, len(mel) - 1)
    share = (position - low).astype(np.float32)[:, None]
    return mel[low] * (1 - share) + mel[high] * share

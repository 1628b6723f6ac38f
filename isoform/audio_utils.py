"""Signal processing: mel filters, windows, spectrograms and decibels. NumPy alone, and no loop over frames."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

__all__ = [
    "amplitude_to_db",
    "hertz_to_mel",
    "mel_filter_bank",
    "mel_to_hertz",
    "optimal_fft_length",
    "power_to_db",
    "spectrogram",
    "window_function",
]

# Slaney's scale (Auditory Toolbox, 1998) is linear up to 1000 Hz, which is 15 mel, and logarithmic from there.
_SLANEY_HERTZ, _SLANEY_MEL = 1000.0, 15.0
_SLANEY_STEP = np.log(6.4) / 27.0
# Factor and unit of the logarithm of the other scales, both with a corner at 700 Hz.
_LOGARITHMIC = {"htk": (2595.0, np.log10), "kaldi": (1127.0, np.log)}
_EXPONENTIAL: dict[str, Any] = {"htk": lambda x: np.power(10.0, x), "kaldi": np.exp}
# Frames that are transformed at once: their buffer stays within the processor's cache.
_FRAMES = 64


def _check_scale(mel_scale: str) -> None:
    if mel_scale not in ("htk", "slaney", "kaldi"):
        raise ValueError(f'mel_scale should be one of "htk", "slaney" or "kaldi", found {mel_scale!r}.')


def hertz_to_mel(freq: Any, mel_scale: str = "htk") -> Any:
    """Frequencies in mel.

    Args:
        freq: In hertz; a number or an array.
        mel_scale: "htk", "kaldi" or "slaney".
    """
    _check_scale(mel_scale)
    if mel_scale != "slaney":
        factor, log = _LOGARITHMIC[mel_scale]
        return factor * log(1.0 + freq / 700.0)
    linear = 3.0 * freq / 200.0
    if not isinstance(freq, np.ndarray):
        return linear if freq < _SLANEY_HERTZ else _SLANEY_MEL + np.log(freq / _SLANEY_HERTZ) / _SLANEY_STEP
    above = _SLANEY_MEL + np.log(np.maximum(freq, _SLANEY_HERTZ) / _SLANEY_HERTZ) / _SLANEY_STEP
    return np.where(freq >= _SLANEY_HERTZ, above, linear)


def mel_to_hertz(mels: Any, mel_scale: str = "htk") -> Any:
    """Frequencies in hertz.

    Args:
        mels: A number or an array.
        mel_scale: "htk", "kaldi" or "slaney".
    """
    _check_scale(mel_scale)
    if mel_scale != "slaney":
        return 700.0 * (_EXPONENTIAL[mel_scale](mels / _LOGARITHMIC[mel_scale][0]) - 1.0)
    linear = 200.0 * mels / 3.0
    if not isinstance(mels, np.ndarray):
        return linear if mels < _SLANEY_MEL else _SLANEY_HERTZ * np.exp(_SLANEY_STEP * (mels - _SLANEY_MEL))
    above = _SLANEY_HERTZ * np.exp(_SLANEY_STEP * (np.maximum(mels, _SLANEY_MEL) - _SLANEY_MEL))
    return np.where(mels >= _SLANEY_MEL, above, linear)


def mel_filter_bank(
    num_frequency_bins: int,
    num_mel_filters: int,
    min_frequency: float,
    max_frequency: float,
    sampling_rate: int,
    norm: str | None = None,
    mel_scale: str = "htk",
    triangularize_in_mel_space: bool = False,
) -> np.ndarray:
    """Triangular filters that project a spectrum onto the mel scale.

    Args:
        num_frequency_bins: Of the spectrum: `n_fft // 2 + 1`.
        num_mel_filters: How many filters.
        min_frequency, max_frequency: The band that they cover, in hertz.
        sampling_rate: Of the sound, in hertz.
        norm: "slaney" scales each triangle to constant area; None leaves its top at 1.
        mel_scale: "htk", "kaldi" or "slaney".
        triangularize_in_mel_space: The triangles are straight in mel rather than in hertz (Kaldi).

    Returns:
        `(num_frequency_bins, num_mel_filters)`.
    """
    if norm not in (None, "slaney"):
        raise ValueError(f'norm must be one of None or "slaney", found {norm!r}')
    low, high = hertz_to_mel(min_frequency, mel_scale), hertz_to_mel(max_frequency, mel_scale)
    corners = np.linspace(low, high, num_mel_filters + 2)
    if triangularize_in_mel_space:
        bins = hertz_to_mel(sampling_rate / (num_frequency_bins * 2) * np.arange(num_frequency_bins), mel_scale)
    else:
        bins = np.linspace(0, sampling_rate // 2, num_frequency_bins)
        corners = mel_to_hertz(corners, mel_scale)
    widths, distances = np.diff(corners), corners[None] - bins[:, None]
    rising, falling = -distances[:, :-2] / widths[:-1], distances[:, 2:] / widths[1:]
    filters = np.maximum(0.0, np.minimum(rising, falling))
    if norm == "slaney":
        filters *= 2.0 / (corners[2:] - corners[:-2])
    if (filters.max(axis=0) == 0.0).any():
        warnings.warn(
            f"Some mel filters are all zeros: {num_mel_filters} filters (num_mel_filters) are too many for "
            f"{num_frequency_bins} frequencies (num_frequency_bins).",
            stacklevel=2,
        )
    return filters


def optimal_fft_length(window_length: int) -> int:
    """The power of two that a window fits into."""
    return 2 ** int(np.ceil(np.log2(window_length)))


def window_function(
    window_length: int,
    name: str = "hann",
    periodic: bool = True,
    frame_length: int | None = None,
    center: bool = True,
) -> np.ndarray:
    """A window to multiply frames with.

    Args:
        window_length: Samples of the window.
        name: "boxcar", "hamming", "hann" or "povey" (Kaldi's).
        periodic: Of period `window_length`, as spectral analysis wants it, rather than symmetric.
        frame_length: Pad with zeros to this length.
        center: Put the padding on both sides, rather than on the right.

    Returns:
        `(frame_length or window_length,)`.
    """
    length = window_length + 1 if periodic else window_length
    if name == "boxcar":
        window = np.ones(length)
    elif name in ("hamming", "hamming_window"):
        window = np.hamming(length)
    elif name in ("hann", "hann_window"):
        window = np.hanning(length)
    elif name == "povey":
        window = np.power(np.hanning(length), 0.85)
    else:
        raise ValueError(f"Unknown window function '{name}': expected boxcar, hamming, hann or povey")
    if periodic:
        window = window[:-1]
    if frame_length is None:
        return window
    if window_length > frame_length:
        raise ValueError(f"Length of the window ({window_length}) may not be larger than frame_length ({frame_length})")
    padded = np.zeros(frame_length)
    offset = (frame_length - window_length) // 2 if center else 0
    padded[offset : offset + window_length] = window
    return padded


def _check_spectrogram(
    waveform: np.ndarray, window: np.ndarray, frame_length: int, hop_length: int, fft_length: int
) -> None:
    if frame_length > fft_length:
        raise ValueError(f"frame_length ({frame_length}) may not be larger than fft_length ({fft_length})")
    if len(window) != frame_length:
        raise ValueError(f"Length of the window ({len(window)}) must equal frame_length ({frame_length})")
    if hop_length <= 0:
        raise ValueError(f"hop_length must be greater than zero, found {hop_length}")
    if waveform.ndim != 1:
        raise ValueError(f"Input waveform must have only one dimension, shape is {waveform.shape}")
    if np.iscomplexobj(waveform):
        raise ValueError("Complex-valued input waveforms are not currently supported")


def spectrogram(
    waveform: np.ndarray,
    window: np.ndarray,
    frame_length: int,
    hop_length: int,
    fft_length: int | None = None,
    power: float | None = 1.0,
    center: bool = True,
    pad_mode: str = "reflect",
    onesided: bool = True,
    preemphasis: float | None = None,
    mel_filters: np.ndarray | None = None,
    mel_floor: float = 1e-10,
    log_mel: str | None = None,
    reference: float = 1.0,
    min_value: float = 1e-10,
    db_range: float | None = None,
    remove_dc_offset: bool | None = None,
    dtype: Any = np.float32,
) -> np.ndarray:
    """The short-time Fourier transform of a sound, or what is usually derived from it.

    Args:
        waveform: `(length,)`, real.
        window: `(frame_length,)`, see `window_function`.
        frame_length: Samples of a frame.
        hop_length: Samples from one frame to the next.
        fft_length: Length of the transform, frames are padded with zeros to it; by default `frame_length`.
        power: 1 for the amplitude, 2 for the power spectrum, None for complex numbers.
        center: Frame `t` is centred on sample `t * hop_length`: the sound is padded at both ends.
        pad_mode: How, see `numpy.pad`.
        onesided: Leave out the negative frequencies.
        preemphasis: Subtract this share of the previous sample from each (a high-pass), frame by frame.
        mel_filters: `(frequencies, filters)`, see `mel_filter_bank`.
        mel_floor: Smallest value after the mel filters.
        log_mel: "log", "log10" or "dB" (with `reference`, `min_value`, `db_range` of `power_to_db`) of the mel values.
        remove_dc_offset: Subtract the mean of each frame.
        dtype: Of the result, if it is a logarithm; without, it is float64, or complex64 for `power=None`.

    Returns:
        `(frequencies or filters, frames)`.
    """
    fft_length = frame_length if fft_length is None else fft_length
    waveform = np.asarray(waveform)
    _check_spectrogram(waveform, window, frame_length, hop_length, fft_length)
    if center:
        waveform = np.pad(waveform, (frame_length // 2, frame_length // 2), mode=pad_mode)  # type: ignore[call-overload]
    if waveform.size < frame_length:
        raise ValueError(f"The waveform has {waveform.size} samples, fewer than a frame of {frame_length}")
    waveform, window = waveform.astype(np.float64), window.astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(waveform, frame_length)[::hop_length]
    heard = slice(None)
    if mel_filters is not None:  # frequencies outside of all filters need no magnitude
        used = np.flatnonzero(mel_filters.any(axis=1))
        heard = slice(used[0], used[-1] + 1) if len(used) else slice(0, 1)
        mel_filters = mel_filters[heard]
    blocks, buffer = [], np.empty((_FRAMES, frame_length))
    for start in range(0, len(frames), _FRAMES):
        block = _prepared(frames[start : start + _FRAMES], preemphasis, remove_dc_offset)
        windowed = np.multiply(block, window, out=buffer[: len(block)])
        spectrum = (np.fft.rfft if onesided else np.fft.fft)(windowed, n=fft_length)[:, heard]
        spectrum = spectrum.astype(np.complex64) if power is None else _magnitude(spectrum, power)
        blocks.append(spectrum if mel_filters is None else spectrum @ mel_filters)
    result = np.concatenate(blocks).T
    if mel_filters is not None:
        result = np.maximum(mel_floor, result)
    if power is not None and log_mel is not None:
        result = _logarithm(result, power, log_mel, reference, min_value, db_range).astype(dtype)
    return result


def _prepared(frames: np.ndarray, preemphasis: float | None, remove_dc_offset: bool | None) -> np.ndarray:
    """Frames without their mean, and with their high frequencies raised, where that is asked for."""
    if remove_dc_offset:
        frames = frames - frames.mean(axis=1, keepdims=True)
    if preemphasis is not None:
        first, rest = frames[:, :1] * (1 - preemphasis), frames[:, 1:] - preemphasis * frames[:, :-1]
        frames = np.concatenate((first, rest), axis=1)
    return frames


def _magnitude(spectrum: np.ndarray, power: float) -> np.ndarray:
    squared = np.square(spectrum.real)
    squared += np.square(spectrum.imag)
    if power == 2.0:
        return squared
    return np.sqrt(squared) if power == 1.0 else squared ** (power / 2)


def _logarithm(
    mel: np.ndarray, power: float, log_mel: str, reference: float, min_value: float, db_range: float | None
) -> np.ndarray:
    if log_mel == "log":
        return np.log(mel)
    if log_mel == "log10":
        return np.log10(mel)
    if log_mel != "dB":
        raise ValueError(f"Unknown log_mel option: {log_mel}; expected log, log10 or dB")
    if power not in (1.0, 2.0):
        raise ValueError(f"Cannot use log_mel option '{log_mel}' with power {power}: it must be 1 or 2")
    to_db = power_to_db if power == 2.0 else amplitude_to_db
    return to_db(mel, reference, min_value, db_range)


def power_to_db(
    spectrogram: np.ndarray, reference: float = 1.0, min_value: float = 1e-10, db_range: float | None = None
) -> np.ndarray:
    """A power spectrogram in decibels: `10 * log10(power / reference)`.

    Args:
        spectrogram: Squared amplitudes.
        reference: The power of 0 dB.
        min_value: Smaller powers count as this one.
        db_range: Raise what is lower than the loudest value by more than this many decibels.
    """
    return _decibels(spectrogram, 10.0, reference, min_value, db_range)


def amplitude_to_db(
    spectrogram: np.ndarray, reference: float = 1.0, min_value: float = 1e-5, db_range: float | None = None
) -> np.ndarray:
    """An amplitude spectrogram in decibels: `20 * log10(amplitude / reference)`; see `power_to_db`."""
    return _decibels(spectrogram, 20.0, reference, min_value, db_range)


def _decibels(
    values: np.ndarray, factor: float, reference: float, min_value: float, db_range: float | None
) -> np.ndarray:
    if reference <= 0.0:
        raise ValueError(f"reference must be greater than zero, found {reference}")
    if min_value <= 0.0:
        raise ValueError(f"min_value must be greater than zero, found {min_value}")
    if db_range is not None and db_range <= 0.0:
        raise ValueError(f"db_range must be greater than zero, found {db_range}")
    decibels = factor * (np.log10(np.maximum(values, min_value)) - np.log10(max(min_value, reference)))
    return decibels if db_range is None else np.maximum(decibels, decibels.max() - db_range)


# Names of earlier versions.


def get_mel_filter_banks(
    nb_frequency_bins: int,
    nb_mel_filters: int,
    frequency_min: float,
    frequency_max: float,
    sample_rate: int,
    norm: str | None = None,
    mel_scale: str = "htk",
) -> np.ndarray:
    """Deprecated: use `mel_filter_bank`."""
    warnings.warn("`get_mel_filter_banks` is deprecated: use `mel_filter_bank`.", FutureWarning, stacklevel=2)
    return mel_filter_bank(
        nb_frequency_bins, nb_mel_filters, frequency_min, frequency_max, sample_rate, norm, mel_scale
    )


def fram_wave(
    waveform: np.ndarray, hop_length: int = 160, fft_window_size: int = 400, center: bool = True
) -> np.ndarray:
    """Deprecated: use `spectrogram`. The frames of a sound, `(frames, fft_window_size)`."""
    warnings.warn("`fram_wave` is deprecated: use `spectrogram`.", FutureWarning, stacklevel=2)
    if center:
        half = (fft_window_size - 1) // 2 + 1
        padded, width = np.pad(waveform, (half, half), mode="reflect"), 2 * half
        # A frame that is centred on the first or last sample reflects what it sees of the sound, one sample less.
        padded[0], padded[-1] = waveform[half - 2], waveform[1 - half]
    else:
        padded, width = np.pad(waveform, (0, fft_window_size)), fft_window_size
    starts = np.arange(0, len(waveform) + 1, hop_length)
    return np.lib.stride_tricks.sliding_window_view(padded, width)[starts]


def stft(frames: np.ndarray, windowing_function: np.ndarray | None, fft_window_size: int | None = None) -> np.ndarray:
    """Deprecated: use `spectrogram`. The complex spectrum of each frame, `(frequencies, frames)`."""
    warnings.warn("`stft` is deprecated: use `spectrogram`.", FutureWarning, stacklevel=2)
    width = frames.shape[1]
    size = width if fft_window_size is None else fft_window_size
    if size < width:
        raise ValueError(f"FFT size must greater or equal the frame size: {size} is less than {width}")
    windowed = frames if windowing_function is None else frames * windowing_function
    return np.fft.rfft(windowed, n=size).astype(np.complex64).T

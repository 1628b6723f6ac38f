"""Sound for pipelines: decoding files, resampling, and live recording through ffmpeg."""

from __future__ import annotations

import datetime
import functools
import io
import math
import platform
import shutil
import struct
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

# Format name of ffmpeg -> (bytes of a sample, numpy type).
_FORMATS = {"s16le": (2, np.int16), "f32le": (4, np.float32)}


def ffmpeg_read(bpayload: bytes, sampling_rate: int) -> np.ndarray:
    """Decode the bytes of an audio file to one channel of floats at `sampling_rate`, (samples,).

    WAV is decoded here; other formats by the package soundfile where it is installed, else by the program ffmpeg.

    Raises:
        ValueError: the bytes are no recording, or nothing that could decode them is installed.
    """
    decoded = decode_wav(bpayload) or _decode_with_soundfile(bpayload)
    if decoded is None:
        return _decode_with_ffmpeg(bpayload, sampling_rate)
    audio, rate = decoded
    return resample(audio, rate, sampling_rate)


def decode_wav(payload: bytes) -> tuple[np.ndarray, int] | None:
    """The mean of a WAV file's channels, and its sampling rate; None if the bytes are not WAV of plain samples."""
    if payload[:4] != b"RIFF" or payload[8:12] != b"WAVE":
        return None
    kind = channels = rate = bits = 0
    position = 12
    while position + 8 <= len(payload):
        name, size = struct.unpack_from("<4sI", payload, position)
        body = position + 8
        if name == b"fmt " and body + 16 <= len(payload):
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", payload, body)
            if kind == 0xFFFE and size >= 40:  # extensible: the kind is what its identifier begins with
                kind = struct.unpack_from("<H", payload, body + 24)[0]
        elif name == b"data" and channels and rate:
            samples = _wav_samples(payload[body : body + size], kind, bits)
            if samples is None:
                return None
            frames = samples[: len(samples) // channels * channels].reshape(-1, channels)
            return np.ascontiguousarray(frames[:, 0] if channels == 1 else frames.mean(1, dtype=np.float32)), rate
        position = body + size + size % 2
    return None


def _wav_samples(data: bytes, kind: int, bits: int) -> np.ndarray | None:
    """Samples as floats in [-1, 1]; None for compressed ones."""
    width = bits // 8
    data = data[: len(data) // width * width] if width else b""
    if kind == 3 and bits in (32, 64):
        return np.frombuffer(data, f"<f{width}").astype(np.float32)
    if kind != 1 or bits not in (8, 16, 24, 32):
        return None
    if bits == 8:  # the only width without sign
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
    if bits == 24:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return padded.view("<i4")[:, 0].astype(np.float32) / 2**31
    return np.frombuffer(data, f"<i{width}").astype(np.float32) / 2.0 ** (bits - 1)


def _decode_with_soundfile(payload: bytes) -> tuple[np.ndarray, int] | None:
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: without its C library
        return None
    try:
        audio, rate = soundfile.read(io.BytesIO(payload), dtype="float32", always_2d=True)
    except RuntimeError:  # a format that it does not know; ffmpeg may
        return None
    return audio.mean(1), rate


def _decode_with_ffmpeg(payload: bytes, sampling_rate: int) -> np.ndarray:
    command = ["ffmpeg", "-i", "pipe:0", "-ac", "1", "-ar", str(sampling_rate), "-f", "f32le"]
    command += ["-hide_banner", "-loglevel", "quiet", "pipe:1"]
    try:
        output = subprocess.run(command, input=payload, stdout=subprocess.PIPE, check=False).stdout
    except FileNotFoundError as error:
        raise ValueError(
            "ffmpeg was not found but is required to load audio files other than WAV: install the program ffmpeg, or "
            "`pip install soundfile`, which reads FLAC, OGG and MP3"
        ) from error
    audio = np.frombuffer(output, np.float32)
    if audio.size == 0:
        raise ValueError(
            f"These {len(payload)} bytes could not be decoded as sound: the file is damaged, holds no sound, or is of "
            "a format that this ffmpeg does not know"
        )
    return audio


def resample(audio: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """Change the sampling rate of (samples,) by band-limited interpolation: a windowed sinc (Smith, "Digital Audio
    Resampling", https://ccrma.stanford.edu/~jos/resample/), 6 zero crossings wide, cut off at 0.99 of the lower Nyquist
    frequency. Returns ceil(samples * new_rate / rate) floats.
    """
    if rate == new_rate:
        return audio
    import torch

    common = math.gcd(rate, new_rate)
    kernel, width = _sinc_kernel(rate // common, new_rate // common)
    rate, new_rate = rate // common, new_rate // common
    signal = torch.from_numpy(np.ascontiguousarray(audio, np.float32))
    padded = torch.nn.functional.pad(signal, (width, width + rate))
    # Each group of `rate` samples becomes one of `new_rate`, by as many filters.
    result = torch.nn.functional.conv1d(padded[None, None], kernel, stride=rate)[0].T.reshape(-1)
    return result[: math.ceil(new_rate * len(signal) / rate)].numpy()


@functools.lru_cache(maxsize=8)
def _sinc_kernel(rate: int, new_rate: int, crossings: int = 6, rolloff: float = 0.99) -> tuple[Any, int]:
    """One filter for each phase, (new_rate, 1, taps), and how many samples they reach to the left."""
    import torch

    cutoff = min(rate, new_rate) * rolloff
    width = math.ceil(crossings * rate / cutoff)
    taps = torch.arange(-width, width + rate, dtype=torch.float64) / rate
    phases = torch.arange(new_rate, dtype=torch.float64)[:, None] / new_rate
    distance = ((taps - phases) * cutoff).clamp(-crossings, crossings)
    window = torch.cos(distance * math.pi / crossings / 2) ** 2
    return (torch.sinc(distance) * window * cutoff / rate).float()[:, None], width


def ffmpeg_microphone(
    sampling_rate: int, chunk_length_s: float, format_for_conversion: str = "f32le"
) -> Iterator[bytes]:
    """Record from the microphone for as long as the iterator is read.

    Args:
        sampling_rate: Samples per second.
        chunk_length_s: Seconds of sound in each piece.
        format_for_conversion: "f32le" (32-bit floats) or "s16le" (16-bit integers).

    Yields:
        Raw samples of one channel.
    """
    width, _ = _sample_format(format_for_conversion)
    sources = {
        "Linux": ("alsa", "default"),
        "Darwin": ("avfoundation", ":0"),
        "Windows": ("dshow", None),
    }
    driver, device = sources.get(platform.system(), ("alsa", "default"))
    device = device or _windows_microphone()
    command = ["ffmpeg", "-f", driver, "-i", device, "-ac", "1", "-ar", str(sampling_rate)]
    command += ["-f", format_for_conversion, "-fflags", "nobuffer", "-hide_banner", "-loglevel", "quiet", "pipe:1"]
    return _ffmpeg_stream(command, round(sampling_rate * chunk_length_s) * width)


def ffmpeg_microphone_live(
    sampling_rate: int,
    chunk_length_s: float,
    stream_chunk_s: float | None = None,
    stride_length_s: tuple[float, float] | float | None = None,
    format_for_conversion: str = "f32le",
) -> Iterator[dict[str, Any]]:
    """Record from the microphone in overlapping pieces, the inputs of a speech recognition pipeline.

    Args:
        sampling_rate: Samples per second.
        chunk_length_s: Seconds of sound in each piece.
        stream_chunk_s: Yield a piece that is still being recorded every so many seconds (marked by `partial`).
        stride_length_s: Seconds of overlap on each side: one number, or left and right (default: a sixth of the piece).
        format_for_conversion: "f32le" (32-bit floats) or "s16le" (16-bit integers).

    Yields:
        `{"sampling_rate", "raw", "stride": (left, right), "partial"}`, lengths in samples. When the reader is more
        than ten pieces late, pieces are skipped.
    """
    width, dtype = _sample_format(format_for_conversion)
    interval = chunk_length_s if stream_chunk_s is None else stream_chunk_s
    stride = chunk_length_s / 6 if stride_length_s is None else stride_length_s
    left, right = stride if isinstance(stride, (tuple, list)) else (stride, stride)
    pieces = chunk_bytes_iter(
        ffmpeg_microphone(sampling_rate, interval, format_for_conversion),
        round(sampling_rate * chunk_length_s) * width,
        stride=(round(sampling_rate * left) * width, round(sampling_rate * right) * width),
        stream=True,
    )
    due, step = datetime.datetime.now(), datetime.timedelta(seconds=interval)
    for piece in pieces:
        due += step
        if datetime.datetime.now() > due + 10 * step:
            continue
        left, right = piece["stride"]
        yield {
            **piece,
            "raw": np.frombuffer(piece["raw"], dtype),
            "stride": (left // width, right // width),
            "sampling_rate": sampling_rate,
        }


def chunk_bytes_iter(
    iterator: Iterable[bytes], chunk_len: int, stride: tuple[int, int], stream: bool = False
) -> Iterator[dict[str, Any]]:
    """Cut a stream of bytes into pieces of `chunk_len` that overlap.

    Args:
        iterator: The stream, in parts of any length.
        chunk_len: Bytes of a piece.
        stride: Bytes at the left and at the right of a piece that its neighbours hold too.
        stream: Yield what there is of the next piece after every part, marked by `partial`.

    Yields:
        `{"raw", "stride": (left, right)}`, with `partial` where `stream` is set. The first piece has no left overlap,
        the last none on the right.

    Raises:
        ValueError: the overlaps leave nothing of the piece.
    """
    left, right = stride
    if left + right >= chunk_len:
        raise ValueError(f"Stride needs to be strictly smaller than chunk_len: ({left}, {right}) vs {chunk_len}")
    held, overlap = b"", 0
    for part in iterator:
        held += part
        if stream and len(held) < chunk_len:
            yield {"raw": held, "stride": (overlap, 0), "partial": True}
            continue
        while len(held) >= chunk_len:
            yield {"raw": held[:chunk_len], "stride": (overlap, right), **({"partial": False} if stream else {})}
            overlap = left
            held = held[chunk_len - left - right :]
    if len(held) > left:
        yield {"raw": held, "stride": (overlap, 0), **({"partial": False} if stream else {})}


def _sample_format(name: str) -> tuple[int, Any]:
    if name not in _FORMATS:
        raise ValueError(f"Unhandled format `{name}`. Please use one of {', '.join(_FORMATS)}")
    return _FORMATS[name]


def _windows_microphone() -> str:
    """The name under which ffmpeg knows the first microphone of a Windows machine."""
    listed = subprocess.run(
        ["ffmpeg", "-list_devices", "true", "-f", "dshow", "-i", ""], stderr=subprocess.PIPE, text=True, check=False
    ).stderr
    names = [line.split('"')[1] for line in listed.splitlines() if "(audio)" in line and line.count('"') >= 2]
    return f"audio={names[0] if names else 'default'}"


def _ffmpeg_stream(ffmpeg_command: list[str], buflen: int) -> Iterator[bytes]:
    """What a command writes, in parts of `buflen` bytes; the command ends with the iterator."""
    if shutil.which(ffmpeg_command[0]) is None:
        raise ValueError("ffmpeg was not found but is required to stream audio: install the program ffmpeg")
    with subprocess.Popen(ffmpeg_command, stdout=subprocess.PIPE, bufsize=buflen) as process:
        try:
            while part := process.stdout.read(buflen):  # type: ignore[union-attr]
                yield part
        finally:
            process.terminate()

"""What the audio pipelines share: opening recordings in all their forms, and batches that change no result."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from .audio_utils import ffmpeg_read, resample
from .auto_batch import TokenBudgets
from .base import Pipeline, accepts
from .media import is_url, read_bytes

# Recordings that are decoded before the first forward pass under batch_size="auto".
AUDIO_WINDOW = 256
# Positions in a forward pass. The first convolutions make megabytes of each second of sound, so more than a few seconds
# of it fall out of a CPU's cache.
BUDGETS = TokenBudgets(cpu=160, cpu_thread=80, accelerator=8192)
# Samples that one position of a model stands for, where its configuration does not say: 20 ms at 16 kHz.
SAMPLES_PER_FRAME = 320


def open_audio(source: Any, sampling_rate: int, timeout: float | None = None) -> np.ndarray:
    """One channel of sound at `sampling_rate`, (samples,).

    Args:
        source: A path, a URL, the bytes of an audio file, an array or tensor (samples,) that has that rate already, or
            a dictionary `{"array" or "raw": samples, "sampling_rate": …}`, as datasets give, which is resampled.

    Raises:
        ValueError: it is none of these, or has several channels.
        OSError: it cannot be read.
    """
    if isinstance(source, dict):
        return open_entry(dict(source), sampling_rate)[0]
    if isinstance(source, (os.PathLike, str)):
        if not is_url(source) and not os.path.isfile(source):
            raise FileNotFoundError(f"there is no recording {os.fspath(source)!r}: expected a file or a URL")
        source = read_bytes(source, timeout)
    if isinstance(source, (bytes, bytearray)):
        return ffmpeg_read(bytes(source), sampling_rate)
    return single_channel(source)


def open_entry(entry: dict[str, Any], sampling_rate: int) -> tuple[np.ndarray, int]:
    """The samples of `{"array" or "raw": …, "sampling_rate": …}` at `sampling_rate`, and what their rate was.

    What it reads it takes out of the dictionary.

    Raises:
        ValueError: a key is missing.
    """
    samples = entry.pop("raw", None)
    array = entry.pop("array", None)
    samples = array if samples is None else samples
    entry.pop("path", None)
    if samples is None or "sampling_rate" not in entry:
        raise ValueError(
            'A recording in a dictionary needs its samples, under "raw" or "array", and its "sampling_rate"; found '
            f"{sorted(entry) or 'neither'}"
        )
    rate = entry.pop("sampling_rate")
    return resample(single_channel(samples), rate, sampling_rate), rate


def single_channel(samples: Any) -> np.ndarray:
    """An array or tensor of one axis as an array.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(samples, torch.Tensor):
        samples = samples.detach().cpu().numpy()
    if not isinstance(samples, np.ndarray):
        raise ValueError(
            "We expect a numpy ndarray as input, or a path, a URL, bytes, or a dictionary with the samples; got "
            f"`{type(samples).__name__}`"
        )
    if samples.ndim != 1:
        raise ValueError(
            f"We expect a single channel audio input, an array (samples,), found the shape {samples.shape}: take the "
            "mean of the channels, or one of them"
        )
    return samples


class AudioPipeline(Pipeline):
    """A pipeline over recordings, given as `open_audio` takes them, and a model of samples or of their features."""

    window = AUDIO_WINDOW
    token_budgets = BUDGETS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._require("feature_extractor")

    @property
    def _sampling_rate(self) -> int:
        return self.feature_extractor.sampling_rate

    def _features(self, audio: np.ndarray) -> Any:
        """The model's inputs for one recording. Raw samples come with a mask, so that they can be padded."""
        inputs = self.feature_extractor(audio, sampling_rate=self._sampling_rate, return_tensors=self.framework)
        samples = inputs.get("input_values")
        if samples is not None and samples.dim() == 2 and "attention_mask" not in inputs:
            inputs["attention_mask"] = torch.ones_like(samples, dtype=torch.long)
        return inputs

    def _run(self, inputs: dict[str, Any]) -> Any:
        """The model's outputs for a batch, each row what it would be by itself."""
        mask = inputs.get("attention_mask")
        if mask is None or "input_values" not in inputs:
            return self.model(**inputs)
        if bool(mask.all()) or not accepts(self.model, "attention_mask"):
            # Nothing is padded. Models that were trained without masks get one only where it is needed.
            if not getattr(self.feature_extractor, "return_attention_mask", True) or mask.dim() != 2:
                inputs = {key: value for key, value in inputs.items() if key != "attention_mask"}
            return self.model(**inputs)
        with padding_ignored(self.model, mask.sum(-1)):
            return self.model(**inputs)

    def _input_length(self, inputs: Any) -> int:
        samples = inputs.get("input_values")
        return samples.shape[1] if samples is not None and samples.dim() == 2 else 0

    def _batch_cost(self, length: int, forward_params: dict[str, Any]) -> int:
        return length // (getattr(self.model.config, "inputs_to_logits_ratio", None) or SAMPLES_PER_FRAME) + 1


@contextmanager
def padding_ignored(model: Any, lengths: torch.Tensor) -> Iterator[None]:
    """Inside, a convolution that is normalised over time sees each of the batch's recordings without its padding.

    Some models (Wav2Vec2 base) normalise the first convolution's output over all of time, with padding in it.
    Everything after that looks at real frames only where an attention mask is given, so with this a padded batch gives
    what its recordings, of `lengths` samples, give one by one.
    """
    layers = [module for module in model.modules() if any(map(_normalises_time, module.children()))]
    if len(layers) != 1:
        yield
        return
    layer, real = layers[0], lengths.tolist()
    forward, (width,), (stride,) = layer.forward, layer.conv.kernel_size, layer.conv.stride

    def by_row(x: torch.Tensor) -> torch.Tensor:
        rows = [forward(x[row : row + 1, :, :length]) for row, length in enumerate(real)]
        frames = (x.shape[-1] - width) // stride + 1
        return torch.cat([functional.pad(row, (0, frames - row.shape[-1])) for row in rows])

    layer.forward = by_row
    try:
        yield
    finally:
        del layer.forward


def _normalises_time(module: torch.nn.Module) -> bool:
    return isinstance(module, torch.nn.GroupNorm) and module.num_groups == module.num_channels

"""Speech recognition: the text that is spoken in a recording, with times where they are asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from ..utils import logging
from .audio_inputs import AudioPipeline, open_audio, open_entry
from .base import ChunkPipeline
from .image_inputs import given

logger = logging.get_logger(__name__)

Stride = tuple[int, int, int]  # length, and how much of it the left and the right neighbour hold too


class AutomaticSpeechRecognitionPipeline(AudioPipeline, ChunkPipeline):
    """Transcribes recordings with a CTC model (its best token for each frame, or with a language model), or with an
    encoder-decoder.

    Task: "automatic-speech-recognition".

    Args:
        model: The model.
        feature_extractor: Prepares samples.
        tokenizer: Makes text of tokens.
        decoder: A `BeamSearchDecoderCTC` of pyctcdecode: decode with its language model.
        chunk_length_s: Cut long recordings into pieces of so many seconds, so that they fit into memory.
        stride_length_s: Seconds that pieces have in common with their neighbours, on each side (one number, or left and
            right): what a piece says there is dropped. By default a sixth of the piece.
        return_timestamps: "char" or "word": also return when each was said.
        decoder_kwargs: Arguments for the decoder.
        generate_kwargs, max_new_tokens: Arguments for `generate`, for encoder-decoders.
    """

    def __init__(
        self,
        model: Any,
        feature_extractor: Any = None,
        tokenizer: Any = None,
        decoder: Any = None,
        modelcard: Any = None,
        framework: str | None = None,
        task: str = "",
        args_parser: Any = None,
        device: Any = None,
        torch_dtype: Any = None,
        binary_output: bool = False,
        **kwargs: Any,
    ) -> None:
        from ..models.auto import modeling_auto as tables

        named = str(getattr(feature_extractor, "_processor_class", None))
        if type(model).__name__ in tables.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES.values():
            self.type = "seq2seq"
        elif named.endswith("WithLM") and decoder is not None:
            self.type, self.decoder = "ctc_with_lm", decoder
        else:
            self.type = "ctc"
        super().__init__(
            model=model,
            feature_extractor=feature_extractor,
            tokenizer=tokenizer,
            modelcard=modelcard,
            framework=framework,
            task=task,
            args_parser=args_parser,
            device=device,
            torch_dtype=torch_dtype,
            binary_output=binary_output,
            **kwargs,
        )
        self.check_model_type({**tables.MODEL_FOR_CTC_MAPPING_NAMES, **tables.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES})

    def _sanitize_parameters(
        self,
        chunk_length_s: float | None = None,
        stride_length_s: Any = None,
        ignore_warning: bool | None = None,
        decoder_kwargs: dict[str, Any] | None = None,
        return_timestamps: Any = None,
        return_language: bool | None = None,
        generate_kwargs: dict[str, Any] | None = None,
        max_new_tokens: int | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if chunk_length_s is not None and self.type == "seq2seq" and not ignore_warning:
            logger.warning(
                "`chunk_length_s` with an encoder-decoder is an experiment: texts of neighbouring pieces are joined "
                "where they agree, and words at the seams may be wrong."
            )
        if return_language:
            raise ValueError("Only Whisper can return language for now.")
        self._check_timestamps(return_timestamps)
        generate_kwargs = dict(generate_kwargs or {})
        if max_new_tokens is not None:
            if generate_kwargs.get("max_new_tokens", max_new_tokens) != max_new_tokens:
                raise ValueError(
                    "`max_new_tokens` is given twice, as an argument and in `generate_kwargs`: give it once"
                )
            generate_kwargs["max_new_tokens"] = max_new_tokens
        return (
            given(chunk_length_s=chunk_length_s, stride_length_s=stride_length_s),
            {"generate_kwargs": generate_kwargs} if generate_kwargs else {},
            given(decoder_kwargs=decoder_kwargs, return_timestamps=return_timestamps),
        )

    def _check_timestamps(self, kind: Any) -> None:
        if not kind:
            return
        if self.type == "seq2seq":
            raise ValueError("We cannot return_timestamps yet on non-CTC models apart from Whisper!")
        if self.type == "ctc_with_lm" and kind != "word":
            raise ValueError("CTC with LM can only predict word level timestamps, set `return_timestamps='word'`")
        if kind not in ("char", "word"):
            raise ValueError(
                "CTC can either predict character level timestamps, or word level timestamps: set "
                f"`return_timestamps='char'` or `return_timestamps='word'`, found {kind!r}"
            )

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Transcribe.

        Args:
            inputs: A path, URL, the bytes of a file, an array (samples,) of the model's sampling rate, a dictionary
                `{"array" or "raw", "sampling_rate"}`, or many of these. The dictionary may hold "stride" (left, right),
                the samples at either end that are only context; its other entries are returned in the result.

        Returns:
            For each recording `{"text": …}`; with `return_timestamps` also "chunks", a list of
            `{"text", "timestamp": (start, end)}` in seconds.
        """
        return super().__call__(inputs, **kwargs)

    def preprocess(
        self, inputs: Any, chunk_length_s: float = 0, stride_length_s: Any = None
    ) -> Iterator[dict[str, Any]]:
        rate, stride, extra = self._sampling_rate, None, {}
        if isinstance(inputs, dict):
            extra = dict(inputs)
            stride = extra.pop("stride", None)
            audio, given_rate = open_entry(extra, rate)
            if stride is not None:
                stride = self._given_stride(stride, len(audio), rate / given_rate)
        else:
            audio = open_audio(inputs, rate)
        if chunk_length_s:
            sizes = self._chunk_sizes(chunk_length_s, stride_length_s)
            for piece in chunk_iter(audio, self._features, *sizes):
                yield {**piece, **extra}
            return
        features = dict(self._features(audio))
        if stride is not None:
            if self.type == "seq2seq":
                raise ValueError("Stride is only usable with CTC models, try removing it !")
            features["stride"] = stride
        yield {"is_last": True, **features, **extra}

    def _given_stride(self, stride: Any, length: int, ratio: float) -> Stride:
        left, right = (round(part * ratio) for part in stride)
        if left + right > length:
            raise ValueError(f"Stride is too large for input: {left} + {right} samples of {length} would be context")
        return length, left, right

    def _chunk_sizes(self, chunk_length_s: float, stride_length_s: Any) -> tuple[int, int, int]:
        """Samples of a piece and of its overlaps, in whole frames."""
        stride = chunk_length_s / 6 if stride_length_s is None else stride_length_s
        left, right = (stride, stride) if isinstance(stride, (int, float)) else stride
        unit = getattr(self.model.config, "inputs_to_logits_ratio", 1)
        length, left, right = (
            int(round(seconds * self._sampling_rate / unit) * unit) for seconds in (chunk_length_s, left, right)
        )
        if length < left + right:
            raise ValueError("Chunk length must be superior to stride length")
        return length, left, right

    def _forward(self, model_inputs: Any, generate_kwargs: dict[str, Any] | None = None) -> dict[str, Any]:
        rest = dict(model_inputs)
        stride = rest.pop("stride", None)
        names = [name for name in ("input_values", "input_features", "attention_mask") if name in rest]
        inputs = {name: rest.pop(name) for name in names}
        output: dict[str, Any] = {"is_last": rest.pop("is_last")}
        if self.type == "seq2seq":
            output["tokens"] = self._generate(inputs, generate_kwargs or {})
        else:
            logits = self._silent_padding(self._run(inputs).logits, inputs.get("attention_mask"))
            output.update({"logits": logits} if self.type == "ctc_with_lm" else {"tokens": logits.argmax(-1)})
            if stride is not None:
                output["stride"] = rescale_stride(stride, 1 / self.model.config.inputs_to_logits_ratio)
        return {**output, **rest}

    def _generate(self, inputs: dict[str, torch.Tensor], generate_kwargs: dict[str, Any]) -> torch.Tensor:
        mask = inputs.get("attention_mask")
        name = "input_features" if "input_features" in inputs else "input_values"
        encoded = self.model.get_encoder()(inputs[name], attention_mask=mask)
        return self.model.generate(encoder_outputs=encoded, attention_mask=mask, **generate_kwargs)

    def _silent_padding(self, logits: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """The logits, with frames that are padding made certain blanks, which decode to nothing."""
        if mask is None or mask.all():
            return logits
        frames = self.model._get_feat_extract_output_lengths(mask.sum(-1))
        padding = torch.arange(logits.shape[1], device=logits.device) >= frames[:, None]
        blank = torch.full_like(logits[0, 0], torch.finfo(logits.dtype).min / 2)
        blank[self.tokenizer.pad_token_id] = 0
        return torch.where(padding[..., None], blank, logits)

    def postprocess(
        self,
        model_outputs: list[dict[str, Any]],
        decoder_kwargs: dict[str, Any] | None = None,
        return_timestamps: Any = None,
        return_language: bool | None = None,
    ) -> dict[str, Any]:
        pieces, extra = [], defaultdict(list)
        strided = False
        for output in model_outputs:
            piece = output.pop("logits").float().numpy() if "logits" in output else output.pop("tokens").numpy()
            stride = output.pop("stride", None)
            strided = strided or stride is not None
            if stride is not None and self.type != "seq2seq":
                length, left, right = stride
                piece = piece[:, left : length - right]
            pieces.append(piece)
            output.pop("is_last", None)
            for key, value in output.items():
                extra[key].append(value)
        result: dict[str, Any]
        if self.type == "ctc_with_lm":
            result = self._decode_with_lm(np.concatenate(pieces, 1)[0], decoder_kwargs or {}, return_timestamps)
        else:
            result = self._decode(pieces, strided, return_timestamps)
        return {**result, **extra}

    def _decode(self, pieces: list[np.ndarray], strided: bool, return_timestamps: Any) -> dict[str, Any]:
        if self.type == "seq2seq":
            tokens = _join(pieces, self.tokenizer) if strided else np.concatenate(pieces, 1)[0]
            return {"text": self.tokenizer.decode(tokens, skip_special_tokens=True)}
        tokens = np.concatenate(pieces, 1)[0]
        result = {"text": self.tokenizer.decode(tokens, skip_special_tokens=False)}
        if return_timestamps:
            decoded = self.tokenizer.decode(tokens, skip_special_tokens=False, output_char_offsets=True)
            offsets = decoded["char_offsets"]
            if return_timestamps == "word":
                offsets = self.tokenizer._get_word_offsets(offsets, self.tokenizer.replace_word_delimiter_char)
            result["chunks"] = self._timed(offsets, return_timestamps)
        return result

    def _decode_with_lm(self, logits: np.ndarray, decoder_kwargs: dict[str, Any], timestamps: Any) -> dict[str, Any]:
        best = self.decoder.decode_beams(logits, **decoder_kwargs)[0]
        result: dict[str, Any] = {"text": best[0]}
        if timestamps:
            offsets = [{"word": word, "start_offset": start, "end_offset": end} for word, (start, end) in best[2]]
            result["chunks"] = self._timed(offsets, "word")
        return result

    def _timed(self, offsets: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
        """Offsets in frames to times in seconds."""
        frame = self.model.config.inputs_to_logits_ratio / self._sampling_rate
        return [
            {"text": item[kind], "timestamp": (item["start_offset"] * frame, item["end_offset"] * frame)}
            for item in offsets
        ]


def rescale_stride(stride: Any, ratio: float) -> Any:
    """Strides in samples to strides in frames; a list for a list."""
    if isinstance(stride, list):
        return [rescale_stride(part, ratio) for part in stride]
    length, left, right = stride
    frames = round(length * ratio)
    return frames, round(left / length * frames), round(right / length * frames)


def chunk_iter(
    inputs: np.ndarray, features: Any, chunk_len: int, stride_left: int, stride_right: int
) -> Iterator[dict[str, Any]]:
    """Model inputs for overlapping pieces of a recording, each with its `stride`; the last with `is_last`.

    Args:
        inputs: Samples.
        features: From samples to model inputs.
        chunk_len, stride_left, stride_right: Samples of a piece, and of its overlaps.
    """
    total = len(inputs)
    for start in range(0, total, chunk_len - stride_left - stride_right):
        end = start + chunk_len
        piece = inputs[start:end]
        left = 0 if start == 0 else stride_left
        last = end > total if stride_right > 0 else end >= total
        if len(piece) > left:
            stride = (len(piece), left, 0 if last else stride_right)
            yield {"is_last": last, "stride": stride, **features(piece)}
        if last:
            return


def _join(sequences: list[np.ndarray], tokenizer: Any) -> list[int]:
    """Token sequences of overlapping pieces as one: each follows the last where their ends agree best."""
    special = set(tokenizer.all_special_ids)
    rows = [[token for token in sequence[0].tolist() if token not in special] for sequence in sequences]
    joined = rows[0]
    for row in rows[1:]:
        best, overlap = 0.0, 0
        for size in range(1, min(len(row), len(joined)) + 1):
            matches = sum(a == b for a, b in zip(joined[-size:], row[:size]))
            agreement = matches / size + size / 10000  # the longer of two that agree equally
            if matches > 1 and agreement > best:
                best, overlap = agreement, size
        joined = joined + row[overlap:]
    return joined

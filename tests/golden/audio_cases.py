"""What both libraries are asked about sounds: signal processing, feature extractors, tokenizers for CTC, masking.

`make_audio.py` runs these with the reference, `tests/audio` with this library.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np


def numbered(*tokens: str) -> dict[str, int]:
    """Tokens with their places as ids, after the usual special ones."""
    return {token: index for index, token in enumerate(("<pad>", "<s>", "</s>", "<unk>", "|", *tokens))}


VOCAB = numbered("e", "t", "a", "o", "n", "i", "'", "z", "ch")
UPPER = numbered("E", "T", "A", "O", "N", "I", "'", "Z", "ch")
NESTED = {"eng": VOCAB, "deu": numbered("ä", "x", "sch", "e")}
PHONES = numbered("a", "ai", "ŋ", "t", "ð")


def wave(length: int, seed: int = 0) -> np.ndarray:
    """A few tones and noise."""
    time, noise = np.arange(length) / 16000, np.random.RandomState(seed).randn(length)
    tones = sum(np.sin(2 * np.pi * frequency * time) for frequency in (220, 440 + 30 * seed, 3000))
    return (0.3 * tones + 0.05 * noise + 0.1).astype(np.float32)


def summary(value: Any) -> Any:
    """Arrays as shape, dtype, mean and some elements; other values as JSON."""
    if hasattr(value, "keys"):
        return {key: summary(value[key]) for key in sorted(value.keys())}
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray) and value.dtype != object:
        real = np.abs(value) if np.iscomplexobj(value) else value
        flat = real.astype(np.float64).ravel()
        picked = flat[np.linspace(0, flat.size - 1, 9).astype(int)] if flat.size else flat
        return {"shape": list(value.shape), "dtype": str(value.dtype), "mean": float(flat.mean()) if flat.size else 0.0,
                "some": picked.tolist()}  # fmt: skip
    if isinstance(value, (list, tuple, np.ndarray)):
        return [summary(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def signals(library: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    audio = importlib.import_module(f"{library}.audio_utils")
    for scale in ("htk", "slaney", "kaldi"):
        yield f"hertz_to_mel {scale}", lambda s=scale: audio.hertz_to_mel(np.array([0.0, 999.0, 1000.0, 7000.0]), s)
        yield f"mel_to_hertz {scale}", lambda s=scale: audio.mel_to_hertz(np.array([0.0, 14.0, 15.0, 40.0]), s)
        for norm in (None, "slaney"):
            for in_mel in (False, True):
                yield (
                    f"filters {scale} {norm} {in_mel}",
                    lambda s=scale, n=norm, m=in_mel: audio.mel_filter_bank(201, 20, 20.0, 7600.0, 16000, n, s, m),
                )
    for name in ("boxcar", "hamming", "hann", "povey"):
        for periodic in (True, False):
            yield (
                f"window {name} {periodic}",
                lambda n=name, p=periodic: audio.window_function(25, n, p, 32, center=p),
            )
    yield "fft length", lambda: [audio.optimal_fft_length(n) for n in (1, 2, 3, 400, 512, 513)]
    filters = audio.mel_filter_bank(201, 20, 0.0, 8000.0, 16000)
    hann = audio.window_function(400)
    options: list[dict[str, Any]] = [
        {},
        {"power": 2.0, "mel_filters": filters, "log_mel": "dB", "db_range": 60.0},
        {"power": 1.0, "mel_filters": filters, "log_mel": "dB", "reference": 3.0},
        {"power": 2.0, "mel_filters": filters, "log_mel": "log10", "center": False, "remove_dc_offset": True},
        {"power": None, "preemphasis": 0.97, "pad_mode": "constant"},
        {"power": 0.5, "onesided": False, "fft_length": 512},
        {"power": 2.0, "log_mel": "log", "mel_filters": filters, "mel_floor": 1e-3, "preemphasis": 0.9},
    ]
    for index, option in enumerate(options):
        yield f"spectrogram {index}", lambda o=option: audio.spectrogram(wave(2500), hann, 400, 160, **o)
    yield "power_to_db", lambda: audio.power_to_db(np.array([[1e-12, 1.0, 30.0]]), 2.0, 1e-8, 50.0)
    yield "amplitude_to_db", lambda: audio.amplitude_to_db(np.array([[1e-12, 1.0, 30.0]]), 2.0, 1e-8, 50.0)


def extractors(library: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    base = f"{library}.models"
    speech = importlib.import_module(f"{base}.wav2vec2.feature_extraction_wav2vec2").Wav2Vec2FeatureExtractor
    clap = importlib.import_module(f"{base}.clap.feature_extraction_clap").ClapFeatureExtractor
    waves = [wave(50), wave(31, 1), wave(44, 2)]
    calls: list[dict[str, Any]] = [
        {"padding": False},
        {"padding": True, "return_tensors": "np"},
        {"padding": "max_length", "max_length": 60, "return_tensors": "np"},
        {"padding": "max_length", "max_length": 40, "truncation": True, "pad_to_multiple_of": 8},
        {"padding": "longest", "return_attention_mask": True, "return_tensors": "np", "pad_to_multiple_of": 16},
    ]
    for index, options in enumerate(calls):
        for side in ("right", "left"):
            for normalize in (True, False):
                yield (
                    f"speech {index} {side} {normalize}",
                    lambda o=options, s=side, n=normalize: speech(padding_side=s, do_normalize=n, padding_value=0.5)(
                        waves, sampling_rate=16000, **o
                    ),
                )
    sizes = {"sampling_rate": 4800, "hop_length": 48, "max_length_s": 1, "fft_window_size": 256, "frequency_max": 2000}
    for truncation in ("fusion", "rand_trunc"):
        for padding in ("repeat", "repeatpad", "pad"):

            def run(truncation: str = truncation, padding: str = padding) -> Any:
                np.random.seed(0)
                extractor = clap(truncation=truncation, padding=padding, **sizes)
                sounds = [wave(1500), wave(4800), wave(9000, 1), wave(4830)]
                return extractor(sounds, sampling_rate=4800, return_tensors="np")

            yield f"clap {truncation} {padding}", run
    yield "clap settings", lambda: json.loads(clap(**sizes).to_json_string())


def tokenizers(library: str, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    base = f"{library}.models"
    characters = importlib.import_module(f"{base}.wav2vec2.tokenization_wav2vec2").Wav2Vec2CTCTokenizer
    phones = importlib.import_module(f"{base}.wav2vec2_phoneme.tokenization_wav2vec2_phoneme")
    tables = {"plain": VOCAB, "upper": UPPER, "nested": NESTED, "phones": PHONES}
    for name, table in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(table))
    made = {
        "plain": characters(folder / "plain.json"),
        "upper": characters(folder / "upper.json", do_lower_case=True, replace_word_delimiter_char="_"),
        "nested": characters(folder / "nested.json", target_lang="deu"),
    }
    texts = ["ten ate", "  no<pad>te chi", "<s>a'e</s>", "zebra sche x", ""]
    rows = [[5, 5, 0, 5, 4, 4, 6, 7, 7, 0], [4, 13, 13, 2, 1, 4, 8, 99 % 14], [0, 0], [7, 7, 3, 6, 4, 4, 0, 4, 5]]
    options: list[dict[str, Any]] = [
        {},
        {"skip_special_tokens": True},
        {"group_tokens": False, "spaces_between_special_tokens": True},
        {"output_word_offsets": True, "output_char_offsets": True},
        {"output_word_offsets": True, "group_tokens": False},
    ]
    for name, tokenizer in made.items():
        yield f"tokens {name}", lambda t=tokenizer: [t.tokenize(text) for text in texts]
        yield f"ids {name}", lambda t=tokenizer: t(texts, padding=True)
        for index, option in enumerate(options):
            yield f"decode {name} {index}", lambda t=tokenizer, o=option: [t.decode(row, **o) for row in rows]
        yield f"batch {name}", lambda t=tokenizer: t.batch_decode(rows, output_char_offsets=True)
    yield "language", lambda: [made["nested"].set_target_lang("eng"), made["nested"]("ten"), made["nested"].target_lang]
    tokenizer = phones.Wav2Vec2PhonemeCTCTokenizer(folder / "phones.json", do_phonemize=False, word_delimiter_token="|")
    yield "phones", lambda: [tokenizer("t ai | ð a ŋ"), tokenizer.tokenize("t ai q"), tokenizer.word_delimiter_token_id]
    for index, option in enumerate(
        [{}, {"filter_word_delimiter_token": False}, {"output_char_offsets": True}, {"group_tokens": False}]
    ):
        yield f"phones {index}", lambda o=option: tokenizer.batch_decode([[6, 6, 0, 4, 7, 8, 8]], **o)


def masks(library: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    model = importlib.import_module(f"{library}.models.wav2vec2.modeling_wav2vec2")
    import torch

    padding = torch.ones(3, 60, dtype=torch.long)
    padding[1, 30:] = 0
    padding[2, 9:] = 0

    def spans(seed: int, *args: Any) -> Any:
        np.random.seed(seed)
        return np.flatnonzero(model._compute_mask_indices((3, 60), *args)).tolist()

    for seed in range(4):
        yield f"spans {seed}", lambda s=seed: spans(s, 0.3, 5)
        yield f"spans padded {seed}", lambda s=seed: spans(s, 0.2, 6, padding, 2)

    def negatives(seed: int) -> Any:
        np.random.seed(seed)
        chosen = np.random.rand(2, 9) < 0.6
        return model._sample_negative_indices((2, 9), 4, chosen).tolist()

    for seed in range(3):
        yield f"negatives {seed}", lambda s=seed: negatives(s)


def cases(library: str, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Names, and functions that compute what is to be compared."""
    yield from signals(library)
    yield from extractors(library)
    yield from tokenizers(library, folder)
    yield from masks(library)

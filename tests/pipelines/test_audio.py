"""Decoding, resampling, cutting and opening of recordings; speech recognition beyond the golden cases."""

from __future__ import annotations

import io
import json
import math
import sys
import types
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import isoform
from isoform.pipelines import audio_utils
from isoform.pipelines.audio_inputs import open_audio, padding_ignored
from isoform.pipelines.audio_utils import chunk_bytes_iter, decode_wav, ffmpeg_read, resample
from isoform.pipelines.automatic_speech_recognition import _join
from tests.golden.media_cases import PIPELINES, sound, wav

PIECES = json.loads((Path(__file__).parent.parent / "golden" / "audio_pieces.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", PIECES["cut"])
def test_streams_are_cut_as_by_the_reference(case: Any) -> None:
    parts, size, stride, stream, expected = case
    stream_of = (part.encode() for part in parts)
    if expected == "ValueError":
        with pytest.raises(ValueError, match="strictly smaller"):
            list(chunk_bytes_iter(stream_of, size, stride, stream))
        return
    found = list(chunk_bytes_iter(stream_of, size, stride, stream))
    assert [{**piece, "raw": piece["raw"].decode(), "stride": list(piece["stride"])} for piece in found] == expected


@pytest.mark.parametrize("case", PIECES["joined"])
def test_sequences_are_joined_as_by_the_reference(case: Any) -> None:
    rows, expected = case
    tokenizer = types.SimpleNamespace(all_special_ids=[0])
    assert _join([np.array([row]) for row in rows], tokenizer) == expected


def _file(samples: np.ndarray, width: int, channels: int = 1, rate: int = 8000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_wav_of_each_width(width: int) -> None:
    values = np.array([0.0, 0.5, -0.5, 0.25, -1.0])
    numbers = np.round(values * 2 ** (8 * width - 1)).astype(np.int64)
    if width == 1:
        raw = (numbers + 128).astype(np.uint8)
    elif width == 3:
        raw = np.ascontiguousarray(numbers.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3])
    else:
        raw = numbers.astype(f"<i{width}")
    audio, rate = decode_wav(_file(raw, width)) or (None, None)
    assert rate == 8000
    assert audio is not None and audio.dtype == np.float32
    np.testing.assert_allclose(audio, values, atol=1e-6)


def test_wav_of_floats_with_other_chunks_and_channels() -> None:
    left, right = sound(0.1), sound(0.1, seed=1)
    frames = np.stack([left, right], 1).astype("<f4").tobytes()
    fmt = b"fmt " + (16).to_bytes(4, "little") + np.array([3, 2], "<u2").tobytes()
    fmt += np.array([8000, 64000], "<u4").tobytes() + np.array([8, 32], "<u2").tobytes()
    note = b"LIST" + (3).to_bytes(4, "little") + b"abc\0"  # chunks are padded to even sizes
    body = b"WAVE" + note + fmt + b"data" + len(frames).to_bytes(4, "little") + frames
    found = decode_wav(b"RIFF" + len(body).to_bytes(4, "little") + body)
    assert found is not None and found[1] == 8000
    np.testing.assert_allclose(found[0], (left + right) / 2, atol=1e-7)


@pytest.mark.parametrize(
    "payload", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0", b"no sound"]
)
def test_what_is_no_wav_is_left_to_others(payload: bytes) -> None:
    assert decode_wav(payload) is None


def test_without_decoder_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ValueError, match=r"ffmpeg was not found.*pip install soundfile"):
        ffmpeg_read(b"OggS and so on", 16000)


def _program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Puts a program named ffmpeg into the path."""
    path = folder / "ffmpeg"
    path.write_text(f"#!{sys.executable}\nimport sys, numpy as np\n{script}")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_other_formats_go_through_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    script = """
data = sys.stdin.buffer.read()
rate = int(sys.argv[sys.argv.index("-ar") + 1])
assert sys.argv[sys.argv.index("-ac") + 1] == "1" and sys.argv[sys.argv.index("-f") + 1] == "f32le"
sys.stdout.buffer.write(np.full(len(data), rate, np.float32).tobytes() if data != b"broken" else b"")
"""
    _program(tmp_path, monkeypatch, script)
    np.testing.assert_array_equal(ffmpeg_read(b"12345", 16000), np.full(5, 16000, np.float32))
    with pytest.raises(ValueError, match="6 bytes could not be decoded"):
        ffmpeg_read(b"broken", 16000)


def test_live_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path, monkeypatch, "sys.stdout.buffer.write(np.arange(2500, dtype='<i2').tobytes())")
    monkeypatch.setattr(audio_utils.platform, "system", lambda: "Linux")
    pieces = list(audio_utils.ffmpeg_microphone_live(1000, 1.0, stream_chunk_s=0.5, format_for_conversion="s16le"))
    whole = [piece for piece in pieces if not piece["partial"]]
    assert [piece["partial"] for piece in pieces][:2] == [True, False]
    assert all(piece["sampling_rate"] == 1000 for piece in pieces)
    spoken = np.concatenate([p["raw"][p["stride"][0] : len(p["raw"]) - p["stride"][1]] for p in whole])
    np.testing.assert_array_equal(spoken, np.arange(2500))
    assert whole[0]["stride"] == (0, 167)
    with pytest.raises(ValueError, match="s16le, f32le"):
        audio_utils.ffmpeg_microphone(1000, 1.0, "mp3")


@pytest.mark.parametrize(("rate", "new_rate"), [(8000, 16000), (44100, 16000), (16000, 8000), (7, 5)])
def test_resampling_keeps_a_tone(rate: int, new_rate: int) -> None:
    tone = 0.02 * rate * min(1, new_rate / rate)
    samples = np.sin(2 * np.pi * tone * np.arange(4000) / rate).astype(np.float32)
    found = resample(samples, rate, new_rate)
    assert len(found) == math.ceil(4000 * new_rate / rate)
    expected = np.sin(2 * np.pi * tone * np.arange(len(found)) / new_rate)
    inner = slice(100, -100)
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-3)


def test_resampling_removes_what_the_lower_rate_cannot_hold() -> None:
    samples = np.sin(2 * np.pi * 5000 * np.arange(4000) / 16000).astype(np.float32)
    assert np.abs(resample(samples, 16000, 8000)[50:-50]).max() < 0.02


def test_recordings_in_every_form(tmp_path: Path) -> None:
    samples = (np.round(sound() * 32767) / 32768).astype(np.float32)
    path = tmp_path / "one.wav"
    path.write_bytes(wav(sound()))
    forms = [path, str(path), path.read_bytes(), samples, torch.from_numpy(samples)]
    forms += [{"array": samples, "sampling_rate": 8000}, {"raw": samples, "sampling_rate": 8000, "path": None}]
    for form in forms:
        np.testing.assert_allclose(open_audio(form, 8000), samples, atol=5e-5)
    assert len(open_audio(path, 16000)) == 2 * len(samples)
    with pytest.raises(FileNotFoundError, match=r"no recording 'two\.wav'"):
        open_audio("two.wav", 8000)
    with pytest.raises(ValueError, match=r"shape \(2, 800\)"):
        open_audio(np.zeros((2, 800), np.float32), 8000)
    with pytest.raises(ValueError, match="sampling_rate"):
        open_audio({"array": samples}, 8000)


def test_a_dictionary_is_resampled_with_its_stride_and_not_changed() -> None:
    pipe = PIPELINES["write"](isoform)
    entry = {"raw": sound(0.8, 16000), "sampling_rate": 16000, "stride": (1600, 3200)}
    expected = pipe({"raw": resample(entry["raw"], 16000, 8000), "sampling_rate": 8000, "stride": (800, 1600)})
    assert pipe(entry) == expected
    assert set(entry) == {"raw", "sampling_rate", "stride"}


def test_files_and_generators(tmp_path: Path) -> None:
    pipe = PIPELINES["write"](isoform)
    paths = []
    for index, length in enumerate((0.4, 0.9, 0.3)):
        paths.append(tmp_path / f"{index}.wav")
        paths[-1].write_bytes(wav(sound(length, seed=index)))
    alone = [pipe(str(path)) for path in paths]
    assert list(pipe((str(path) for path in paths), batch_size=2)) == alone
    assert list(pipe((path.read_bytes() for path in paths), batch_size="auto")) == alone


def test_the_language_model_decodes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Decoder:
        """Says which shape of logits it was given, as pyctcdecode would: text, state, words and frames, scores."""

        loaded_from = None

        def decode_beams(self, logits: np.ndarray, beam_width: int = 100) -> list[Any]:
            return [(f"{logits.shape} {beam_width}", None, [("a", (0, 5)), ("b", (6, 8))], -1.0, -2.0)]

        @classmethod
        def load_from_dir(cls, folder: str) -> Any:
            decoder = cls()
            decoder.loaded_from = folder
            return decoder

    plain = PIPELINES["write"](isoform)
    plain.feature_extractor._processor_class = "Wav2Vec2ProcessorWithLM"
    parts = {"feature_extractor": plain.feature_extractor, "tokenizer": plain.tokenizer}
    pipe = isoform.pipeline("automatic-speech-recognition", model=plain.model, decoder=Decoder(), **parts)
    assert pipe.type == "ctc_with_lm"
    result = pipe(sound(0.8), return_timestamps="word", decoder_kwargs={"beam_width": 7})
    assert result["text"].endswith("7")
    assert result["chunks"] == [{"text": "a", "timestamp": (0, 0.05)}, {"text": "b", "timestamp": (0.06, 0.08)}]
    with pytest.raises(ValueError, match="word level"):
        pipe(sound(0.8), return_timestamps="char")

    pipe.save_pretrained(tmp_path)
    monkeypatch.setitem(sys.modules, "pyctcdecode", types.SimpleNamespace(BeamSearchDecoderCTC=Decoder))
    loaded = isoform.pipeline("automatic-speech-recognition", model=str(tmp_path))
    assert loaded.decoder.loaded_from == str(tmp_path)
    monkeypatch.setitem(sys.modules, "pyctcdecode", None)
    assert isoform.pipeline("automatic-speech-recognition", model=str(tmp_path)).type == "ctc"


def test_padding_is_ignored_only_inside() -> None:
    model = PIPELINES["write"](isoform).model
    samples = torch.from_numpy(np.stack([sound(0.8), sound(0.8, seed=1)]))
    mask = torch.ones(2, 6400, dtype=torch.long)
    mask[0, 4000:] = 0
    with torch.no_grad():
        before = model(samples).logits
        with padding_ignored(model, mask.sum(-1)):
            inside = model(samples * mask, attention_mask=mask).logits
        alone = model(samples[:1, :4000]).logits
        assert torch.equal(model(samples).logits, before)
    torch.testing.assert_close(inside[:1, : alone.shape[1]], alone, atol=1e-5, rtol=1e-5)

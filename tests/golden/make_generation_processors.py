"""Makes the expected values of the tests of processors, beam scorers and streamers, with the reference.

    python tests/golden/make_generation_processors.py

Needs transformers 4.36.2. Writes inputs and outputs to processors.safetensors and beams.safetensors, whose
metadata hold the cases as JSON, and to streams.json, all in tests/golden/generation.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers.generation import beam_constraints, beam_search, logits_process
from transformers.generation.streamers import TextStreamer

HERE = Path(__file__).parent
FOLDER = HERE / "generation"
sys.path.insert(0, str(HERE.parent / "generation"))

import scorer_cases  # noqa: E402
import stream_cases  # noqa: E402

VOCABULARY = 24
RANDOM = torch.Generator().manual_seed(0)

IDS = torch.tensor(
    [
        [3, 1, 2, 3, 1, 5, 1, 2, 3, 1],
        [7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
        [4, 9, 4, 9, 8, 4, 9, 4, 9, 4],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    ]
)
ENCODER_IDS = torch.tensor([[3, 1, 12, 9, 4], [4, 9, 4, 17, 17]])
# After the begin, at index 3: nothing, one timestamp, a pair, a pair and text.
WHISPER_IDS = torch.tensor([[1, 2, 3, 4, 5, 4], [1, 2, 3, 4, 5, 15], [1, 2, 3, 14, 16, 16], [1, 2, 3, 15, 15, 4]])
BIAS = [[[1], 2.5], [[3, 1, 2], -1.0], [[1, 2], 4.0], [[9, 4, 9], float("-inf")], [[7, 7, 7, 7, 7, 7, 7, 7, 7, 7], 1.5]]
WHISPER = {"eos_token_id": 11, "no_timestamps_token_id": 12, "forced_decoder_ids": [[1, 2], [2, 3]]}

# Class, arguments, tokens, further arguments of the call. "tensor:x" stands for a tensor, "config:{…}" for an object.
PROCESSORS = [
    ("MinLengthLogitsProcessor", [11, 5], "ids", {}),
    ("MinLengthLogitsProcessor", [11, [5, 7]], "ids", {}),
    ("MinLengthLogitsProcessor", [10, 5], "ids", {}),
    ("MinNewTokensLengthLogitsProcessor", [7, 4, 5], "ids", {}),
    ("MinNewTokensLengthLogitsProcessor", [7, 3, [5, 6]], "ids", {}),
    ("ExponentialDecayLengthPenalty", [[2, 1.3], 5, 4], "ids", {}),
    ("ExponentialDecayLengthPenalty", [[2, 1.3], [5, 6], 8], "ids", {}),
    ("TemperatureLogitsWarper", [0.7], "ids", {}),
    ("TopKLogitsWarper", [3], "ids", {}),
    ("TopKLogitsWarper", [2, -1.0, 4], "ids", {}),
    ("TopKLogitsWarper", [100], "ids", {}),
    *[("TopPLogitsWarper", [p], "ids", {}) for p in (0.0, 0.3, 0.8, 0.99, 1.0)],
    ("TopPLogitsWarper", [0.1, -5.0, 3], "ids", {}),
    *[("TypicalLogitsWarper", [p], "ids", {}) for p in (0.1, 0.5, 0.95)],
    ("TypicalLogitsWarper", [0.2, -7.0, 6], "ids", {}),
    *[("EpsilonLogitsWarper", [p], "ids", {}) for p in (0.01, 0.06, 0.9)],
    ("EpsilonLogitsWarper", [0.9, -7.0, 3], "ids", {}),
    *[("EtaLogitsWarper", [p], "ids", {}) for p in (0.01, 0.2, 0.9)],
    ("EtaLogitsWarper", [0.9, -7.0, 3], "ids", {}),
    ("RepetitionPenaltyLogitsProcessor", [1.7], "ids", {}),
    ("RepetitionPenaltyLogitsProcessor", [0.6], "ids", {}),
    ("EncoderRepetitionPenaltyLogitsProcessor", [1.7, "tensor:ids"], "ids", {}),
    *[("NoRepeatNGramLogitsProcessor", [n], "ids", {}) for n in (1, 2, 3, 4, 10, 11, 12)],
    *[("EncoderNoRepeatNGramLogitsProcessor", [n, "tensor:encoder_ids"], "ids", {}) for n in (1, 2, 3, 6)],
    ("EncoderNoRepeatNGramLogitsProcessor", [3, "tensor:encoder_ids"], "short_ids", {}),
    ("HammingDiversityLogitsProcessor", [1.5, 4, 2], "ids", {"current_tokens": "tensor:current", "beam_group_idx": 1}),
    ("HammingDiversityLogitsProcessor", [1.5, 4, 2], "ids", {"current_tokens": "tensor:current", "beam_group_idx": 0}),
    ("HammingDiversityLogitsProcessor", [0.3, 4, 4], "ids2", {"current_tokens": "tensor:current", "beam_group_idx": 3}),
    ("SequenceBiasLogitsProcessor", [BIAS], "ids", {}),
    ("SequenceBiasLogitsProcessor", [BIAS], "short_ids", {}),
    ("SequenceBiasLogitsProcessor", [BIAS[:1]], "ids", {}),
    ("NoBadWordsLogitsProcessor", [[[1], [3, 1], [9, 4, 9], [5]], 5], "ids", {}),
    ("NoBadWordsLogitsProcessor", [[[1], [2]], None], "ids", {}),
    ("NoBadWordsLogitsProcessor", [[[1, 2], [4, 9]], [5]], "ids", {}),
    ("ForcedBOSTokenLogitsProcessor", [4], "one_id", {}),
    ("ForcedBOSTokenLogitsProcessor", [4], "ids", {}),
    ("ForcedEOSTokenLogitsProcessor", [11, 5], "ids", {}),
    ("ForcedEOSTokenLogitsProcessor", [11, [5, 6]], "ids", {}),
    ("ForcedEOSTokenLogitsProcessor", [12, 5], "ids", {}),
    ("SuppressTokensLogitsProcessor", [[1, 8, 9]], "ids", {}),
    ("SuppressTokensAtBeginLogitsProcessor", [[1, 8, 9], 10], "ids", {}),
    ("SuppressTokensAtBeginLogitsProcessor", [[1, 8, 9], 9], "ids", {}),
    ("ForceTokensLogitsProcessor", [[[1, 4], [10, 6]]], "ids", {}),
    ("ForceTokensLogitsProcessor", [[[1, 4], [10, None]]], "ids", {}),
    ("LogitNormalization", [], "ids", {}),
    ("ClassifierFreeGuidanceLogitsProcessor", [1.5], "ids2", {}),
    ("AlternatingCodebooksLogitsProcessor", [4, 8, 8], "ids", {}),
    ("AlternatingCodebooksLogitsProcessor", [3, 8, 8], "ids", {}),
    ("BarkEosPrioritizerLogitsProcessor", [[5], 0.08], "ids", {}),
    ("BarkEosPrioritizerLogitsProcessor", [5, None], "ids", {}),
    *[
        ("WhisperTimeStampLogitsProcessor", ["config:" + json.dumps({**WHISPER, **more})], ids, {})
        for ids in ("whisper_ids", "whisper_one", "whisper_begin")
        for more in ({}, {"max_initial_timestamp_index": 3}, {"_detect_timestamp_from_logprob": False})
    ],
]

EOS_TABLE_BONUS = 1.0
BEAMS = [
    {"num_beams": 4, "max_length": 12, "eos": 5},
    {"num_beams": 4, "max_length": 12, "eos": 5, "keep": 3},
    {"num_beams": 4, "max_length": 12, "eos": [5, 7], "keep": 2, "length_penalty": 2.0},
    {"num_beams": 4, "max_length": 12, "eos": [5, 7], "keep": 2, "length_penalty": -1.0},
    {"num_beams": 3, "max_length": 14, "eos": 5, "early_stopping": True, "keep": 3},
    {"num_beams": 3, "max_length": 14, "eos": 5, "early_stopping": "never", "keep": 3},
    {"num_beams": 3, "max_length": 14, "eos": 5, "early_stopping": "never", "length_penalty": 0.0},
    {
        "num_beams": 3,
        "max_length": 14,
        "eos": 5,
        "early_stopping": "never",
        "length_penalty": 1.5,
        "prompt_counts": True,
    },
    {"num_beams": 2, "max_length": 8, "eos": None, "keep": 2},
    {"num_beams": 4, "max_length": 10, "eos": 5, "with_indices": False},
    {"num_beams": 6, "max_length": 10, "eos": 5, "num_beam_groups": 3, "keep": 4},
    {"num_beams": 4, "max_length": 10, "eos": [5, 6], "num_beam_groups": 2, "keep": 2, "early_stopping": True},
    {"num_beams": 4, "max_length": 12, "eos": 5, "constraints": [[8, 9]]},
    {"num_beams": 4, "max_length": 12, "eos": 5, "constraints": [[8, 9], [10]], "keep": 2},
    {"num_beams": 4, "max_length": 12, "eos": 5, "constraints": [[[8, 9, 4], [10, 3]], [2]], "keep": 2},
    {"num_beams": 6, "max_length": 14, "eos": 5, "constraints": [[8, 8, 9], [[1], [2, 3]]], "early_stopping": True},
    {"num_beams": 3, "max_length": 7, "eos": 5, "constraints": [[8, 9, 8, 9, 8, 10]], "keep": 1, "with_indices": False},
    {
        "num_beams": 4,
        "max_length": 12,
        "eos": 5,
        "constraints": [[8, 9]],
        "early_stopping": "never",
        "length_penalty": 0.5,
    },
]


def make_processors() -> None:
    tensors = {
        "ids": IDS,
        "ids2": IDS[:2].clone(),
        "short_ids": IDS[:, -2:].clone(),
        "one_id": IDS[:, :1].clone(),
        "encoder_ids": ENCODER_IDS,
        "whisper_ids": WHISPER_IDS,
        "whisper_one": WHISPER_IDS[:, :4].clone(),
        "whisper_begin": WHISPER_IDS[:, :3].clone(),
        "current": torch.tensor([3, 3, 8, 1, 2, 9, 9, 9]),
        "scores": torch.randn(4, VOCABULARY, generator=RANDOM) * 2,
    }
    tensors["scores"][1, 3:7] = -float("inf")
    for index, (name, arguments, ids, options) in enumerate(PROCESSORS):
        processor = scorer_cases.build(logits_process, name, arguments, tensors)
        rows = 2 if name.startswith("Hamming") and ids == "ids2" else 4
        options = {key: scorer_cases.resolve(value, tensors) for key, value in options.items()}
        tensors[f"out{index}"] = processor(tensors[ids], tensors["scores"][:rows].clone(), **options)
    strange = torch.tensor([[float("nan"), float("inf"), -float("inf"), 1.0]])
    tensors["strange"] = strange.clone()
    tensors["strange_out"] = logits_process.InfNanRemoveLogitsProcessor()(None, strange)
    metadata = {"cases": json.dumps(PROCESSORS)}
    save_file({k: v.contiguous() for k, v in tensors.items()}, FOLDER / "processors.safetensors", metadata=metadata)


def make_beams() -> None:
    size = scorer_cases.VOCABULARY
    tensors = {"prompt": torch.tensor([[1, 2], [3, 4]])}
    for index, case in enumerate(BEAMS):
        table = torch.randn(size, size, generator=RANDOM) * 1.5
        table[:, 5] += EOS_TABLE_BONUS
        tensors[f"table{index}"] = table
        scorer = scorer_cases.make_scorer(case, beam_search, beam_constraints)
        result = scorer_cases.run(scorer, table, tensors["prompt"], **scorer_cases.search_options(case))
        tensors.update({f"{name}{index}": value for name, value in result.items()})
    metadata = {"cases": json.dumps(BEAMS)}
    save_file({k: v.contiguous() for k, v in tensors.items()}, FOLDER / "beams.safetensors", metadata=metadata)


STREAMS = {
    "words": "The cat sat on the mat. It isn't  mine, is it?",
    "lines": "one\ntwo words\n\nlast",
    "accents": "na\u00efve caf\u00e9 \u2013 Gr\u00f6\u00dfe",
    "ideographs": "\u4e2d\u6587\u5b57\u7b26, \u65e5\u672c\u8a9e \u30c6\u30b9\u30c8 end",
    "emoji": "a \U0001f642\U0001f680 b",
    "long": "a long line with some words and \u4e2d\u6587 in it, " * 8,
    "long-script": "\u0e44\u0e17\u0e22\u0e44\u0e21\u0e48\u0e21\u0e35 " * 20,
}


def make_streams() -> None:
    class Collector(stream_cases.Collects, TextStreamer): ...

    cases = []
    for name, text in STREAMS.items():
        for skip_prompt in (False, True):
            case = {"name": f"{name}-{skip_prompt}", "text": text, "skip_prompt": skip_prompt, "prompt": 4}
            streamer = Collector(stream_cases.byte_tokenizer(), skip_prompt=skip_prompt)
            case["chunks"] = stream_cases.feed(streamer, list(text.encode()), prompt=4).chunks
            cases.append(case)
    (FOLDER / "streams.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    make_streams()
    make_processors()
    make_beams()

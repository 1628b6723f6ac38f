"""Processors of scores: the reference's numbers, its errors, and what is ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from isoform.generation import logits_process as processors
from isoform.generation.logits_process import (
    ClassifierFreeGuidanceLogitsProcessor,
    HammingDiversityLogitsProcessor,
    LogitsProcessor,
    LogitsProcessorList,
    LogitsWarper,
    MinLengthLogitsProcessor,
    NoBadWordsLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    PrefixConstrainedLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    SequenceBiasLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
    UnbatchedClassifierFreeGuidanceLogitsProcessor,
)

from .scorer_cases import build, resolve

NEVER = -float("inf")
IDS = torch.tensor([[1, 2, 3, 1, 2], [4, 4, 4, 4, 4]])

with safe_open(Path(__file__).parents[1] / "golden/generation/processors.safetensors", "pt") as file:
    GOLDEN = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    CASES = json.loads(file.metadata()["cases"])


def run_case(index: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    name, arguments, ids, options = CASES[index]
    processor = build(processors, name, arguments, GOLDEN)
    rows = GOLDEN["out" + str(index)].shape[0]
    if name == "ClassifierFreeGuidanceLogitsProcessor":
        rows = 4
    options = {key: resolve(value, GOLDEN) for key, value in options.items()}
    scores = GOLDEN["scores"][:rows].to(dtype)
    for _ in range(2):  # the second call uses what the first one kept
        output = processor(GOLDEN[ids], scores.clone(), **options)
    return output


@pytest.mark.parametrize("index", range(len(CASES)), ids=lambda i: f"{CASES[i][0]}-{i}")
def test_numbers_equal_the_reference(index):
    torch.testing.assert_close(run_case(index), GOLDEN[f"out{index}"], rtol=1e-6, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES}))
def test_half_precision_stays_half(name):
    index = next(i for i, case in enumerate(CASES) if case[0] == name)
    assert run_case(index, torch.bfloat16).dtype == torch.bfloat16


def test_invalid_numbers_are_replaced():
    output = processors.InfNanRemoveLogitsProcessor()(IDS, GOLDEN["strange"].clone())
    torch.testing.assert_close(output, GOLDEN["strange_out"])


def test_prefix_function_gets_prompt_and_text():
    calls = []

    def allowed(prompt, sequence):
        calls.append((prompt, sequence.tolist()))
        return [prompt, 3]

    scores = torch.zeros(4, 5)
    output = PrefixConstrainedLogitsProcessor(allowed, num_beams=2)(torch.arange(8).view(4, 2), scores)
    assert calls == [(0, [0, 1]), (0, [2, 3]), (1, [4, 5]), (1, [6, 7])]
    assert output[0].tolist() == [0, NEVER, NEVER, 0, NEVER]
    assert output[3].tolist() == [NEVER, 0, NEVER, 0, NEVER]
    with pytest.raises(ValueError, match="For prompt 0 no token is allowed"):
        PrefixConstrainedLogitsProcessor(lambda prompt, sequence: [], 1)(IDS, torch.zeros(2, 5))


class Recorder:
    """A model whose logits are the sums of the tokens seen, and that notes how it is called."""

    def __init__(self):
        self.calls = []

    def __call__(self, input_ids, attention_mask, use_cache, past_key_values):
        self.calls.append((input_ids.tolist(), attention_mask.tolist(), use_cache, past_key_values))
        past = [*(past_key_values or ()), input_ids.shape[1]]

        class Output(dict):
            logits = torch.stack([input_ids.float(), input_ids.float() * 0], dim=-1)

        return Output(past_key_values=past if use_cache else None)


@pytest.mark.parametrize("use_cache", [True, False])
def test_unconditional_pass_continues_from_its_own_prompt(use_cache):
    model = Recorder()
    guidance = UnbatchedClassifierFreeGuidanceLogitsProcessor(
        2.0, model, unconditional_ids=torch.tensor([[7, 8]]), use_cache=use_cache
    )
    conditional = torch.tensor([[0.5, 1.0]])
    output = guidance(torch.tensor([[1, 2, 3]]), conditional)
    guidance(torch.tensor([[1, 2, 3, 4]]), conditional)
    first, second = model.calls
    assert first == ([[7, 8]], [[1, 1]], use_cache, None)
    assert second == (([[4]], [[1, 1, 1]], True, [2]) if use_cache else ([[7, 8, 4]], [[1, 1, 1]], False, None))
    wanted, unwanted = conditional.log_softmax(-1), torch.tensor([[8.0, 0.0]]).log_softmax(-1)
    torch.testing.assert_close(output, 2 * (wanted - unwanted) + unwanted)


def test_unconditional_pass_starts_from_the_last_token_and_rests_at_scale_one():
    model = Recorder()
    UnbatchedClassifierFreeGuidanceLogitsProcessor(1.5, model)(torch.tensor([[1, 2, 3]]), torch.zeros(1, 2))
    assert model.calls == [([[3]], [[1]], True, None)]
    UnbatchedClassifierFreeGuidanceLogitsProcessor(1, model)(torch.tensor([[1, 2, 3]]), torch.zeros(1, 2))
    assert len(model.calls) == 1


@pytest.mark.parametrize("peak", [0.5, 3.0, 10.0])
@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.9, 0.999])
def test_top_p_of_the_best_equals_sorting_everything(top_p, peak):
    torch.manual_seed(0)
    scores = torch.randn(3, 2000) * peak
    scores[1, ::2] = NEVER
    warper = TopPLogitsWarper(top_p)
    fast = warper(IDS, scores)
    warper._candidates = 2000  # never fewer than the vocabulary: sorts everything
    torch.testing.assert_close(fast, warper(IDS, scores), rtol=0, atol=0)


def test_top_p_takes_the_fast_way_for_a_peaked_distribution_only():
    warper = TopPLogitsWarper(0.9)
    torch.manual_seed(0)
    assert warper._least_score(torch.randn(1, 5000) * 10) is not None
    assert warper._least_score(torch.zeros(1, 5000)) is None  # needs more tokens, and all are equal


def test_bad_words_of_ends_only_do_nothing():
    scores = torch.randn(2, 6)
    torch.testing.assert_close(NoBadWordsLogitsProcessor([[5]], 5)(IDS, scores), scores)


def test_list_passes_further_arguments_to_those_that_take_them():
    diversity = HammingDiversityLogitsProcessor(1.0, 4, 2)
    chain = LogitsProcessorList([TemperatureLogitsWarper(0.5), diversity, lambda ids, scores: scores + 1])
    current = torch.tensor([1, 1, 0, 0])
    output = chain(IDS, torch.zeros(2, 3), current_tokens=current, beam_group_idx=1)
    assert output.tolist() == [[1, -1, 1]] * 2
    with pytest.raises(ValueError, match="pass all of them"):
        chain(IDS, torch.zeros(2, 3), current_tokens=current)


def test_bases_are_abstract():
    for base in (LogitsProcessor, LogitsWarper):
        with pytest.raises(NotImplementedError, match="abstract class"):
            base()(IDS, torch.zeros(2, 3))


def test_greedy_processors_compile_to_one_graph():
    chain = [
        MinLengthLogitsProcessor(10, 2),
        RepetitionPenaltyLogitsProcessor(1.5),
        NoRepeatNGramLogitsProcessor(2),
        SequenceBiasLogitsProcessor({(1, 2, 3): 2.0, (4,): 1.0}),
    ]

    def step(input_ids, scores):
        for processor in chain:
            scores = processor(input_ids, scores.clone())
        return scores

    scores = torch.randn(2, 8)
    expected = step(IDS, scores)
    compiled = torch.compile(step, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(IDS, scores), expected)


ERRORS = [
    ("MinLengthLogitsProcessor", (-1, 2), "`min_length` must be an int from 0, found -1"),
    (
        "MinNewTokensLengthLogitsProcessor",
        ("a", 1, 2),
        "`prompt_length_to_skip` must be an int from 0, found a",
    ),
    ("MinNewTokensLengthLogitsProcessor", (1, -1, 2), "`min_new_tokens` must be an int from 0, found -1"),
    ("TemperatureLogitsWarper", (0.0,), "set `do_sample=False`"),
    ("TemperatureLogitsWarper", (1,), "`temperature` must be a float above 0, found 1"),
    ("RepetitionPenaltyLogitsProcessor", (2,), "`penalty` must be a float above 0, found 2"),
    ("EncoderRepetitionPenaltyLogitsProcessor", (-1.0, IDS), "`penalty` must be a float above 0, found"),
    ("TopPLogitsWarper", (1.1,), "`top_p` must be a float from 0 to 1, found 1.1"),
    ("TopPLogitsWarper", (0.5, 0.0, 0), "`min_tokens_to_keep` must be an int above 0, found 0"),
    ("TopKLogitsWarper", (0,), "`top_k` must be an int above 0, found 0"),
    ("TypicalLogitsWarper", (1,), "`typical_p` must be a float between 0 and 1, found 1.0"),
    ("EpsilonLogitsWarper", (0,), "`epsilon_cutoff` must be a float between 0 and 1, found 0.0"),
    ("EtaLogitsWarper", (1,), "`eta_cutoff` must be a float between 0 and 1, found 1.0"),
    ("EtaLogitsWarper", (0.5, 0.0, 0), "`min_tokens_to_keep` must be an int above 0, found 0"),
    ("NoRepeatNGramLogitsProcessor", ("a",), "`ngram_size` must be an int above 0, found a"),
    ("EncoderNoRepeatNGramLogitsProcessor", (0, IDS), "`encoder_ngram_size` must be an int above 0, found 0"),
    ("SequenceBiasLogitsProcessor", ({},), "`sequence_bias` must be a dictionary with at least one entry, found {}"),
    ("SequenceBiasLogitsProcessor", ({1: 1.0},), "must have tuples of token ids as keys"),
    ("SequenceBiasLogitsProcessor", ({(1, -1): 1.0},), "each key must hold at least one token id"),
    ("SequenceBiasLogitsProcessor", ({(1,): 1},), "must have floats as values"),
    ("NoBadWordsLogitsProcessor", ([], 1), "`bad_words_ids` must be a list with at least one word, found []"),
    ("NoBadWordsLogitsProcessor", ([1], 1), "`bad_words_ids`: each word must be a list of token ids, found [1]"),
    ("NoBadWordsLogitsProcessor", ([[-1]], 1), "at least one token id (int from 0), found [[-1]]"),
    ("HammingDiversityLogitsProcessor", (1, 2, 2), "`diversity_penalty` must be a float above 0, found 1"),
    ("HammingDiversityLogitsProcessor", (1.0, 1, 2), "`num_beams` must be an int above 1, found 1"),
    ("HammingDiversityLogitsProcessor", (1.0, 2, 1), "`num_beam_groups` must be an int above 1, found 1"),
    ("HammingDiversityLogitsProcessor", (1.0, 2, 4), "`num_beam_groups` must not exceed `num_beams`."),
    ("ClassifierFreeGuidanceLogitsProcessor", (1,), "`guidance_scale` must be above 1"),
    ("AlternatingCodebooksLogitsProcessor", (-1, 1, 1), "`input_start_len` must be an int from 0, found -1"),
    ("BarkEosPrioritizerLogitsProcessor", (1, 0.0), "`min_eos_p` must be a float above 0, found 0.0"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), ERRORS)
def test_wrong_arguments_are_refused(name, arguments, message):
    with pytest.raises(ValueError) as caught:
        getattr(processors, name)(*arguments)
    assert message in str(caught.value)


def test_tokens_outside_of_the_vocabulary_are_refused():
    with pytest.raises(ValueError, match=r"outside the vocabulary size 10: \[100\]"):
        SequenceBiasLogitsProcessor({(100, 2): 1.0, (1, 2): 2.0})(IDS, torch.zeros(2, 10))


def test_guidance_needs_both_halves_of_the_batch():
    with pytest.raises(ValueError, match="twice the batch size"):
        ClassifierFreeGuidanceLogitsProcessor(2)(IDS, torch.zeros(2, 3))

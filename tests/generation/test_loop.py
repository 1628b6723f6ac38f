"""The decoding loop and `GenerationMixin`: hooks, records, errors and warnings. Numbers: `test_generate.py`."""

from __future__ import annotations

import types
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor

import isoform
from isoform.generation import (
    CandidateGenerator,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    MaxLengthCriteria,
    StoppingCriteria,
    StoppingCriteriaList,
    loop,
    steps,
)
from isoform.generation.utils import top_k_top_p_filtering

from . import cases
from .cases import ALL, EVERYTHING, MASK, PROMPT

IDS = torch.tensor(PROMPT)
PLAIN: dict[str, Any] = {"max_new_tokens": 6, "pad_token_id": 0}


@pytest.fixture(scope="module")
def gpt2() -> Any:
    return cases.make_model(isoform, "gpt2")


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class OwnStyle(isoform.GPT2LMHeadModel):
    """A user's model: it takes part in the documented protocol of every step."""

    def _update_model_kwargs_for_generation(self, outputs: Any, model_kwargs: Any, **kwargs: Any) -> Any:
        self.updates = getattr(self, "updates", 0) + 1
        return super()._update_model_kwargs_for_generation(outputs, model_kwargs, **kwargs)


# Ways of running the model


@pytest.mark.parametrize("arguments", [{}, {"num_beams": 3}, {"do_sample": True, "num_return_sequences": 2}], ids=str)
@pytest.mark.parametrize("padded", [False, True])
def test_plain_steps_equal_the_protocol(gpt2: Any, arguments: dict[str, Any], padded: bool, monkeypatch: Any) -> None:
    used = []
    monkeypatch.setattr(loop.Decoding, "__init__", _noting(used, loop.Decoding.__init__))
    own = OwnStyle(gpt2.config).eval()
    own.load_state_dict(gpt2.state_dict())
    mask = torch.tensor(MASK[:2]) if padded else None
    results = []
    for model in (gpt2, own):
        torch.manual_seed(0)
        results.append(model.generate(IDS, attention_mask=mask, **PLAIN, **ALL, **arguments))
    assert used == [steps.PlainSteps, steps.ProtocolSteps]
    assert own.updates == PLAIN["max_new_tokens"]
    assert torch.equal(results[0].sequences, results[1].sequences)
    torch.testing.assert_close(results[0].scores, results[1].scores, rtol=0, atol=1e-5)


def _noting(used: list[type], method: Any) -> Any:
    def noting(self: Any, model: Any, input_ids: Tensor, steps: Any, options: Any) -> None:
        used.append(type(steps))
        method(self, model, input_ids, steps, options)

    return noting


def test_buffers_grow(gpt2: Any, monkeypatch: Any) -> None:
    expected = gpt2.generate(IDS, max_new_tokens=20, pad_token_id=0, attention_mask=torch.tensor(MASK[:2]))
    monkeypatch.setattr(loop, "_HEADROOM", 3)
    monkeypatch.setattr(steps, "_CACHE_HEADROOM", 2)
    found = gpt2.generate(IDS, max_new_tokens=20, pad_token_id=0, attention_mask=torch.tensor(MASK[:2]))
    assert torch.equal(found, expected)


def test_equal_prompts_run_once(gpt2: Any) -> None:
    rows = []
    handle = gpt2.transformer.register_forward_pre_hook(
        lambda module, args, kwargs: rows.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    try:
        gpt2.generate(IDS, num_beams=4, **PLAIN)
        gpt2.generate(IDS, num_beams=4, attention_mask=torch.tensor(MASK[:2]), **PLAIN)
    finally:
        handle.remove()
    half = len(rows) // 2
    assert rows[0] == rows[half] == (2, 5)
    assert rows[1] == rows[half + 1] == (8, 1)


def test_inputs_are_left_alone(gpt2: Any) -> None:
    with torch.no_grad():
        past = gpt2(IDS[:, :3], use_cache=True).past_key_values
    before = [x.clone() for layer in past for x in layer]
    ids, mask = IDS.clone(), torch.tensor(MASK[:2])
    kwargs = {"past_key_values": past, "attention_mask": mask}
    first = gpt2.generate(ids, **kwargs, **PLAIN)
    again = gpt2.generate(ids, **kwargs, **PLAIN)
    assert torch.equal(first, again)
    assert torch.equal(ids, IDS) and mask.tolist() == MASK[:2]
    assert past.length == 3 and all(map(torch.equal, before, (x for layer in past for x in layer)))


def test_nested_tuple_as_past(gpt2: Any) -> None:
    with torch.no_grad():
        past = gpt2(IDS[:, :3], use_cache=True).past_key_values
    found = gpt2.generate(IDS, past_key_values=past.to_legacy_cache(), **PLAIN)
    assert torch.equal(found, gpt2.generate(IDS, **PLAIN))


# Hooks and arguments


def test_replaced_method_is_used(gpt2: Any) -> None:
    model = cases.make_model(isoform, "gpt2")
    seen = {}

    def sample(self: Any, input_ids: Tensor, logits_warper: Any = None, **kwargs: Any) -> str:
        seen.update(kwargs, ids=input_ids, warper=logits_warper)
        return "replaced"

    model.sample = types.MethodType(sample, model)
    assert model.generate(IDS, do_sample=True, num_return_sequences=2, **PLAIN) == "replaced"
    assert seen["ids"].shape == (4, 5) and seen["attention_mask"].shape == (4, 5)
    assert {"stopping_criteria", "pad_token_id", "eos_token_id", "output_scores", "streamer"} <= seen.keys()


def test_custom_processor_and_criterion(gpt2: Any) -> None:
    class Only(LogitsProcessor):
        def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
            input_ids.view(-1)  # as the reference's, ids are contiguous
            return torch.full_like(scores, -1.0).index_fill_(1, torch.tensor([input_ids.shape[1]]), 0.0)

    class AtNine(StoppingCriteria):
        def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> bool:
            assert len(scores) == input_ids.shape[1] - 5
            return input_ids.shape[1] == 9

    found = gpt2.generate(
        IDS, logits_processor=LogitsProcessorList([Only()]), stopping_criteria=StoppingCriteriaList([AtNine()]),
        **{**PLAIN, "max_new_tokens": 20}, **ALL,
    )  # fmt: skip
    assert found.sequences[:, 5:].tolist() == [[5, 6, 7, 8]] * 2
    assert found.scores[0].shape == (2, 40)


def test_streamer_gets_prompt_then_tokens(gpt2: Any) -> None:
    class Streamer:
        def __init__(self) -> None:
            self.got: list[Any] = []

        def put(self, value: Tensor) -> None:
            self.got.append(value.tolist())

        def end(self) -> None:
            self.got.append("end")

    streamer = Streamer()
    out = gpt2.generate(IDS[:1], streamer=streamer, **PLAIN)
    assert streamer.got == [PROMPT[:1], *([token] for token in out[0, 5:].tolist()), "end"]
    assisted = Streamer()
    gpt2.generate(IDS[:1], streamer=assisted, assistant_model=gpt2, **PLAIN)
    pieces = [piece[0] for piece in assisted.got[1:-1]]
    assert [token for piece in pieces for token in piece] == out[0, 5:].tolist() and len(pieces) < 6
    with pytest.raises(ValueError, match="streamer"):
        gpt2.generate(IDS, num_beams=2, streamer=streamer, **PLAIN)


def test_rows_end_one_by_one(gpt2: Any) -> None:
    free = gpt2.generate(IDS, max_new_tokens=8, pad_token_id=0)
    end = free[0, 7].item()
    found = gpt2.generate(IDS, max_new_tokens=8, pad_token_id=39, eos_token_id=end)
    for row, expected in zip(found[:, 5:].tolist(), free[:, 5:].tolist()):
        stop = expected.index(end) + 1 if end in expected else len(expected)
        assert row[:stop] == expected[:stop][: len(row)] and set(row[stop:]) <= {39}


def test_public_methods_take_what_the_reference_takes(gpt2: Any) -> None:
    criteria = StoppingCriteriaList([MaxLengthCriteria(11)])
    expected = gpt2.generate(IDS, **PLAIN)
    assert torch.equal(gpt2.greedy_search(IDS, stopping_criteria=criteria, pad_token_id=0), expected)
    with pytest.warns(UserWarning, match="max_length"):
        assert torch.equal(gpt2.greedy_search(IDS, max_length=11), expected)
    torch.manual_seed(0)
    drawn = gpt2.sample(IDS, stopping_criteria=criteria, return_dict_in_generate=True, output_scores=True)
    assert type(drawn).__name__ == "SampleDecoderOnlyOutput" and len(drawn.scores) == 6
    scorer = isoform.BeamSearchScorer(batch_size=2, num_beams=3, device="cpu")
    beams = gpt2.beam_search(IDS.repeat_interleave(3, 0), scorer, stopping_criteria=criteria, pad_token_id=0)
    assert torch.equal(beams, gpt2.generate(IDS, num_beams=3, **PLAIN))
    scorer = isoform.BeamSearchScorer(batch_size=2, num_beams=3, device="cpu")
    with pytest.raises(ValueError, match=r"`input_ids` must have 6 rows .*, found 2"):
        gpt2.beam_search(IDS, scorer, stopping_criteria=criteria)
    with pytest.raises(ValueError, match="pad_token_id"):
        gpt2.greedy_search(IDS, eos_token_id=2, stopping_criteria=criteria)


def test_methods_other_than_generate_have_gradients(gpt2: Any) -> None:
    out = gpt2.greedy_search(IDS, max_length=8, output_scores=True, return_dict_in_generate=True)
    gpt2.zero_grad()
    sum(scores.max() for scores in out.scores).backward()
    assert gpt2.transformer.wpe.weight.grad.abs().sum() > 0
    gpt2.zero_grad()
    assert not gpt2.generate(IDS, **PLAIN, **ALL).scores[0].requires_grad


def test_synced_gpus_waits_for_the_others(gpt2: Any, tmp_path: Any) -> None:
    import torch.distributed as distributed

    expected = gpt2.generate(IDS, **PLAIN)
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'rendezvous'}", rank=0, world_size=1)
    try:
        assert torch.equal(gpt2.generate(IDS, synced_gpus=True, **PLAIN), expected)
    finally:
        distributed.destroy_process_group()


# Records


def test_assisted_records_equal_unassisted_ones(gpt2: Any) -> None:
    one = {**EVERYTHING, "max_new_tokens": 15, "pad_token_id": 0}
    expected = gpt2.generate(IDS[:1], **one)
    for assistant in (gpt2, cases.make_model(isoform, "gpt2", layers=1)):
        found = gpt2.generate(IDS[:1], assistant_model=assistant, **one)
        assert torch.equal(found.sequences, expected.sequences)
        for name in ("scores", "attentions", "hidden_states"):
            torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-5)


def test_assisted_with_processors_is_still_greedy(gpt2: Any) -> None:
    arguments = {"repetition_penalty": 1.4, "no_repeat_ngram_size": 2, "max_new_tokens": 15, "pad_token_id": 0}
    expected = gpt2.generate(IDS[:1], **arguments)
    assert torch.equal(gpt2.generate(IDS[:1], assistant_model=gpt2, **arguments), expected)


def test_own_candidate_generator(gpt2: Any) -> None:
    text = gpt2.generate(IDS[:1], max_new_tokens=12, pad_token_id=0)

    class Oracle(CandidateGenerator):
        def __init__(self) -> None:
            self.matches: list[int] = []

        def get_candidates(self, input_ids: Tensor) -> tuple[Tensor, None]:
            wrong = (text[:, input_ids.shape[1] + 3 : input_ids.shape[1] + 4] + 1) % 40
            return torch.cat((text[:, : input_ids.shape[1] + 3], wrong), 1), None

        def update_candidate_strategy(self, input_ids: Tensor, scores: Tensor, num_matches: int) -> None:
            self.matches.append(num_matches)

    source = Oracle()
    criteria = StoppingCriteriaList([MaxLengthCriteria(17)])
    found = gpt2.assisted_decoding(IDS[:1], candidate_generator=source, stopping_criteria=criteria, pad_token_id=0)
    assert torch.equal(found, text)
    assert source.matches[:2] == [3, 3]


def test_heuristic_schedule(gpt2: Any) -> None:
    from isoform.generation import AssistedCandidateGenerator

    source = AssistedCandidateGenerator(IDS[:1], gpt2)
    for matches, expected in ((5, 7), (7, 9), (3, 8), (0, 7)):
        source.update_candidate_strategy(IDS[:1], torch.zeros(1, 1, 40), matches)
        assert source.num_assistant_tokens == expected


def test_contrastive_in_low_memory(gpt2: Any) -> None:
    arguments = {**cases.CONTRASTIVE, **EVERYTHING, **PLAIN, "attention_mask": torch.tensor(MASK[:2])}
    expected, found = (gpt2.generate(IDS, low_memory=low, **arguments) for low in (False, True))
    assert torch.equal(found.sequences, expected.sequences)
    for name in ("scores", "attentions", "hidden_states"):
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-5)
    torch.testing.assert_close(list(found.past_key_values), list(expected.past_key_values), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["gpt2/beams", "gpt2/groups", "gpt2/beam_sample", "toy/groups"])
def test_transition_scores_add_up(name: str) -> None:
    out = cases.run(isoform, name, length_penalty=0.0, num_return_sequences=3, num_beams=4)
    model = cases.make_model(isoform, name.split("/")[0])
    found = model.compute_transition_scores(out.sequences, out.scores, out.beam_indices)
    torch.testing.assert_close(found.sum(-1), out.sequences_scores, rtol=0, atol=1e-5)


def test_transition_scores_of_groups_that_end(gpt2: Any) -> None:
    arguments = {
        **cases.DIVERSE,
        "num_return_sequences": 4,
        "length_penalty": 0.0,
        "eos_token_id": 35,
        "pad_token_id": 0,
    }
    out = gpt2.generate(IDS, max_new_tokens=8, **arguments, **ALL)
    assert (out.sequences == 35).any()
    found = gpt2.compute_transition_scores(out.sequences, out.scores, out.beam_indices)
    torch.testing.assert_close(found.sum(-1), out.sequences_scores, rtol=0, atol=1e-5)


def test_transition_scores_without_beams(gpt2: Any) -> None:
    out = gpt2.generate(IDS, **PLAIN, **ALL)
    found = gpt2.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)
    for step, scores in enumerate(out.scores):
        expected = scores.log_softmax(-1)[torch.arange(2), out.sequences[:, 5 + step]]
        torch.testing.assert_close(found[:, step], expected)


# Options, errors and warnings


def test_changed_model_config_still_counts(gpt2: Any) -> None:
    model = cases.make_model(isoform, "gpt2")
    assert model.generation_config.max_length == 20
    model.config.max_length = 9
    with pytest.warns(UserWarning, match="model's config"):
        assert model.generate(IDS, pad_token_id=0).shape == (2, 9)
    model = cases.make_model(isoform, "gpt2")
    model.generation_config.max_length = 8  # the user's own choice wins
    model.config.max_length = 12
    assert model.generate(IDS, pad_token_id=0).shape == (2, 8)


def test_generation_config_is_not_changed(gpt2: Any) -> None:
    config = GenerationConfig(max_new_tokens=4, pad_token_id=0)
    assert gpt2.generate(IDS, generation_config=config, max_new_tokens=2).shape == (2, 7)
    assert config == GenerationConfig(max_new_tokens=4, pad_token_id=0)


ERRORS = [
    ({"max_lenght": 3}, ValueError, r"nor inputs of the model: \['max_lenght'\]"),
    ({"input_ids": IDS}, ValueError, "both passed"),
    ({"num_return_sequences": 2}, ValueError, "num_return_sequences"),
    ({"num_beams": 2, "num_return_sequences": 3}, ValueError, "must not exceed `num_beams`"),
    ({"num_beams": 4, "num_beam_groups": 2}, ValueError, "diversity_penalty"),
    ({"num_beams": 4, "num_beam_groups": 3, "diversity_penalty": 0.5}, ValueError, "divisible"),
    ({"num_beams": 4, "force_words_ids": []}, ValueError, "force_words_ids"),
    ({"num_beams": 4, "force_words_ids": [[-1]]}, ValueError, "force_words_ids"),
    ({"num_beams": 4, "force_words_ids": [3]}, ValueError, "force_words_ids"),
    ({"num_beams": 1, "force_words_ids": [[3]]}, ValueError, "num_beams"),
    ({"penalty_alpha": 0.6, "top_k": 4, "use_cache": False}, ValueError, "use_cache=True"),
    ({"assistant_model": "self"}, ValueError, "batch_size = 1"),
    ({"assistant_model": "self", "num_beams": 2}, ValueError, "greedy search and sampling"),
    ({"assistant_model": "self", "inputs": IDS[:1], "use_cache": False}, ValueError, "use_cache=True"),
    ({"inputs": None, "bos_token_id": None}, ValueError, "bos_token_id"),
    ({"do_sample": True, "temperature": 0.0}, ValueError, "temperature"),
    ({"attention_mask": torch.tensor([[0, 1], [1, 1]])}, ValueError, "attention_mask"),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), ERRORS, ids=lambda value: str(value)[:40])
def test_errors(gpt2: Any, arguments: dict[str, Any], kind: type, message: str) -> None:
    arguments = {"inputs": IDS, **PLAIN, **arguments}
    if "assistant_model" in arguments:
        arguments["assistant_model"] = gpt2
    with pytest.raises(kind, match=message):
        gpt2.generate(**arguments)


WARNINGS = [
    ({"max_new_tokens": None}, "default `max_length` of 20"),
    ({"max_new_tokens": None, "max_length": 3}, "input_ids has 5 tokens, but `max_length` is 3"),
    ({"max_new_tokens": None, "max_length": 9, "min_length": 30}, r"`min_length` \(30\) cannot be reached"),
    ({"min_new_tokens": 30}, r"`min_new_tokens` \(30\) cannot be reached"),
    ({"temperature": 0.5}, "do_sample"),
]


@pytest.mark.parametrize(("arguments", "message"), WARNINGS, ids=lambda value: str(value)[:40])
def test_warnings(gpt2: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.warns(UserWarning, match=message):
        gpt2.generate(IDS, **{**PLAIN, **arguments})


LOGGED = [
    ({"eos_token_id": 2, "pad_token_id": None}, "padding with `eos_token_id` (2)"),
    ({"inputs": torch.tensor([[5, 6, 0], [4, 4, 4]])}, "pad on the left"),
    ({"max_length": 20}, "`max_new_tokens` counts"),
]


@pytest.mark.parametrize(("arguments", "message"), LOGGED, ids=lambda value: str(value)[:40])
def test_logged_warnings(gpt2: Any, arguments: dict[str, Any], message: str, monkeypatch: Any) -> None:
    from isoform.generation import utils

    said: list[str] = []
    monkeypatch.setattr(utils.logger, "warning", said.append)
    gpt2.generate(**{"inputs": IDS, **PLAIN, **arguments})
    assert any(message in line for line in said)


def test_models_without_a_head_are_told(gpt2: Any) -> None:
    with pytest.raises(TypeError, match=r"GPT2Model.*GPT2LMHeadModel"):
        gpt2.transformer.generate(IDS)


def test_start_token_must_be_known() -> None:
    model = cases.make_model(isoform, "toy")
    model.generation_config.decoder_start_token_id = model.generation_config.bos_token_id = None
    with pytest.raises(ValueError, match="decoder_start_token_id"):
        model.generate(IDS, **PLAIN)


def test_encoder_runs_once() -> None:
    model = cases.make_model(isoform, "toy")
    calls: list[Any] = []
    model.encoder.register_forward_hook(lambda *args: calls.append(1))
    first = model.generate(IDS, num_beams=2, **PLAIN)
    assert len(calls) == 1
    encoder_outputs = model.encoder(IDS)
    again = model.generate(encoder_outputs=encoder_outputs, attention_mask=torch.ones_like(IDS), num_beams=2, **PLAIN)
    assert torch.equal(first, again) and len(calls) == 2


def test_top_k_top_p_filtering() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, 3.0]])
    assert top_k_top_p_filtering(logits, top_k=2).isfinite().tolist() == [[False, False, True, True]]
    assert top_k_top_p_filtering(logits, top_p=0.6).isfinite().tolist() == [[False, False, False, True]]
    assert top_k_top_p_filtering(logits, top_p=0.6, min_tokens_to_keep=2, filter_value=-5.0).tolist() == [
        [-5, -5, 2, 3]
    ]
    assert top_k_top_p_filtering(logits) is logits

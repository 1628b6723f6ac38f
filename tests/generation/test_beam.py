"""Beam scorers and constraints: the reference's hypotheses, scores and paths; errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from isoform.generation import beam_constraints, beam_search
from isoform.generation.beam_constraints import (
    Constraint,
    ConstraintListState,
    DisjunctiveConstraint,
    DisjunctiveTrie,
    PhrasalConstraint,
)
from isoform.generation.beam_search import BeamHypotheses, BeamSearchScorer, ConstrainedBeamSearchScorer

from .scorer_cases import make_scorer, run, search_options

CPU = torch.device("cpu")

with safe_open(Path(__file__).parents[1] / "golden/generation/beams.safetensors", "pt") as file:
    GOLDEN = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    CASES = json.loads(file.metadata()["cases"])


@pytest.mark.parametrize("index", range(len(CASES)), ids=lambda i: json.dumps(CASES[i])[:60])
def test_search_equals_the_reference(index):
    case = CASES[index]
    scorer = make_scorer(case, beam_search, beam_constraints)
    result = run(scorer, GOLDEN[f"table{index}"], GOLDEN["prompt"], **search_options(case))
    for name in ("sequences", "rows", "indices"):
        # Where too few beams fulfil the constraints the reference loses the paths; ours are then not compared.
        if f"{name}{index}" in GOLDEN:
            assert result[name].tolist() == GOLDEN[f"{name}{index}"].tolist()
    assert ("indices" in result) == case.get("with_indices", True)
    torch.testing.assert_close(result["scores"], GOLDEN[f"scores{index}"])


def test_paths_may_be_a_tensor():
    scores, tokens, beams = (
        torch.tensor([[-1.0, -2.0, -3.0, -4.0]]),
        torch.tensor([[5, 6, 7, 8]]),
        torch.tensor([[1, 0, 0, 1]]),
    )
    paths = torch.tensor([[0, 1], [1, 1]])
    results = []
    for given in (paths, tuple(map(tuple, paths.tolist()))):
        scorer = BeamSearchScorer(1, 2, CPU)
        scorer.process(torch.zeros(2, 3, dtype=torch.long), scores, tokens, beams, 0, 5, given)
        results.append(scorer._beam_hyps[0].beams[0][2])
    assert results == [(1, 1, 1)] * 2


def test_accelerator_values_come_in_one_transfer(monkeypatch):
    # The meta device has no values: the step works there until the one read of the host.
    reads = []
    monkeypatch.setattr(beam_search, "_to_host", lambda *t: reads.append(t) or [x.tolist() for x in HOST])
    HOST = torch.tensor([[-1.0, -2.0, -3.0, -4.0]]), torch.zeros(1, 4), torch.tensor([[0, 1, 0, 1]])
    scorer = BeamSearchScorer(1, 2, torch.device("meta"))
    ids = torch.zeros(2, 3, dtype=torch.long, device="meta")
    on_meta = [
        torch.zeros(1, 4, device="meta"),
        *(torch.zeros(1, 4, dtype=torch.long, device="meta") for _ in range(2)),
    ]
    output = scorer.process(ids, *on_meta, pad_token_id=0, eos_token_id=5)
    assert len(reads) == 1
    assert output["next_beam_tokens"].shape == (2,)


def test_done_prompts_are_padded():
    scorer = BeamSearchScorer(2, 2, CPU, do_early_stopping=True)
    ids = torch.ones(4, 3, dtype=torch.long)
    scores = torch.tensor([[-1.0, -2.0, -3.0, -4.0]] * 2)
    tokens, beams = torch.tensor([[5, 5, 7, 8], [6, 7, 8, 9]]), torch.tensor([[0, 1, 0, 1]] * 2)
    first = scorer.process(ids, scores, tokens, beams, pad_token_id=0, eos_token_id=5)
    assert first["next_beam_tokens"].tolist() == [7, 8, 6, 7]
    assert first["next_beam_indices"].tolist() == [0, 1, 2, 3]
    assert not scorer.is_done
    second = scorer.process(ids, scores, tokens, beams, pad_token_id=0, eos_token_id=5)
    assert second["next_beam_tokens"].tolist() == [0, 0, 6, 7]
    assert second["next_beam_scores"].tolist() == [0, 0, -1, -2]
    with pytest.raises(ValueError, match="eos_token_id and pad_token have to be defined"):
        scorer.process(ids, scores, tokens, beams, eos_token_id=5)


def test_scorer_refuses_what_does_not_fit():
    for arguments, message in [
        ((1, 1, CPU), "`num_beams` must be an int above 1, found 1"),
        ((1, 4, CPU, 1.0, False, 1, 3), "`num_beam_groups` must be an int that divides `num_beams` .*, found 3"),
        ((1, 4, CPU, 1.0, "never"), "which needs `max_length`"),
    ]:
        with pytest.raises(ValueError, match=message):
            BeamSearchScorer(*arguments)
    scorer = BeamSearchScorer(2, 2, CPU)
    values = torch.zeros(2, 4)
    tokens = torch.full((2, 4), 5)
    with pytest.raises(ValueError, match=r"The scorer has 4 beams .* with 2 rows"):
        scorer.process(torch.zeros(2, 3, dtype=torch.long), values[:1], tokens[:1], tokens[:1] * 0)
    with pytest.raises(ValueError, match="can be equal to `eos_token_id"):
        scorer.process(torch.zeros(4, 3, dtype=torch.long), values, tokens, tokens * 0, pad_token_id=0, eos_token_id=5)
    with pytest.raises(ValueError, match="`pad_token_id` has to be defined"):
        scorer = BeamSearchScorer(2, 2, CPU)
        short, long = torch.ones(2, dtype=torch.long), torch.ones(3, dtype=torch.long)
        scorer._beam_hyps[0].add(short, 0.0)
        scorer._beam_hyps[0].add(short, 0.0)
        scorer._done[0] = True
        scorer._beam_hyps[1].add(long, 0.0)
        scorer.finalize(torch.ones(4, 3, dtype=torch.long), torch.zeros(4), None, None, max_length=9)


def test_hypotheses_keep_the_best():
    kept = BeamHypotheses(2, length_penalty=1.0, early_stopping=False)
    tokens = torch.zeros(4, dtype=torch.long)
    for score in (-8.0, -4.0, -6.0, -12.0):
        kept.add(tokens, score)
    assert sorted(beam[0] for beam in kept.beams) == [-1.5, -1.0]
    assert kept.worst_score == -1.5
    kept.add(tokens, -2.0, generated_len=1)
    assert kept.worst_score == -1.5
    assert not kept.is_done(-5.0, cur_len=4)
    assert kept.is_done(-5.0, cur_len=6, decoder_prompt_len=3)


def test_phrase_advances_and_starts_over():
    phrase = PhrasalConstraint([1, 2, 3])
    assert [phrase.update(token) for token in (1, 2, 9)] == [
        (True, False, False),
        (True, False, False),
        (False, False, True),
    ]
    assert (phrase.advance(), phrase.remaining()) == (1, 3)
    assert [phrase.update(token)[1] for token in (1, 2, 3)] == [False, False, True]
    assert (phrase.advance(), phrase.remaining(), phrase.completed) == (None, 0, True)
    assert phrase.copy().remaining() == 3
    assert phrase.copy(stateful=True).completed


def test_disjunction_advances_along_any_branch():
    words = DisjunctiveConstraint([[1, 2, 3], [1, 2, 4], [5]])
    assert sorted(words.advance()) == [1, 5]
    words.update(1)
    words.update(2)
    assert (sorted(words.advance()), words.remaining()) == ([3, 4], 1)
    assert words.copy(stateful=True).current_seq == [1, 2]
    assert words.update(4) == (True, True, False)
    assert words.advance() is None
    assert DisjunctiveTrie([[1, 2], [1, 3, 4]]).count_leaves(DisjunctiveTrie([[1, 2], [1, 3, 4]]).trie) == 2


# Tokens, and what the reference says after them: complete, in progress, pending, bank, next tokens.
STATES = [
    ([], 0, None, ["P", "D"], 0, [1, 3, 4]),
    ([1], 0, "P", ["D"], 1, [2]),
    ([1, 7], 0, None, ["D", "P"], 0, [3, 4, 1]),
    ([1, 2], 1, None, ["D"], 2, [3, 4]),
    ([4, 5, 1], 1, "P", [], 3, [2]),
    ([4, 5, 1, 2, 9], 2, None, [], 4, None),
]


@pytest.mark.parametrize(("tokens", "complete", "current", "pending", "bank", "following"), STATES)
def test_list_of_constraints_keeps_count(tokens, complete, current, pending, bank, following):
    kinds = {PhrasalConstraint: "P", DisjunctiveConstraint: "D", type(None): None}
    fresh = ConstraintListState([PhrasalConstraint([1, 2]), DisjunctiveConstraint([[3], [4, 5]])])
    fresh.add(9)
    fresh.reset(tokens)
    for state in (fresh, fresh.copy()):
        assert len(state.complete_constraints) == complete
        assert kinds[type(state.inprogress_constraint)] == current
        assert [kinds[type(constraint)] for constraint in state.pending_constraints] == pending
        assert (state.get_bank(), state.advance()) == (bank, following)
        assert state.completed == (complete == 2)
    assert fresh.copy(stateful=False).get_bank() == 0


def test_constraint_states_are_found_again_without_a_restart(monkeypatch):
    resets = []
    original = ConstraintListState.reset
    monkeypatch.setattr(ConstraintListState, "reset", lambda self, ids: resets.append(ids) or original(self, ids))
    case = {"num_beams": 4, "max_length": 12, "eos": 5, "constraints": [[8, 9]]}
    scorer = make_scorer(case, beam_search, beam_constraints)
    run(scorer, GOLDEN["table12"], GOLDEN["prompt"], **search_options(case))
    assert all(len(ids) <= 3 for ids in resets)  # only the prompts, and those with their first new token


def test_push_progress_adds_the_likeliest_token():
    scorer = ConstrainedBeamSearchScorer(1, 2, [PhrasalConstraint([3])], CPU)
    ids = torch.tensor([[3, 1], [3, 2]])
    vocabulary_scores = torch.tensor([[-9.0, -1.0, -3.0], [-9.0, -8.0, -2.0]])
    arguments = (0, ids, vocabulary_scores, torch.tensor([-3.0, -8.0]), torch.tensor([2, 1]), torch.tensor([0, 1]))
    unchanged = scorer.step_sentence_constraint(*arguments)
    assert [values.tolist() for values in unchanged] == [[-3.0, -8.0], [2, 1], [0, 1]]
    pushed = scorer.step_sentence_constraint(*arguments, push_progress=True)
    assert [values.tolist() for values in pushed] == [[-1.0, -2.0], [1, 2], [0, 1]]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PhrasalConstraint([]), "`token_ids` must be a list with at least one"),
        (lambda: PhrasalConstraint([1, -2]), "`token_ids` must hold token ids"),
        (lambda: DisjunctiveConstraint([]), "`nested_token_ids` must be a list with at least one"),
        (lambda: DisjunctiveConstraint([1]), "`nested_token_ids`: each entry must be a list"),
        (lambda: DisjunctiveConstraint([[1, -1]]), "`nested_token_ids`: each entry must hold token ids"),
        (lambda: DisjunctiveConstraint([[1, 2], [1, 2, 3]]), "no list may begin with the whole of another"),
        (lambda: PhrasalConstraint([1]).update("a"), "`token_id` must be an `int`, found a"),
        (lambda: DisjunctiveConstraint([[1]]).update("a"), "`token_id` must be an `int`"),
        (lambda: ConstraintListState([PhrasalConstraint([1])]).add("a"), "`token_id` must be an `int`"),
    ],
)
def test_wrong_constraints_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_constraints_of_users_are_tried_out():
    class Endless(Constraint):
        def __init__(self, completes, left):
            self.seqlen, self.completes, self.left = 1, completes, left
            super().__init__()

        def advance(self):
            return 1

        def does_advance(self, token_id):
            return True

        def update(self, token_id):
            return True, self.completes, False

        def reset(self): ...

        def remaining(self):
            return self.left

        def copy(self, stateful=False):
            return self

    Endless(completes=True, left=0)
    with pytest.raises(Exception, match="not defined correctly"):
        Endless(completes=True, left=1)
    with pytest.raises(Exception, match="does not fulfill"):
        Endless(completes=False, left=0)

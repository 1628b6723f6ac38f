"""What the tests and the script that makes their expected values share: building what a case names, and a beam search.

Classes come as arguments, so that all of this runs with the reference's and with ours.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

VOCABULARY, PAD = 12, 0


def resolve(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Arguments of a case as objects."""
    if isinstance(value, str) and value.startswith("tensor:"):
        return tensors[value[7:]]
    if isinstance(value, str) and value.startswith("config:"):
        return SimpleNamespace(**json.loads(value[7:]))
    return value


def build(module: Any, name: str, arguments: list[Any], tensors: dict[str, Tensor]) -> Any:
    """The processor of a case, from a module of either implementation."""
    arguments = [resolve(value, tensors) for value in arguments]
    if name == "SequenceBiasLogitsProcessor":
        arguments = [{tuple(ids): bias for ids, bias in arguments[0]}]
    return getattr(module, name)(*arguments)


def make_scorer(case: dict[str, Any], search: Any, constraints: Any) -> Any:
    """The scorer of a case, of either implementation: `search` and `constraints` are its modules."""
    options = {
        "batch_size": 2,
        "num_beams": case["num_beams"],
        "device": torch.device("cpu"),
        "length_penalty": case.get("length_penalty", 1.0),
        "do_early_stopping": case.get("early_stopping", False),
        "num_beam_hyps_to_keep": case.get("keep", 1),
        "max_length": case["max_length"],
    }
    if "constraints" not in case:
        return search.BeamSearchScorer(num_beam_groups=case.get("num_beam_groups", 1), **options)
    built = [
        (constraints.DisjunctiveConstraint if isinstance(ids[0], list) else constraints.PhrasalConstraint)(ids)
        for ids in case["constraints"]
    ]
    return search.ConstrainedBeamSearchScorer(constraints=built, **options)


def search_options(case: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `run` that a case gives."""
    names = ("num_beams", "max_length", "eos", "num_beam_groups", "with_indices", "prompt_counts")
    return {**{name: case[name] for name in names if name in case}, "constrained": "constraints" in case}


def run(
    scorer: Any,
    table: Tensor,
    prompt: Tensor,
    *,
    num_beams: int,
    max_length: int,
    eos: Any,
    num_beam_groups: int = 1,
    constrained: bool = False,
    with_indices: bool = True,
    prompt_counts: bool = False,
) -> dict[str, Tensor]:
    """Search until the scorer is done or the length is reached.

    Args:
        scorer: a beam scorer.
        table: (vocabulary, vocabulary) scores of the next token, by the last one.
        prompt: (batch, length) tokens.

    Returns:
        `sequences`, `scores`, `indices` of `finalize`, and the beams' `rows` of all steps one after the other.
    """
    batch, start = prompt.shape
    group_size = num_beams // num_beam_groups
    input_ids = prompt.repeat_interleave(num_beams, dim=0)
    beam_scores = torch.full((batch, num_beams), -1e9)
    beam_scores[:, ::group_size] = 0.0
    beam_scores = beam_scores.view(-1)
    path: Any = tuple(() for _ in range(batch * num_beams)) if with_indices else None
    count_ends = 0 if eos is None else len(eos) if isinstance(eos, list) else 1
    options = {"pad_token_id": PAD, "eos_token_id": eos, "decoder_prompt_len": 0 if prompt_counts else start}
    rows_of_steps = []
    while True:
        new_tokens = torch.zeros(batch * num_beams, dtype=torch.long)
        new_rows = torch.zeros(batch * num_beams, dtype=torch.long)
        for group in range(num_beam_groups):
            mine = torch.arange(batch * num_beams).view(batch, num_beam_groups, group_size)[:, group].reshape(-1)
            ids = input_ids[mine]
            # A different shift per group keeps the groups apart.
            logits = table[ids[:, -1]].roll(group, dims=1)
            all_scores = logits.log_softmax(-1) + beam_scores[mine][:, None]
            candidates = max(2, 1 + count_ends) * group_size
            scores, best = all_scores.view(batch, -1).topk(candidates, dim=1, largest=True, sorted=True)
            arguments = [ids, scores, best % VOCABULARY, best // VOCABULARY]
            paths = None if path is None else tuple(path[i] for i in mine.tolist())
            if constrained:
                result = scorer.process(*arguments, all_scores, beam_indices=paths, **options)
            else:
                result = scorer.process(*arguments, group_index=group, beam_indices=paths, **options)
            beam_scores[mine] = result["next_beam_scores"]
            new_tokens[mine] = result["next_beam_tokens"]
            new_rows[mine] = mine[result["next_beam_indices"]]
        rows_of_steps.append(new_rows)
        input_ids = torch.cat([input_ids[new_rows], new_tokens[:, None]], dim=1)
        if path is not None:
            path = tuple((*path[row], row) for row in new_rows.tolist())
        if bool(scorer.is_done) or input_ids.shape[1] >= max_length:
            break
    result = scorer.finalize(
        input_ids, beam_scores, new_tokens, new_rows, max_length=max_length, beam_indices=path, **options
    )
    output = {"sequences": result["sequences"], "scores": result["sequence_scores"], "rows": torch.cat(rows_of_steps)}
    if result["beam_indices"] is not None:
        output["indices"] = result["beam_indices"]
    return output

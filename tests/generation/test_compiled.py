"""Compiled decoding: same tokens as step by step, programs are reused, and what cannot be compiled still runs."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

import isoform
from isoform.generation import _native, compiled, loop, steps

from . import cases
from .cases import ALL, MASK, PROMPT

IDS = torch.tensor(PROMPT)
ROOT = Path(__file__).parents[2]
PLAIN: dict[str, Any] = {"max_new_tokens": 8, "pad_token_id": 0}
needs_compiler = pytest.mark.skipif(not _native.available(), reason="there is no C++ compiler")


@pytest.fixture(scope="module")
def gpt2() -> Any:
    return cases.make_model(isoform, "gpt2", layers=1)


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def used(monkeypatch: Any) -> list[Any]:
    """The ways in which the model was run."""
    found: list[Any] = []
    init = loop.Decoding.__init__

    def noting(self: Any, model: Any, input_ids: Any, steps: Any, options: Any) -> None:
        found.append(steps)
        init(self, model, input_ids, steps, options)

    monkeypatch.setattr(loop.Decoding, "__init__", noting)
    return found


@needs_compiler
@pytest.mark.parametrize("padded", [False, True])
def test_same_tokens(gpt2: Any, used: list[Any], padded: bool) -> None:
    mask = torch.tensor(MASK[:2]) if padded else None
    for arguments in ({}, {"do_sample": True, "top_k": 8}):
        found = []
        for compile_decoding in (False, True):
            torch.manual_seed(0)
            arguments = {**arguments, "attention_mask": mask, "compile_decoding": compile_decoding}
            found.append(gpt2.generate(IDS, **PLAIN, **ALL, **arguments))
        eager, fast = found
        assert type(used[-1]) is compiled.CompiledSteps and not used[-1].failed
        assert torch.equal(fast.sequences, eager.sequences)
        torch.testing.assert_close(fast.scores, eager.scores, rtol=0, atol=1e-5)
        torch.testing.assert_close(list(fast.past_key_values), list(eager.past_key_values), rtol=0, atol=1e-5)
    assert len(compiled.programs_of(gpt2)) == padded + 1  # one for both kinds of decoding


@needs_compiler
def test_beams_and_groups(gpt2: Any) -> None:
    for arguments in ({"num_beams": 3}, {"num_beams": 3, "num_beam_groups": 3, "diversity_penalty": 0.5}):
        expected = gpt2.generate(IDS, **PLAIN, **arguments)
        assert torch.equal(gpt2.generate(IDS, compile_decoding=True, **PLAIN, **arguments), expected)


@needs_compiler
def test_option_of_the_config(gpt2: Any, used: list[Any]) -> None:
    config = isoform.GenerationConfig(compile_decoding=True, **PLAIN)
    assert torch.equal(gpt2.generate(IDS, generation_config=config), gpt2.generate(IDS, **PLAIN))
    assert [type(way) for way in used] == [compiled.CompiledSteps, steps.PlainSteps]


@needs_compiler
def test_changed_weights_count_at_once() -> None:
    model = cases.make_model(isoform, "gpt2", layers=1)
    model.generate(IDS, compile_decoding=True, **PLAIN)
    for change in (
        lambda p: p.data.mul_(-1.0),  # as merging an adapter does
        lambda p: setattr(p, "data", p.data.flip(0).clone()),
    ):
        change(model.transformer.h[0].mlp.c_fc.weight)
        change(model.transformer.wpe.weight)
        expected = model.generate(IDS, **PLAIN)
        assert torch.equal(model.generate(IDS, compile_decoding=True, **PLAIN), expected)
    assert len(compiled.programs_of(model)) == 1


@needs_compiler
def test_longer_than_a_bucket(gpt2: Any, monkeypatch: Any) -> None:
    """Without a known length, decoding moves on to a larger program."""
    from isoform.generation import StoppingCriteria, StoppingCriteriaList

    class At(StoppingCriteria):
        def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> bool:
            return input_ids.shape[1] >= 20

    monkeypatch.setattr(compiled, "SMALLEST_BUCKET", 8)
    monkeypatch.setattr(compiled, "_UNKNOWN_LENGTH", 4)
    criteria = StoppingCriteriaList([At()])
    with torch.no_grad():
        expected = gpt2.greedy_search(IDS, stopping_criteria=criteria)
        assert torch.equal(gpt2.greedy_search(IDS, stopping_criteria=criteria, compile_decoding=True), expected)
    assert {key[1] for key in compiled.programs_of(gpt2)} >= {16, 32}


def test_buckets() -> None:
    assert [compiled.bucket(n) for n in (1, 64, 65, 128, 129, 1000)] == [64, 64, 128, 128, 256, 1024]


@needs_compiler
def test_later_processes_find_it_compiled(tmp_path: Path) -> None:
    code = """
import sys, torch, isoform
from torch._dynamo.utils import counters
config = isoform.GPT2Config(vocab_size=40, n_embd=32, n_layer=1, n_head=4, n_positions=64, bos_token_id=1)
torch.manual_seed(int(sys.argv[1]))  # other weights
model = isoform.GPT2LMHeadModel(config).eval()
model.generate(torch.tensor([[5, 6, 7]]), max_new_tokens=4, do_sample=False, pad_token_id=0, compile_decoding=True)
caches = {**counters["inductor"], **counters["aot_autograd"]}
print(sum(caches.get(name, 0) for name in ("fxgraph_cache_miss", "autograd_cache_miss")))
"""
    environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    misses = []
    for seed in "01":
        done = subprocess.run(
            [sys.executable, "-c", code, seed], env=environment, capture_output=True, text=True, check=True, timeout=200
        )
        misses.append(int(done.stdout.split()[-1]))
    assert misses[0] > 0 and misses[1] == 0


# What cannot be compiled


@pytest.mark.parametrize(
    "arguments",
    [{"output_attentions": True, "return_dict_in_generate": True}, cases.CONTRASTIVE, {"use_cache": False}],
    ids=str,
)
def test_falls_back(gpt2: Any, used: list[Any], arguments: dict[str, Any], monkeypatch: Any) -> None:
    said: list[str] = []
    monkeypatch.setattr(compiled, "warn_once", said.append)
    found, expected = (gpt2.generate(IDS, compile_decoding=on, **PLAIN, **arguments) for on in (True, False))
    assert type(used[0]) is type(used[1]) and len(said) == 1
    if not isinstance(found, torch.Tensor):
        found, expected = found.sequences, expected.sequences
    assert torch.equal(found, expected)


def test_failing_compiler(gpt2: Any, monkeypatch: Any) -> None:
    def fail(self: Any, graph: Any, examples: Any) -> Any:
        raise RuntimeError("no luck")

    said: list[str] = []
    monkeypatch.setattr(compiled, "warn_once", said.append)
    monkeypatch.setattr(compiled.Program, "_backend", fail)
    model = copy.deepcopy(gpt2)
    for mask in (None, torch.tensor(MASK[:2])):
        arguments = {"attention_mask": mask, **PLAIN}
        assert torch.equal(model.generate(IDS, compile_decoding=True, **arguments), gpt2.generate(IDS, **arguments))
    assert len(said) == 2 and "no luck" in said[0]


@needs_compiler
def test_copies_and_pickles_have_no_programs(gpt2: Any) -> None:
    gpt2.generate(IDS, compile_decoding=True, **PLAIN)
    assert compiled.programs_of(gpt2)
    for other in (copy.deepcopy(gpt2), pickle.loads(pickle.dumps(gpt2))):
        assert not compiled.programs_of(other)
        assert other.state_dict().keys() == gpt2.state_dict().keys()
        assert torch.equal(other.generate(IDS, **PLAIN), gpt2.generate(IDS, **PLAIN))


# The operator and its memory


@needs_compiler
@pytest.mark.parametrize(("n", "k"), [(1, 1), (7, 5), (64, 64), (130, 200), (5000, 67), (33, 1030)])
@pytest.mark.parametrize(
    ("dtype", "rows"), [(torch.float32, 1), (torch.float32, 8), (torch.bfloat16, 1), (torch.bfloat16, 2)]
)
def test_small_linear(n: int, k: int, dtype: torch.dtype, rows: int) -> None:
    random = torch.Generator().manual_seed(n + k)
    x, w, b = (torch.randn(*shape, generator=random).to(dtype) for shape in ((rows, 1, k), (n, k), (n,)))
    for bias in (b, None):
        exact = torch.nn.functional.linear(x.double(), w.double(), None if bias is None else bias.double())
        for weight, transposed in ((w, False), (w.t().contiguous(), True)):
            found = torch.ops.isoform.small_linear.default(x, weight, bias, transposed)
            assert found.dtype == dtype and found.shape == exact.shape
            tolerance = {"rtol": 1e-5, "atol": 1e-4} if dtype == torch.float32 else {"rtol": 2**-8, "atol": 1e-3}
            torch.testing.assert_close(found.double(), exact, **tolerance)


@needs_compiler
def test_small_linear_rounds_and_keeps_infinities() -> None:
    x = torch.tensor([[1.0]], dtype=torch.bfloat16)
    w = torch.tensor([[float("inf")], [float("nan")], [3.0], [-0.0]], dtype=torch.bfloat16)
    b = torch.tensor([1.0, 1.0, 2**-7, 0.0], dtype=torch.bfloat16)  # 3 + 2**-7 lies between two bfloat16 numbers
    found = torch.ops.isoform.small_linear.default(x, w, b, False)
    assert found[0, 0] == float("inf") and found[0, 1].isnan() and found[0, 2] == 3.0 and found[0, 3] == 0.0


def test_huge_pages_only_without_other_threads() -> None:
    before = _native._is_only_thread()  # the test runner may have threads of its own
    done = threading.Event()
    helper, other = (threading.Thread(target=done.wait) for _ in range(2))
    try:
        with _native.starting_helpers():
            helper.start()
        assert _native._is_only_thread() == before
        other.start()
        assert not _native._is_only_thread()
    finally:
        done.set()
        helper.join()
        other.join()


def test_huge_pages_change_no_weight(monkeypatch: Any) -> None:
    monkeypatch.setattr(_native, "_WORTH_MOVING", 0)
    monkeypatch.setattr(_native, "_is_only_thread", lambda: True)
    model = cases.make_model(isoform, "gpt2", layers=1)
    shared = torch.nn.Parameter(torch.ones(4)[1:])  # a view: its memory is someone else's
    model.extra = shared
    parameters, values = list(model.parameters()), [p.clone() for p in model.parameters()]
    places = {id(p): p.data_ptr() for p in parameters}
    _native.use_huge_pages(model)
    assert all(p is q for p, q in zip(model.parameters(), parameters))
    assert all(map(torch.equal, model.parameters(), values))
    assert model.lm_head.weight is model.transformer.wte.weight
    if sys.platform == "linux":
        assert model.lm_head.weight.data_ptr() != places[id(model.lm_head.weight)]
    moved = model.lm_head.weight.data_ptr()
    _native.use_huge_pages(model)
    assert model.lm_head.weight.data_ptr() == moved  # once is enough
    model(IDS).logits.sum().backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert not torch.equal(model.lm_head.weight, values[0])

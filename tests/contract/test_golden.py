"""Every architecture against the numbers of the reference implementation (tests/golden)."""

from __future__ import annotations

import pytest
import torch

from tests.golden.cases import Case, flatten, paths

TOLERANCE = 1e-5  # of max(1, largest magnitude): float32 rounding, see FORMAT.md of the golden files


@pytest.fixture(params=paths(), ids=lambda path: path.stem, scope="module")
def case(request):
    return Case(request.param)


@pytest.fixture(scope="module")
def model(case):
    return case.model()


def assert_close(name: str, got: torch.Tensor, want: torch.Tensor, keep: torch.Tensor | None = None) -> None:
    assert got.shape == want.shape, f"{name}: shape {tuple(got.shape)}, expected {tuple(want.shape)}"
    got, want = got.detach().double(), want.detach().double()
    if keep is not None:
        got, want = got[keep.expand_as(got)], want[keep.expand_as(want)]
    scale = max(1.0, float(want.detach().abs().max())) if want.numel() else 1.0
    worst = float((got - want).abs().max()) / scale if want.numel() else 0.0
    assert worst <= TOLERANCE, f"{name}: off by {worst:.2e}"


def rows_that_see_something(case: Case) -> torch.Tensor | None:
    """(batch, sequence): positions whose query sees a key; the others depend on rounding at the mask constant."""
    mask = case.inputs.get("attention_mask")
    if not isinstance(mask, torch.Tensor) or mask.dim() != 2 or case.config().is_encoder_decoder:
        return None
    rows, weights = mask.cumsum(1) > 0, case.expected("out.").get("attentions.0")
    if weights is not None and weights.dim() == 4 and weights.shape[2] != rows.shape[1]:
        return None  # the mask is of samples of a recording, not of positions
    if weights is not None and weights.dim() == 4 and weights.triu(1).transpose(1, 2)[rows].any():
        return None  # an encoder: all positions see all that is not padding
    return rows


def visible(name: str, want: torch.Tensor, rows: torch.Tensor | None) -> torch.Tensor | None:
    """The elements of an output that belong to `rows`, as a mask that broadcasts to it."""
    if rows is None:
        return None
    if want.dim() == 5:  # keys and values stacked
        return rows[None, :, None, :, None]
    if want.dim() < 3 or want.shape[0] != rows.shape[0]:
        return None
    if name.startswith(("past_key_values", "attentions")):
        return rows[:, None, :, None] if want.dim() == 4 and want.shape[2] == rows.shape[1] else None
    return rows[..., None] if want.shape[1] == rows.shape[1] else None


def test_state_dict(case, model):
    """Names, shapes and dtypes of checkpoints."""
    found = {name: [list(t.shape), str(t.dtype).removeprefix("torch.")] for name, t in model.state_dict().items()}
    assert found == {name: [shape, dtype] for name, shape, dtype in case.json("state_dict")}


def test_outputs(case, model):
    flags = dict.fromkeys(case.json("output_flags"), True)
    with torch.no_grad():
        torch.manual_seed(0)
        output = model(**case.inputs, **flags)
    got, rows = flatten(output), rows_that_see_something(case)
    got.pop("loss", None)  # of models that need no labels; test_loss_and_gradients looks at it
    expected = {
        name: t for name, t in case.expected("out.").items() if name != "loss" and not name.startswith("loss_pass")
    }
    stacked = {name.rsplit(".", 1)[0] for name in got} - set(got)
    for name in stacked & set(expected):  # CTRL's reference stacks keys and values into one tensor
        got[name] = torch.stack((got.pop(f"{name}.0"), got.pop(f"{name}.1")))
    assert set(got) == set(expected)
    for name, want in expected.items():
        keep = None if f"out.{name}" in (case.json("subsampled") or {}) else visible(name, want, rows)
        assert_close(name, case.sampled(f"out.{name}", got[name]), want, keep)


def test_loss_and_gradients(case, model):
    if not case.json("loss"):
        pytest.skip("the class has no loss")
    model.zero_grad()
    torch.manual_seed(0)
    output = model(**case.inputs, **case.labels)
    assert_close("loss", output.loss, case.expected("out.")["loss"])
    output.loss.backward()
    found = {name: None if p.grad is None else float(p.grad.double().norm()) for name, p in model.named_parameters()}
    expected = case.json("grad_norms")
    assert found.keys() == expected.keys()
    # A gradient that cancels to rounding has no meaningful relative error; measure it against the largest.
    scale = max(value for value in expected.values() if value is not None)
    for name, want in expected.items():
        assert (found[name] is None) == (want is None), name
        least = (1e-2 if want else 1e-1) * scale  # fused attention does not reach the exact 0 of written-out formulas
        if scale < 1e-5:  # all cancel (equal choices): what is left is the rounding of a loss of the order of 1
            least = 1e-1
        assert want is None or abs(found[name] - want) <= 1e-5 * max(want, least), (name, found[name], want)


@pytest.mark.parametrize("beams", [1, 3])
def test_generation(case, model, beams):
    if case.json("generate") is None:
        pytest.skip("the class does not generate")
    config = model.generation_config
    config.update(eos_token_id=None, forced_bos_token_id=None, forced_eos_token_id=None, suppress_tokens=None)
    config.update(begin_suppress_tokens=None, min_length=0, do_sample=False, max_new_tokens=8, num_beams=beams)
    config.update(**{key: value for key, value in case.json("gen_config").items() if key != "max_new_tokens"})
    result = model.generate(
        **case.generate_inputs,
        **case.json("generate"),
        generation_config=config,
        return_dict_in_generate=True,
        output_scores=True,
    )
    expected = case.expected("gen.")
    assert torch.equal(result.sequences, expected["greedy" if beams == 1 else "beam"])
    if beams > 1:
        assert_close("beam_scores", result.sequences_scores, expected["beam_scores"])

"""Models in JAX give what they give in torch. Needs the extra `jax`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isoform.frameworks.graph import evaluate, trace
from tests.contract.test_contract import export_inputs, grown
from tests.golden.cases import Case, flatten, paths

jax = pytest.importorskip("jax")
ONCE = [path for path in paths() if "@" not in path.stem]


@pytest.mark.parametrize("path", ONCE, ids=lambda path: path.stem)
def test_same_outputs(path):
    from isoform.frameworks import jax_ops

    case = Case(path)
    model, inputs = case.model(attn_implementation="sdpa"), export_inputs(case)
    tensors = {name: value for name, value in inputs.items() if isinstance(value, torch.Tensor)}
    texts = ("ids", "mask")
    dynamic = {
        name: range(value.dim()) if name.endswith(texts) and name != "mc_token_ids" else (0,)
        for name, value in tensors.items()
    }
    program = trace(model, inputs, dynamic)
    other = grown(inputs, sizes=False)
    with torch.no_grad():
        want = flatten(model(**other))

    def run(weights, constants, given):
        values = {name: weights[key] for name, key in program.parameters.items()}
        values |= constants | {name: given.get(key) for name, key in program.inputs.items()}
        return evaluate(program, jax_ops.OPERATORS, values, jax_ops.cast)[0]

    def arrays(tensors):
        return {name: jax.numpy.asarray(value.detach().numpy()) for name, value in tensors.items()}

    flat = jax.jit(run)(
        arrays(model.state_dict()),
        arrays(program.constants),
        arrays({name: value for name, value in other.items() if isinstance(value, torch.Tensor)}),
    )
    torches = [torch.from_numpy(np.array(x)) if hasattr(x, "shape") else x for x in flat]
    got = flatten(torch.utils._pytree.tree_unflatten(torches, program.out_spec))
    assert got.keys() == want.keys()
    for name, value in want.items():
        if value.is_floating_point():
            torch.testing.assert_close(got[name], value, rtol=2e-5, atol=2e-5, equal_nan=True)
        else:
            assert torch.equal(got[name].to(value.dtype), value)

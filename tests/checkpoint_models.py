"""Small models for the tests of loading and saving."""

from __future__ import annotations

import torch
from torch import nn

from isoform import GPTNeoXConfig, GPTNeoXForCausalLM
from isoform.configuration_utils import PretrainedConfig
from isoform.modeling_utils import PreTrainedModel

IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])


def tiny(vocab_size: int = 11, seed: int = 0, **settings) -> GPTNeoXForCausalLM:
    """A GPT-NeoX of 5,000 parameters."""
    torch.manual_seed(seed)
    sizes = {"num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
    config = GPTNeoXConfig(**{**sizes, "max_position_embeddings": 16, "vocab_size": vocab_size, **settings})
    return GPTNeoXForCausalLM(config).eval()


def same_weights(first: nn.Module, second: nn.Module) -> bool:
    """Whether two models have equal weights under equal names."""
    a, b = first.state_dict(), second.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


class ToyConfig(PretrainedConfig):
    model_type = "toy-of-the-tests"

    def __init__(self, width: int = 6, **kwargs) -> None:
        self.width = width
        super().__init__(**kwargs)


class ToyModel(PreTrainedModel):
    """Has what a loader may get wrong: computed buffers and parameters, running statistics, integers, scalars."""

    config_class = ToyConfig
    base_model_prefix = "toy"
    input_embeddings = "embed"
    _keep_in_fp32_modules = ["precise"]
    _keys_to_ignore_on_load_missing = [r"sinusoids"]
    _keys_to_ignore_on_load_unexpected = [r"^optional\."]
    ignored_checkpoint_keys = (r"\.old_buffer$",)

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(config)
        width = config.width
        self.embed = nn.Embedding(10, width, padding_idx=0)
        self.linear = nn.Linear(width, width)
        self.precise = nn.Linear(width, width)
        self.norm = nn.BatchNorm1d(width)
        self.scale = nn.Parameter(torch.full((), 3.0))
        self.sinusoids = nn.Parameter(torch.zeros(4, width), requires_grad=False)
        with torch.no_grad():
            self.sinusoids[:, ::2] = torch.arange(4.0)[:, None].sin()
        self.register_buffer("steps", torch.arange(4))
        self.register_buffer("inverse", 1.0 / torch.arange(1, 5), persistent=False)
        self.register_buffer("shift", torch.full((width,), 0.5), persistent=False)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.constant_(module.weight, 7.0)
            nn.init.zeros_(module.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.embed(x)) * self.scale + self.shift


class ToyWithHead(ToyModel):
    """The toy under a prefix, with a head."""

    def __init__(self, config: ToyConfig) -> None:
        PreTrainedModel.__init__(self, config)
        self.toy = ToyModel(config)
        self.head = nn.Linear(config.width, 2)
        self.post_init()  # what classes written for the reference do

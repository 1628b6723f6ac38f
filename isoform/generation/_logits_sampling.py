"""Warpers: processors that shape the distribution from which tokens are sampled."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ._logits_base import NEVER, LogitsWarper, is_whole, require


class TemperatureLogitsWarper(LogitsWarper):
    """Divides the scores.

    Args:
        temperature: above 0; less than 1 sharpens, more flattens the distribution.
    """

    def __init__(self, temperature: float) -> None:
        if not isinstance(temperature, float) or not temperature > 0:
            message = f"`temperature` must be a float above 0, found {temperature}."
            if isinstance(temperature, float) and temperature == 0.0:
                message += " For the most likely token at each step, set `do_sample=False`."
            raise ValueError(message)
        self.temperature = temperature

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores / self.temperature


class TopKLogitsWarper(LogitsWarper):
    """Keeps the most likely tokens.

    Args:
        top_k: their number.
        filter_value: score of the others.
        min_tokens_to_keep: lower bound of `top_k`.
    """

    def __init__(self, top_k: int, filter_value: float = NEVER, min_tokens_to_keep: int = 1) -> None:
        require(is_whole(top_k, 1), f"`top_k` must be an int above 0, found {top_k}")
        self.top_k = max(top_k, min_tokens_to_keep)
        self.filter_value = filter_value

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        k = min(self.top_k, scores.shape[-1])
        return scores.masked_fill(scores < scores.topk(k).values[..., -1:], self.filter_value)


class TopPLogitsWarper(LogitsWarper):
    """Keeps the smallest set of most likely tokens that has a given probability.

    Source: Holtzman et al., The Curious Case of Neural Text Degeneration, arXiv 1904.09751.

    Args:
        top_p: the probability, 0 to 1.
        filter_value: score of the other tokens.
        min_tokens_to_keep: smallest size of the set.
    """

    # The set is mostly small: with so many of the best tokens sorting the whole vocabulary is seldom needed.
    _candidates = 256
    # Distance from `top_p` at which the order of summation cannot change the result.
    _margin = 1e-5

    def __init__(self, top_p: float, filter_value: float = NEVER, min_tokens_to_keep: int = 1) -> None:
        top_p = float(top_p)
        require(0 <= top_p <= 1.0, f"`top_p` must be a float from 0 to 1, found {top_p}")
        require(
            is_whole(min_tokens_to_keep, 1),
            f"`min_tokens_to_keep` must be an int above 0, found {min_tokens_to_keep}",
        )
        self.top_p = top_p
        self.filter_value = filter_value
        self.min_tokens_to_keep = min_tokens_to_keep

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        least = self._least_score(scores)
        if least is not None:
            return scores.masked_fill(scores < least, self.filter_value)
        ordered, indices = scores.sort(descending=False)
        remove = ordered.softmax(dim=-1).cumsum(dim=-1) <= (1 - self.top_p)
        remove[..., -self.min_tokens_to_keep :] = False
        return scores.masked_fill(torch.zeros_like(remove).scatter(1, indices, remove), self.filter_value)

    def _least_score(self, scores: Tensor) -> Tensor | None:
        """Lowest score that is kept, (batch, 1), or None if the best tokens alone do not tell it for sure.

        Reads values back, so it is only for the CPU, where that costs nothing.
        """
        enough = self._candidates < scores.shape[-1] and self.min_tokens_to_keep < self._candidates
        if not enough or scores.device.type != "cpu" or scores.dtype != torch.float32 or torch.compiler.is_compiling():
            return None
        best = scores.topk(self._candidates).values
        probabilities = (best - scores.logsumexp(-1, keepdim=True)).exp()
        before = probabilities.cumsum(-1) - probabilities
        kept = (before < self.top_p).sum(-1, keepdim=True).clamp(min=self.min_tokens_to_keep)
        first_out = best.gather(-1, kept.clamp(max=self._candidates - 1))
        least = best.gather(-1, kept - 1)
        clear = (
            (kept < self._candidates) & (least > first_out) & ((before - self.top_p).abs() > self._margin).all(-1, True)
        )
        return least if bool(clear.all()) else None


class TypicalLogitsWarper(LogitsWarper):
    """Keeps the tokens whose information content is nearest to the entropy.

    Source: Meister et al., Locally Typical Sampling, arXiv 2202.00666.

    Args:
        mass: probability of the set that is kept, above 0 and below 1.
        filter_value: score of the other tokens.
        min_tokens_to_keep: smallest size of the set.
    """

    def __init__(self, mass: float = 0.9, filter_value: float = NEVER, min_tokens_to_keep: int = 1) -> None:
        mass = float(mass)
        require(0 < mass < 1, f"`typical_p` must be a float between 0 and 1, found {mass}")
        require(
            is_whole(min_tokens_to_keep, 1),
            f"`min_tokens_to_keep` must be an int above 0, found {min_tokens_to_keep}",
        )
        self.mass = mass
        self.filter_value = filter_value
        self.min_tokens_to_keep = min_tokens_to_keep

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        information = -scores.log_softmax(dim=-1)
        # A probability of 0 has no part in the entropy: there 0 * inf is nan.
        entropy = (information * (-information).exp()).nansum(-1, keepdim=True)
        distance, indices = (information - entropy).abs().sort(descending=False)
        cumulative = scores.gather(-1, indices).softmax(dim=-1).cumsum(dim=-1)
        last = (cumulative < self.mass).sum(dim=1, keepdim=True).clamp(max=scores.shape[-1] - 1)
        remove = distance > distance.gather(1, last)
        remove[..., : self.min_tokens_to_keep] = False
        return scores.masked_fill(torch.zeros_like(remove).scatter(1, indices, remove), self.filter_value)


class EpsilonLogitsWarper(LogitsWarper):
    """Keeps the tokens of at least a given probability.

    Source: Hewitt et al., Truncation Sampling as Language Model Desmoothing, arXiv 2210.15191.

    Args:
        epsilon: the probability, above 0 and below 1.
        filter_value: score of the other tokens.
        min_tokens_to_keep: smallest number of tokens that is kept.
    """

    def __init__(self, epsilon: float, filter_value: float = NEVER, min_tokens_to_keep: int = 1) -> None:
        epsilon = float(epsilon)
        require(0 < epsilon < 1, f"`epsilon_cutoff` must be a float between 0 and 1, found {epsilon}")
        require(
            is_whole(min_tokens_to_keep, 1),
            f"`min_tokens_to_keep` must be an int above 0, found {min_tokens_to_keep}",
        )
        self.epsilon = epsilon
        self.filter_value = filter_value
        self.min_tokens_to_keep = min_tokens_to_keep

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        remove = scores.softmax(dim=-1) < self.epsilon
        return scores.masked_fill(_keep_best(remove, scores, self.min_tokens_to_keep), self.filter_value)


class EtaLogitsWarper(LogitsWarper):
    """Keeps the tokens of at least a probability that is lower where the entropy is high.

    Source: Hewitt et al., Truncation Sampling as Language Model Desmoothing, arXiv 2210.15191.

    Args:
        epsilon: upper bound of the cutoff, above 0 and below 1.
        filter_value: score of the other tokens.
        min_tokens_to_keep: smallest number of tokens that is kept.
    """

    def __init__(self, epsilon: float, filter_value: float = NEVER, min_tokens_to_keep: int = 1) -> None:
        epsilon = float(epsilon)
        require(0 < epsilon < 1, f"`eta_cutoff` must be a float between 0 and 1, found {epsilon}")
        require(
            is_whole(min_tokens_to_keep, 1),
            f"`min_tokens_to_keep` must be an int above 0, found {min_tokens_to_keep}",
        )
        self.epsilon = torch.tensor(epsilon)
        self.filter_value = filter_value
        self.min_tokens_to_keep = min_tokens_to_keep

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        log_p = scores.log_softmax(dim=-1)
        p = log_p.exp()
        entropy = -(log_p.clamp(min=torch.finfo(log_p.dtype).min) * p).sum(-1, keepdim=True)
        epsilon = self.epsilon.item()  # of a tensor on the CPU: no wait
        eta = ((-entropy).exp() * math.sqrt(epsilon)).clamp(max=epsilon)
        return scores.masked_fill(_keep_best(p < eta, scores, self.min_tokens_to_keep), self.filter_value)


def _keep_best(remove: Tensor, scores: Tensor, least: int) -> Tensor:
    """Take the `least` best tokens off the set to remove."""
    k = min(least, scores.shape[-1])
    return remove & (scores < scores.topk(k).values[..., -1:])

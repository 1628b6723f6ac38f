"""Conditions on what constrained beam search generates, and the record of which of them are fulfilled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and value >= 0


class Constraint(ABC):
    """A condition that is fulfilled token by token.

    A subclass sets `seqlen`, the number of tokens of its longest fulfilment, and then calls this constructor, which
    tries the constraint out.
    """

    seqlen: int

    def __init__(self) -> None:
        self.test()

    def test(self) -> None:
        """Feed the constraint the tokens that it asks for.

        Raises:
            Exception: that does not fulfil it.
        """
        # Twice, and for the second time after `reset`, which may come in the midst of the tokens.
        for attempt in range(10_001):
            if attempt == 1:
                self.reset()
            wanted: Any = self.advance()
            if not self.does_advance(wanted):
                raise Exception(
                    "This constraint is not defined correctly: `does_advance` must accept what `advance` proposes."
                )
            _, completed, _ = self.update(wanted)
            if completed:
                break
        else:
            raise Exception("update() does not fulfill the constraint.")
        if self.remaining() != 0:
            raise Exception("This constraint is not defined correctly: `remaining()` must be 0 once it is fulfilled.")

    @abstractmethod
    def advance(self) -> int | list[int] | None:
        """The token, or tokens, any of which is a step forward; None after completion."""

    @abstractmethod
    def does_advance(self, token_id: int) -> bool:
        """Whether a token is a step forward."""

    @abstractmethod
    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        """Take a token.

        Returns:
            (stepped, completed, reset): whether it was a step forward, the last one, or undid all progress.
        """

    @abstractmethod
    def reset(self) -> None:
        """Undo all progress."""

    @abstractmethod
    def remaining(self) -> int:
        """Number of steps to completion."""

    @abstractmethod
    def copy(self, stateful: bool = False) -> Constraint:
        """A new constraint of the same kind, with this one's progress if `stateful`."""


class PhrasalConstraint(Constraint):
    """Asks for a sequence of tokens.

    Args:
        token_ids: the sequence.
    """

    def __init__(self, token_ids: list[int]) -> None:
        # The constructor of the base is left out: this class needs no trial.
        if not isinstance(token_ids, list) or not token_ids:
            raise ValueError(f"`token_ids` must be a list with at least one id, found {token_ids}.")
        if not all(map(_is_token, token_ids)):
            raise ValueError(f"`token_ids` must hold token ids (ints from 0), found {token_ids}.")
        self.token_ids = token_ids
        self.seqlen = len(token_ids)
        self.reset()

    def reset(self) -> None:
        self.fulfilled_idx = -1  # the last token of the sequence that has come
        self.completed = False

    def advance(self) -> int | None:
        return None if self.completed else self.token_ids[self.fulfilled_idx + 1]

    def does_advance(self, token_id: int) -> bool:
        if not isinstance(token_id, int):
            raise ValueError(f"`token_id` must be an `int`, found {token_id} of type {type(token_id)}")
        return not self.completed and token_id == self.token_ids[self.fulfilled_idx + 1]

    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        if not self.does_advance(token_id):
            self.reset()
            return False, False, True
        self.fulfilled_idx += 1
        self.completed = self.remaining() == 0
        return True, self.completed, False

    def remaining(self) -> int:
        return self.seqlen - (self.fulfilled_idx + 1)

    def copy(self, stateful: bool = False) -> PhrasalConstraint:
        new = PhrasalConstraint(self.token_ids)
        if stateful:
            new.fulfilled_idx, new.completed = self.fulfilled_idx, self.completed
        return new


class DisjunctiveTrie:
    """A tree of sequences.

    Args:
        nested_token_ids: the sequences.
        no_subsets: refuse a sequence that is the beginning of another.
    """

    def __init__(self, nested_token_ids: list[list[int]], no_subsets: bool = True) -> None:
        self.max_height = max(map(len, nested_token_ids))
        self.trie: dict[int, dict] = {}
        for sequence in nested_token_ids:
            node = self.trie
            for token in sequence:
                node = node.setdefault(token, {})
        if no_subsets and self.has_subsets(self.trie, nested_token_ids):
            raise ValueError(
                "`nested_token_ids`: no list may begin with the whole of another, which would already fulfil it; "
                f"found {nested_token_ids}."
            )

    def next_tokens(self, current_seq: Iterable[int]) -> list[int]:
        """The tokens that may follow a beginning."""
        node = self.trie
        for token in current_seq:
            node = node[token]
        return list(node)

    def reached_leaf(self, current_seq: Iterable[int]) -> bool:
        """Whether a sequence is complete."""
        return not self.next_tokens(current_seq)

    def count_leaves(self, root: dict[int, dict]) -> int:
        """Number of complete sequences below a node."""
        return sum(map(self.count_leaves, root.values())) if root else 1

    def has_subsets(self, trie: dict[int, dict], nested_token_ids: list[list[int]]) -> bool:
        """Whether there are fewer ends than sequences: some sequence is the beginning of another, or its double."""
        return self.count_leaves(trie) != len(nested_token_ids)


class DisjunctiveConstraint(Constraint):
    """Asks for any of several sequences of tokens.

    Args:
        nested_token_ids: the sequences, none of which may be the beginning of another.
    """

    def __init__(self, nested_token_ids: list[list[int]]) -> None:
        # The constructor of the base is left out: this class needs no trial.
        if not isinstance(nested_token_ids, list) or not nested_token_ids:
            raise ValueError(f"`nested_token_ids` must be a list with at least one entry, found {nested_token_ids}.")
        if not all(isinstance(token_ids, list) for token_ids in nested_token_ids):
            raise ValueError(f"`nested_token_ids`: each entry must be a list of ids, found {nested_token_ids}.")
        if not all(_is_token(token) for token_ids in nested_token_ids for token in token_ids):
            raise ValueError(
                f"`nested_token_ids`: each entry must hold token ids (ints from 0), found {nested_token_ids}."
            )
        self.trie = DisjunctiveTrie(nested_token_ids)
        self.token_ids = nested_token_ids
        self.seqlen = self.trie.max_height
        self.reset()

    def reset(self) -> None:
        self.current_seq: list[int] = []
        self.completed = False

    def advance(self) -> list[int] | None:
        return self.trie.next_tokens(self.current_seq) or None

    def does_advance(self, token_id: int) -> bool:
        if not isinstance(token_id, int):
            raise ValueError(f"`token_id` must be an `int`, found {token_id} of type {type(token_id)}")
        return token_id in self.trie.next_tokens(self.current_seq)

    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        if not self.does_advance(token_id):
            self.reset()
            return False, False, True
        self.current_seq.append(token_id)
        self.completed = self.trie.reached_leaf(self.current_seq)
        return True, self.completed, False

    def remaining(self) -> int:
        return 0 if self.completed else self.seqlen - len(self.current_seq)

    def copy(self, stateful: bool = False) -> DisjunctiveConstraint:
        new = object.__new__(DisjunctiveConstraint)  # shares the tree, which never changes
        new.trie, new.token_ids, new.seqlen = self.trie, self.token_ids, self.seqlen
        new.reset()
        if stateful:
            new.current_seq, new.completed = list(self.current_seq), self.completed
        return new


class ConstraintListState:
    """How far one hypothesis is with a list of constraints, of which at most one is in progress.

    Args:
        constraints: the constraints; they are copied.
    """

    def __init__(self, constraints: list[Constraint]) -> None:
        self.constraints = constraints
        self.max_seqlen = max(constraint.seqlen for constraint in constraints)
        self.n_constraints = len(constraints)
        self.init_state()

    def init_state(self) -> None:
        """Forget all tokens."""
        self.completed = False
        self.complete_constraints: list[Constraint] = []
        self.inprogress_constraint: Constraint | None = None
        self.pending_constraints = [constraint.copy(stateful=False) for constraint in self.constraints]

    def get_bank(self) -> int:
        """Progress as one number: more means nearer to the fulfilment of all."""
        current = self.inprogress_constraint
        begun = 0 if current is None else self.max_seqlen - current.remaining()
        return len(self.complete_constraints) * self.max_seqlen + begun

    def advance(self) -> list[int] | None:
        """The tokens that are a step forward: of the constraint in progress, otherwise of all pending ones."""
        current = self.inprogress_constraint
        tokens: list[int] = []
        for constraint in self.pending_constraints if current is None else [current]:
            wanted = constraint.advance()
            if isinstance(wanted, int):
                tokens.append(wanted)
            elif wanted is not None:
                tokens.extend(wanted)
        return tokens or None

    def reset(self, token_ids: list[int] | None) -> None:
        """Forget all tokens and take others, up to the fulfilment of all constraints."""
        self.init_state()
        for token in token_ids or ():
            self.add(token)
            if self.completed:
                break

    def add(self, token_id: int) -> tuple[bool, bool]:
        """Take a token.

        Returns:
            (complete, stepped): whether it completed a constraint, and whether it was a step forward.
        """
        if not isinstance(token_id, int):
            raise ValueError(f"`token_id` must be an `int`, found {token_id!r}.")
        if self.completed:
            return True, False
        if self.inprogress_constraint is None:
            return self._begin(token_id)
        return self._continue(self.inprogress_constraint, token_id)

    def _continue(self, current: Constraint, token_id: int) -> tuple[bool, bool]:
        stepped, complete, reset = current.update(token_id)
        if reset:
            self.pending_constraints.append(current.copy(stateful=False))
            self.inprogress_constraint = None
        if complete:
            self._complete(current)
        return complete, stepped

    def _begin(self, token_id: int) -> tuple[bool, bool]:
        for index, constraint in enumerate(self.pending_constraints):
            if not constraint.does_advance(token_id):
                continue
            stepped, complete, _ = constraint.update(token_id)
            if not stepped:
                raise Exception(
                    "A constraint contradicts itself: `does_advance(token_id)` is true, but `update(token_id)` "
                    "made no progress."
                )
            del self.pending_constraints[index]
            if complete:
                self._complete(constraint)
            else:
                self.inprogress_constraint = constraint
            return complete, stepped
        return False, False

    def _complete(self, constraint: Constraint) -> None:
        self.complete_constraints.append(constraint)
        self.inprogress_constraint = None
        self.completed = not self.pending_constraints

    def copy(self, stateful: bool = True) -> ConstraintListState:
        """A new state of the same constraints, with the progress of this one if `stateful`."""
        # The originals are never updated, so the copy may share them.
        new = ConstraintListState(self.constraints)
        if stateful:
            current = self.inprogress_constraint
            new.completed = self.completed
            new.complete_constraints = [constraint.copy(stateful=True) for constraint in self.complete_constraints]
            new.inprogress_constraint = None if current is None else current.copy(stateful=True)
            new.pending_constraints = [constraint.copy() for constraint in self.pending_constraints]
        return new

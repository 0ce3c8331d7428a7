"""A language model's part in ``label``: it is asked about hard rows, and its answers become labels or votes."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from annotator_core.annotation import Ballot, Block
from annotator_core.arrays import IntArray
from annotator_core.cli.answers import AnswerFile
from annotator_core.cli.gold import Audit, collect_audit
from annotator_core.cli.progress import show_bar
from annotator_core.cli.verifier import VerifierOptions
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.opinion import opinion
from annotator_core.errors import BudgetReached, TryLater
from annotator_core.texts import find_flaw, hash_text
from annotator_core.types import ABSTAIN, LabelSource
from annotator_core.verifiers.contract import Asker, Example, Outcome, Question, ShownVote, Verdict
from annotator_core.verifiers.draws import join_models
from annotator_core.verifiers.drive import ask_all
from annotator_core.verifiers.examples import choose
from annotator_core.verifiers.money import to_usd
from annotator_core.verifiers.pace import Pace

# scipy takes a second to import: only what fuses pays for it.
if TYPE_CHECKING:
    from annotator_core.consensus.fusion import FittedFusion

_MOST_PAUSES: Final = 5
"""Pauses in a row without one new verdict, after which an endpoint is given up; chosen."""
_LONGEST_PAUSE_S: Final = 600.0
_HARM: Final = {
    "verifier_worse": "in place of its labels the answers would hurt, as one more vote they do not.",
    "verifier_unproven": "that does not show that the answers are better than the labels they replace. Give --fuse, "
    "which makes them one more vote, or more gold rows.",
}
_NOT_ASKED: Final = "The cap was reached before this row was asked about."


@dataclass(frozen=True, slots=True)
class ExamplePool:
    """Verified texts that may stand as examples, as columns, and the hashes of those that must not."""

    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    excluded: frozenset[str] = frozenset()


class Verification:
    """Asks about hard rows; made by `endpoints.open_verification`."""

    def __init__(
        self,
        options: VerifierOptions,
        askers: Sequence[Asker],
        ledger: AnswerFile,
        pool: ExamplePool,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start with nothing asked."""
        self._options, self._askers, self._ledger, self._pool, self._wait = options, askers, ledger, pool, wait
        self._paces = [Pace(options.concurrency, seed=number) for number in range(len(askers))]
        self._fusion: FittedFusion | None = None
        self._audit: Audit | None = None
        self._said: dict[str, int] = {}
        self._is_spent = False
        self._told = ""

    @property
    def is_fused(self) -> bool:
        """Whether an answer is one more vote."""
        return self._options.is_fused

    def verify(self, block: Block) -> tuple[Block, Mapping[int, Verdict]]:
        """Return the block with the labels of rows that a usable answer decided, and the verdicts by row.

        Rows without one keep their route to a person. Raises what `drive.ask_all` raises.
        """
        verdicts = self._ask(block, np.flatnonzero(block.is_hard))
        self._keep_audited(block, verdicts)
        answers: IntArray = np.full(len(block), ABSTAIN, dtype=np.int64)
        for row, verdict in verdicts.items():
            answers[row] = self._count(verdict)
        is_verified = answers != ABSTAIN
        labels, confidence = np.where(is_verified, answers, block.labels), block.confidence.copy()
        confidence[is_verified] = np.nan
        source = LabelSource.VERIFIER
        if self._fusion is not None:
            ballots = Ballots(block.votes, block.ballot.probs)
            fused, source = opinion(self._fusion.predict(ballots, answers)), LabelSource.FUSED
            labels = np.where(is_verified, fused.classes, labels)
            confidence[is_verified] = fused.top[is_verified]
        block = replace(block, labels=labels, is_verified=is_verified, confidence=confidence, verified_by=source)
        return block, verdicts

    def fit(self, blocks: Iterable[Block], read: Callable[[], Iterable[Ballot]], gold: IntArray, seed: int) -> None:
        """Learn how far answers are to be believed, from all hard rows and people's answers of the fitting third.

        An answer that is not sure counts for none here, too: it will never be one more vote.

        blocks and read: of the whole table, in order. gold (n,): people's answers or empty. Raises as `verify` does.
        """
        from annotator_core.consensus.fusion import fit_fusion

        audit = collect_audit(read, gold).find_fitting()
        fitting = {text for text, answer in zip(audit.texts, audit.gold.tolist(), strict=True) if answer != ABSTAIN}
        said: dict[str, int] = {}
        for block in blocks:
            wanted = block.is_hard | np.array([text in fitting for text in block.ballot.texts], dtype=np.bool_)
            found = self._ask(block, np.flatnonzero(wanted))
            said |= {block.ballot.texts[row]: self._count(verdict) for row, verdict in found.items()}
        answers: IntArray = np.array([said.get(text, ABSTAIN) for text in audit.texts], dtype=np.int64)
        self._fusion = fit_fusion(audit.ballots, answers, audit.gold, seed=seed)
        self._told += _find_harm(audit.ballots, audit.gold, answers, ["verifier_worse"])

    def watch(self, read: Callable[[], Iterable[Ballot]], gold: IntArray) -> None:
        """Set answers that take the place of the pool's labels beside people's; `tell` warns where they hurt.

        read: of the whole table, in order. gold (n,): people's answers or empty.
        """
        if len(gold):
            self._audit = collect_audit(read, gold)
            self._said = dict.fromkeys(self._audit.texts, ABSTAIN)

    def _keep_audited(self, block: Block, verdicts: Mapping[int, Verdict]) -> None:
        for row, verdict in verdicts.items():
            if block.ballot.texts[row] in self._said:
                self._said[block.ballot.texts[row]] = self._count(verdict)

    def tell(self) -> str:
        """Return for a person what was asked and paid, and whether answers hurt."""
        if self._audit is not None:
            answers: IntArray = np.array([self._said[text] for text in self._audit.texts], dtype=np.int64)
            self._told += _find_harm(self._audit.ballots, self._audit.gold, answers, list(_HARM))
            self._audit = None
        spent = self._ledger.spent
        tokens = f"{spent.tokens_in:,} tokens in and {spent.tokens_out:,} out"
        cap = "" if self._options.cap_nano is None else f" of ${to_usd(self._options.cap_nano):,.4f}"
        paid = f"${to_usd(spent.nano):,.4f}{cap}"
        return f"{self._told}{spent.requests:,} requests to the language model, {tokens}, {paid}.\n"

    def _count(self, verdict: Verdict) -> int:
        """Return the class that an answer counts for, ABSTAIN where it is not sure: it says less than was asked for."""
        least = self._options.sure_from
        is_sure = least is None or (verdict.confidence is not None and verdict.confidence >= least)
        return verdict.class_index if is_sure else ABSTAIN

    def _ask(self, block: Block, rows: IntArray) -> dict[int, Verdict]:
        """Return the verdicts by row; a text without words is not asked about."""
        asked = [int(row) for row in rows if find_flaw(block.ballot.texts[row]) is None]
        questions = self._write_questions(block, asked)
        by_model = [self._ask_model(number, questions) for number in range(len(self._askers))]
        return {row: join_models([found[row] for found in by_model]) for row in asked}

    def _ask_model(self, number: int, questions: Sequence[Question]) -> dict[int, Verdict]:
        found: dict[int, Verdict] = {}
        pauses = 0
        while len(found) < len(questions) and not self._is_spent:
            before = len(found)
            try:
                self._take(number, [question for question in questions if question.id not in found], found)
            except BudgetReached as error:
                if not self._options.goes_on:
                    raise
                self._is_spent = True
                self._told += f"{error.message} The other hard rows go to a person.\n"
            except TryLater as error:
                pauses = pauses + 1 if len(found) == before else 1
                if pauses > _MOST_PAUSES:
                    raise
                pause_s = min(error.after_s, _LONGEST_PAUSE_S)
                sys.stderr.write(f"{error.message} Going on in {pause_s:.0f} s.\n")
                self._wait(pause_s)
        return {one.id: found.get(one.id) or _abstain(one) for one in questions}

    def _take(self, number: int, questions: Sequence[Question], found: dict[int, Verdict]) -> None:
        options = self._options
        verdicts = ask_all(
            questions, options.plan, self._askers[number], self._ledger, self._paces[number], price=options.price
        )
        with show_bar(len(questions), "answer", is_kept=False) as advance:
            for verdict in verdicts:
                found[verdict.question_id] = verdict
                advance(1)

    def _write_questions(self, block: Block, rows: Sequence[int]) -> list[Question]:
        texts = [block.ballot.texts[row] for row in rows]
        examples = self._choose_examples(texts)
        names = (*self._options.plan.classes, None)
        return [
            Question(row, text, _show_votes(block, row, names) if self._options.plan.shows_votes else (), shown)
            for row, text, shown in zip(rows, texts, examples, strict=True)
        ]

    def _choose_examples(self, texts: Sequence[str]) -> list[tuple[Example, ...]]:
        pool, hashes = self._pool, [hash_text(text) for text in texts]
        n_examples = self._options.n_examples
        return choose(pool.texts, pool.labels, pool.hashes, texts, hashes, n_examples, pool.excluded)


def _find_harm(ballots: Ballots, gold: IntArray, answers: IntArray, codes: Sequence[str]) -> str:
    """Return a sentence where what the answers (n,) are on hard rows beside the pool has one of the codes."""
    from annotator_core.consensus.warnings import find_warnings

    found = [one for one in find_warnings(ballots, gold, answers=answers) if one.code in codes]
    return "".join(
        f"On {one.rows:,} answered hard rows the model is right on {one.share:.0%} and the pool on {one.other:.0%}: "
        f"{_HARM[one.code]}\n"
        for one in found
    )


def _show_votes(block: Block, row: int, names: Sequence[str | None]) -> tuple[ShownVote, ...]:
    # The last name is what ABSTAIN, -1, points at.
    return tuple(
        ShownVote(name, names[int(vote)], None if vote == ABSTAIN else float(prob))
        for name, vote, prob in zip(block.ballot.names, block.votes[row], block.vote_probs[row], strict=True)
    )


def _abstain(question: Question) -> Verdict:
    return Verdict(question.id, ABSTAIN, Outcome.FAILED, reason=_NOT_ASKED)

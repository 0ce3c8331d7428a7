"""How ``label`` goes through a table: in one pass, or votes first and labels second, and on where it was killed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from annotator_core.annotation import Block
from annotator_core.arrays import IntArray
from annotator_core.cli.columns import COLUMNS, VERIFIER_COLUMNS, describe, describe_verdicts, name_columns
from annotator_core.cli.encoding import Column, Encoder, choose_delimiter
from annotator_core.cli.journal import LOOKS, Command, Journal, Mark
from annotator_core.cli.looks import count_look, list_answered, name_look
from annotator_core.cli.outputs import Output
from annotator_core.cli.policies import PolicyOptions, Settled, settle, settle_at_once
from annotator_core.cli.progress import show_bar
from annotator_core.cli.report import Report
from annotator_core.cli.tables import Kind, Table, digest_texts, read_windows
from annotator_core.loop import Observer, cast_votes, decide, decide_all
from annotator_core.specialists.contract import Continued, Specialist
from annotator_core.spool import Spool

# Clients take half a second to import: only who asks a language model pays for it.
if TYPE_CHECKING:
    from annotator_core.cli.verifying import Verification


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a labeling needs: what is read, who votes on what, how it is decided, and where it goes.

    gold (n,): people's answers to its rows, as `read_gold` gives them, empty for none. verification: who is asked about
    hard rows, None for nobody; asking: what makes two commands ask the same.
    """

    table: Table
    pool: Sequence[Specialist]
    classes: tuple[str, ...]
    policy: PolicyOptions
    out: Path
    kind: Kind
    voting: Command
    is_anew: bool = False
    gold: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    verification: "Verification | None" = None
    asking: Command = field(default_factory=dict)

    @property
    def encoder(self) -> Encoder:
        """What makes bytes of rows."""
        ours = COLUMNS if self.verification is None else (*COLUMNS, *VERIFIER_COLUMNS)
        names = name_columns(self.table.columns, ours)
        return Encoder(self.table, self.kind, names, delimiter=choose_delimiter(self.out))

    def finish(self, block: Block) -> tuple[Block, list[Column]]:
        """Return the block once hard rows are verified, and the values of our columns."""
        if self.verification is None:
            return block, describe(block, self.classes)
        block, verdicts = self.verification.verify(block)
        return block, [*describe(block, self.classes), *describe_verdicts(verdicts, len(block), self.classes)]


def label_in_one_pass(job: Job) -> Report:
    """Return what was done, after each window was voted on, decided and written at once.

    The unfinished output grows beside its place, and a killed command goes on behind the last window in it.
    """
    policy = settle_at_once(job.policy, len(job.pool), len(job.classes))
    # What is to become of rows beyond a cap may change on the way.
    rule = {name: value for name, value in asdict(job.policy).items() if name not in ("is_anyway", "look")}
    command = {**job.voting, **job.asking, "input": job.table.digest, "rule": rule, "format": job.kind}
    with (
        Journal(job.out, "part", command, is_anew=job.is_anew) as journal,
        Output(job.out, journal.mark.size_bytes, keeps_part=True) as output,
        _show(job, journal.mark) as (observer, report),
    ):
        if not journal.mark.size_bytes:
            output.write(job.encoder.header)
        _take_states(job.pool, journal.mark)
        for window in read_windows(job.table, journal.mark.n_rows):
            block, columns = job.finish(decide(cast_votes(window.texts, job.pool, observer), policy))
            report.add_block(block)
            output.write(job.encoder.encode(window.records, columns))
            n_rows = journal.mark.n_rows + len(block)
            journal.add(Mark(n_rows, output.size_bytes, report.to_counts(), _list_states(job.pool)))
        output.publish()
    return report


def label_in_two_passes(job: Job) -> tuple[Report, Settled]:
    """Return what was done, after all votes were cast first and the policy was settled by all of them.

    A killed command goes on behind the last window of votes; the second pass is quick and begins anew. Where a target
    error is not reached nothing is written, and the votes are kept for another try, with more answers or another rule,
    which is another look at the answers.
    """
    command = {**job.voting, "texts": digest_texts(job.table)}
    with (
        Journal(job.out, "votes", command, is_anew=job.is_anew) as journal,
        Spool(journal.unfinished) as spool,
        _show(job, journal.mark) as (observer, report),
    ):
        spool.keep(journal.mark.size_bytes)
        _take_states(job.pool, journal.mark)
        for window in read_windows(job.table, journal.mark.n_rows):
            spool.write(cast_votes(window.texts, job.pool, observer))
            n_rows = journal.mark.n_rows + len(window.texts)
            journal.add(Mark(n_rows, spool.size_bytes, report.to_counts(), _list_states(job.pool)))
        settled = settle(job.policy, spool.read, job.gold, _count_look(job, journal, command))
        if settled.is_reached or job.policy.is_anyway:
            if job.verification is not None and job.verification.is_fused:
                job.verification.fit(decide_all(spool.read, settled.policy), spool.read, job.gold, job.policy.seed)
            elif job.verification is not None:
                job.verification.watch(spool.read, job.gold)
            _write_all(job, spool, settled, report)
        else:
            journal.keep()
    return report, settled


def _list_states(pool: Sequence[Specialist]) -> list[Mapping[str, Any]]:
    return [one.to_state() if isinstance(one, Continued) else {} for one in pool]


def _take_states(pool: Sequence[Specialist], mark: Mark) -> None:
    """Have specialists go on from a mark, so that the votes are those of a command that nobody disturbed."""
    if mark.n_rows:
        for one, state in zip(pool, mark.states, strict=True):
            if isinstance(one, Continued):
                one.take_state(state)


def _count_look(job: Job, journal: Journal, command: Command) -> int:
    """Return the number of this look at people's answers, from 1, noted before anybody sees what it shows.

    The same question about the same answers, after a kill or with --anyway, is the same look.
    """
    if job.policy.target_error is None:
        return 1
    name = name_look({"votes": command, "rule": job.policy.question}, job.gold.tobytes())
    look, kept = count_look(journal.facts.get(LOOKS, {}), list_answered(job.table, job.gold), name, job.policy.look)
    journal.note(LOOKS, kept)
    return look


def _write_all(job: Job, spool: Spool, settled: Settled, report: Report) -> None:
    with Output(job.out) as output:
        output.write(job.encoder.header)
        blocks = decide_all(spool.read, settled.policy)
        for window, block in zip(read_windows(job.table), blocks, strict=True):
            finished, columns = job.finish(block)
            report.add_block(finished)
            output.write(job.encoder.encode(window.records, columns))
        output.publish()


@contextmanager
def _show(job: Job, mark: Mark) -> Iterator[tuple[Observer, Report]]:
    report, m = Report.from_counts(mark.counts), len(job.pool)
    with show_bar(job.table.n_rows * m, "vote", done=mark.n_rows * m) as advance:
        yield Observer(on_votes=advance, on_prediction=report.add_prediction), report

"""Stored answers of real language models on hard rows: in place of the pool's label, or as one more vote.

`python -m benchmarks.fusion`. Writes docs/benchmarks/fusion.md, in about five minutes on one core.
"""

import numpy as np

from annotator_core.consensus.fusion import fit_fusion, replace_answers
from annotator_core.consensus.majority import vote_majority
from annotator_core.consensus.opinion import pick_classes
from annotator_core.consensus.warnings import find_warnings
from annotator_core.types import ABSTAIN
from benchmarks.report import table, write
from benchmarks.stored_votes import FLAN, read

TASKS = ("llm_votes_emotion", "llm_votes_stance", "llm_votes_implicit_hate")
VERIFIERS = ("chatgpt", "text-davinci-003", "flan-ul2", "text-curie-001")
HALVES = 20
BAR = -0.02


def main():
    """Measures every pair of a task and a verifier and writes the report."""
    rows = []
    for task in TASKS:
        stored = read(task)
        pool = stored.pick(FLAN, task).ballots
        for verifier in VERIFIERS:
            rows.append([task, verifier, *_measure(pool, stored.answers_of(verifier), stored.gold)])
            print(*rows[-1], flush=True)
    head = [
        "votes", "verifier", "hard", "right on hard: pool", "verifier", "pool alone", "replaced", "fused",
        "fused without gold", "fused - pool", "worst half", "worse", "unproven", "replacing hurts", "of these warned",
    ]  # fmt: skip
    held = sum(float(row[9]) >= BAR for row in rows)
    write(
        "fusion",
        "Fusion with real language models",
        _INTRODUCTION + table(head, rows) + _CONCLUSION.format(held, len(rows)),
    )


_INTRODUCTION = (
    f"The pool is flan-t5 large, base and xl; rows on which they do not all agree are hard, and there the verifier's "
    f"stored answer counts. Mean of {HALVES} seeded halves: one half's gold fits the fusion and feeds the warnings, "
    "the other is measured. Without gold: Dawid-Skene with the verifier as one more voter, asked about hard rows only. "
    "Worse, unproven: share of halves in which `verifier_worse` stands (McNemar, 5%), and in which `verifier_unproven` "
    "does: the half shows the verifier to be neither worse nor better. Replacing hurts: share of halves whose other "
    "half, which is measured, gets fewer right labels by replacing; of these warned: by one of the two.\n\n"
)
_CONCLUSION = (
    "\n\nThe bar is 2 points: in the mean, fusing must not fall further below the pool alone. It holds in {} of {} "
    "pairs. tests/annotator_core/verifiers/test_stored_answers.py holds it on emotion and stance, with chatgpt's "
    "answers replayed over HTTP."
)


def _measure(pool, answers, gold):
    majority = vote_majority(pool.votes, pool.n_classes, pool.probs)
    hard = majority.counts < len(FLAN)
    unaided = fit_fusion(pool, np.where(hard, answers, ABSTAIN), np.full(len(gold), ABSTAIN))
    given = [
        majority.classes,
        np.where(hard, replace_answers(majority.classes, answers), majority.classes),
        np.where(hard, pick_classes(unaided.predict(pool, answers)), majority.classes),
    ]
    found = np.array([_measure_half(pool, answers, gold, given, hard, seed) for seed in range(HALVES)])
    alone, replaced, without, fused, worse, unproven = found.mean(axis=0)
    hurts = found[:, 1] < found[:, 0]
    warned = f"{found[hurts, 4:].sum() / hurts.sum():.0%}" if hurts.any() else "-"
    right = [float(np.mean((each == gold)[hard])) for each in (majority.classes, answers)]
    return [
        f"{hard.mean():.2f}", *(f"{share:.3f}" for share in (*right, alone, replaced, fused, without)),
        f"{fused - alone:+.3f}", f"{(found[:, 3] - found[:, 0]).min():+.3f}",
        f"{worse:.0%}", f"{unproven:.0%}", f"{hurts.mean():.0%}", warned,
    ]  # fmt: skip


def _measure_half(pool, answers, gold, given, hard, seed):
    half = np.random.default_rng(seed).permutation(len(gold)) < len(gold) // 2
    fused = pick_classes(fit_fusion(pool.take(half), answers[half], gold[half]).predict(pool, answers))
    codes = {one.code for one in find_warnings(pool, np.where(half, gold, ABSTAIN), answers=answers)}
    labels = [*given, np.where(hard, fused, given[0])]
    warned = [code in codes for code in ("verifier_worse", "verifier_unproven")]
    return [*(np.mean((each == gold)[~half]) for each in labels), *warned]


if __name__ == "__main__":
    main()

"""Stored answers of real language models on hard rows: in place of the pool's label, or as one more vote.

`python -m benchmarks.fusion`. Writes docs/benchmarks/fusion.md, in some minutes on one core.
"""

import numpy as np

from annotator_core.consensus.fusion import fit_fusion, replace_answers
from annotator_core.consensus.majority import vote_majority
from annotator_core.consensus.opinion import pick_classes
from annotator_core.consensus.warnings import find_warnings
from annotator_core.types import ABSTAIN
from benchmarks.report import table, write
from benchmarks.stored_votes import FLAN, read
from labeling.labels.engine import Heard, fuse

TASKS = ("llm_votes_emotion", "llm_votes_stance", "llm_votes_implicit_hate")
VERIFIERS = ("chatgpt", "text-davinci-003", "flan-ul2", "text-curie-001")
HALVES = 20
BAR = -0.02
SURE = 0.8
FEW_GOLD = 30
"""Answered hard rows of an audit that is under way: too few to be fitted on alone."""


def main():
    """Measures every pair of a task and a verifier and writes the report."""
    rows, sites = [], []
    for task in TASKS:
        stored = read(task)
        pool = stored.pick(FLAN, task).ballots
        for verifier in VERIFIERS:
            rows.append([task, verifier, *_measure(pool, stored.answers_of(verifier), stored.gold)])
            sites.append([task, verifier, *_measure_site(pool, stored.answers_of(verifier), stored.gold)])
            print(*rows[-1], *sites[-1][2:], flush=True)
    head = [
        "votes", "verifier", "hard", "right on hard: pool", "verifier", "pool alone", "replaced", "fused",
        "fused without gold", "fused - pool", "worst half", "worse", "unproven", "replacing hurts", "of these warned",
    ]  # fmt: skip
    site_head = [
        "votes", "verifier", "pool", "verifier", "hard rows alone", "site", f"site, {FEW_GOLD} gold", "site - pool",
        "sure", "right of these",
    ]  # fmt: skip
    held = sum(float(row[9]) >= BAR for row in rows)
    site_held = sum(float(row[7]) >= BAR for row in sites)
    write(
        "fusion",
        "Fusion with real language models",
        _INTRODUCTION
        + table(head, rows)
        + _CONCLUSION.format(held, len(rows))
        + _SITE
        + table(site_head, sites)
        + _SITE_CONCLUSION.format(site_held, len(sites)),
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
_SITE = (
    "\n\n## The site's fusion before an audit has measured it\n\n"
    "Right on hard rows. The site labels those alone (`labeling.labels.engine.fuse`), and with fewer than 50 gold rows "
    "among them it fits Dawid-Skene on random texts, of which the easy ones have no answer: `site`. `hard rows alone` "
    "is the same fit without the easy ones, as the site had it once: where specialists disagree by selection, it takes "
    f"what they contradict each other in for classes. With {FEW_GOLD} gold rows: the mean of {HALVES} seeded draws, "
    "measured on the other hard rows. Site - pool: in accuracy on all rows, as above. Sure: share of hard rows on "
    f"which the site's fusion agrees with the verifier at a confidence of {SURE:.0%} or more; therefore, before an "
    "audit, its confidence decides nothing.\n\n"
)
_SITE_CONCLUSION = "\n\nNo more than 2 points below the pool alone on all rows: {} of {} pairs without any gold."


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


def _measure_site(pool, answers, gold):
    """Right on hard rows: pool, verifier, the fit on hard rows alone, the site's without and with some gold."""
    majority = vote_majority(pool.votes, pool.n_classes, pool.probs)
    hard = majority.counts < len(FLAN)
    asked, truths = Heard(pool.take(hard), answers[hard]), gold[hard]
    crowd = Heard(pool, np.where(hard, answers, ABSTAIN))
    unknown = np.full(len(truths), ABSTAIN)
    (alone, _), (site, top) = (_fuse(asked, unknown, over) for over in (None, crowd))
    known = []
    for seed in range(HALVES):
        drawn = np.random.default_rng(seed).permutation(len(truths)) < FEW_GOLD
        fused, _top = _fuse(asked, np.where(drawn, truths, ABSTAIN), crowd)
        known.append(np.mean((fused == truths)[~drawn]))
    labels = (majority.classes[hard], answers[hard], alone, site)
    shares = [float(np.mean(each == truths)) for each in labels]
    sure = (site == answers[hard]) & (top >= SURE)
    return [
        *(f"{share:.3f}" for share in (*shares, float(np.mean(known)))),
        f"{(shares[3] - shares[0]) * hard.mean():+.3f}",
        f"{sure.mean():.0%}", f"{np.mean((site == truths)[sure]):.0%}" if sure.any() else "-",
    ]  # fmt: skip


def _fuse(asked, known, crowd):
    """Classes and confidence (n,)."""
    found = fuse(asked, gold=known, crowd=crowd)
    return np.array([index for index, _top in found]), np.array([top for _index, top in found])


if __name__ == "__main__":
    main()

"""Aggregation on stored votes: who is right how often, in which order rows are best reviewed, and how fast it is.

`python -m benchmarks.aggregation [peers audited fused ordered reviews speed]`. Finished sections stand in
.benchmarks/aggregation and are not run again. crowd-kit is measured beside ours where it can be imported; it is in the
`benchmark` extra.
"""

import sys
import time
import warnings
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.calibration import expected_error
from annotator_core.consensus.fusion import fit_fusion, replace_answers
from annotator_core.consensus.majority import vote_majority
from annotator_core.consensus.opinion import opinion, pick_classes, take_logs
from annotator_core.consensus.race import run_race
from annotator_core.consensus.table import AGGREGATORS, fit_aggregator
from annotator_core.types import ABSTAIN
from benchmarks.report import table, write
from benchmarks.stored_votes import FLAN, draw_audit, pools, read

CROWDS = ("crowd_rte", "crowd_dog_votes_only", "crowd_product_votes_only", "crowd_wsd_votes_only")
MODELS = ("llm_votes_emotion", "llm_votes_stance", "llm_votes_implicit_hate")
DONE = Path(__file__).resolve().parents[1] / ".benchmarks" / "aggregation"
AUDITS, SIZES, HALVES = 10, (50, 100, 300), 20
ROWS, FIT_ROWS = 1_000_000, 10_000
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)


def main():
    """Writes docs/benchmarks/aggregation.md; of the sections named, or of all, those not yet done are run first."""
    sections = {make.__name__.strip("_"): make for make in (_peers, _audited, _fused, _ordered, _reviews, _speed)}
    DONE.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or sections:
        path = DONE / f"{name}.md"
        if not path.exists():
            path.write_text(sections[name](), encoding="utf-8")
    done = [DONE / f"{name}.md" for name in sections]
    write("aggregation", "Aggregation", "\n\n".join(path.read_text(encoding="utf-8") for path in done if path.exists()))


_RACES = {}


def _race(stored, size, seed):
    """The race of one audit, run once however many tables ask."""
    key = stored.name, size, seed
    if key not in _RACES:
        _RACES[key] = run_race(stored.ballots, draw_audit(stored, size, seed))
    return _RACES[key]


def _run_races():
    """Runs the races of all pools, on all cores, unless they are run."""
    if _RACES:
        return
    tasks = [(stored, size, seed) for stored in pools() for size in SIZES for seed in range(AUDITS)]
    with ProcessPoolExecutor() as workers:
        for (stored, size, seed), race in zip(tasks, workers.map(_race, *zip(*tasks, strict=True)), strict=True):
            _RACES[stored.name, size, seed] = race


def _accuracy(probs, gold):
    return np.mean(pick_classes(probs) == gold)


def _peers():
    """Majority and Dawid-Skene without gold, beside crowd-kit's."""
    rows = []
    for name in (*CROWDS, *MODELS):
        stored = read(name)
        unknown = np.full(len(stored.gold), ABSTAIN)
        ours = [
            _accuracy(fit_aggregator(each, stored.ballots, unknown).predict(stored.ballots), stored.gold)
            for each in ("majority", "dawid_skene")
        ]
        peers = _crowd_kit(stored)
        rows.append([name, f"{ours[0]:.3f}", peers[0], f"{ours[1]:.4f}", *peers[1:]])
    head = ["votes", "majority", "crowd-kit's", "Dawid-Skene", "crowd-kit's", "crowd-kit's, 100 rounds"]
    kit = f"crowd-kit {version('crowd-kit')}" if find_spec("crowdkit") else "crowd-kit, which was not installed"
    return (
        f"## Without gold, beside {kit}\n\n{table(head, rows)}\n\nMajorities differ where votes tie: ours "
        "takes the class with the higher average probability, of crowds' bare votes the lowest. crowd-kit ends as "
        "soon as its bound grows by less than 1e-5, on llm_votes_stance after 2 rounds, because the bound falls; ours "
        "ends when no posterior moves. Run on to 100 rounds, crowd-kit comes to within .01 of ours everywhere."
    )


def _crowd_kit(stored):
    if not find_spec("crowdkit"):
        return ["not run"] * 3
    import pandas as pd
    from crowdkit.aggregation import DawidSkene, MajorityVote

    tasks, workers = np.nonzero(stored.ballots.votes != ABSTAIN)
    votes = pd.DataFrame({"task": tasks, "worker": workers, "label": stored.ballots.votes[tasks, workers]})
    found = []
    for model in (MajorityVote(), DawidSkene(n_iter=100), DawidSkene(n_iter=100, tol=-1e9)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            labels = model.fit_predict(votes)
        found.append(f"{np.mean(labels.loc[range(len(stored.gold))].to_numpy() == stored.gold):.4f}")
    return found


def _audited():
    """Every aggregator with some gold, on the other rows."""
    _run_races()
    rows = []
    sets = [*pools()[:4], *map(read, MODELS), *map(read, CROWDS)]
    for stored in sets:
        for size in SIZES:
            if size <= 0.65 * len(stored.gold):
                rows.append(_audit_row(stored, size))
                print(*rows[-1], flush=True)
    head = ["votes", "voters", "audit rows", *AGGREGATORS, "race", "its winners"]
    return (
        f"## With an audit: accuracy on the rows outside it\n\nMean of {AUDITS} seeded audits (3 where there are "
        f"more than 20 voters); no race among more than 10 voters, which are no pool.\n\n{table(head, rows)}\n\n"
        "crowd_md_agreement is left out: its gold is the majority of its own five votes, which no other rule can beat."
    )


def _audit_row(stored, size):
    found, winners = defaultdict(list), Counter()
    is_crowd = len(stored.voters) > 10
    for seed in range(3 if len(stored.voters) > 20 else AUDITS):
        known = draw_audit(stored, size, seed)
        rest = known == ABSTAIN
        ballots, gold = stored.ballots.take(rest), stored.gold[rest]
        for name in AGGREGATORS:
            found[name].append(_accuracy(fit_aggregator(name, stored.ballots, known).predict(ballots), gold))
        if not is_crowd:
            race = _race(stored, size, seed)
            winners[race.winner] += 1
            found["race"].append(_accuracy(race.fitted.predict(ballots), gold))
    means = [f"{np.mean(found[name]):.3f}" if name in found else "-" for name in (*AGGREGATORS, "race")]
    won = ", ".join(f"{name} {count}" for name, count in winners.most_common())
    return [stored.name, len(stored.voters), size, *means, won or "-"]


def _fused():
    rows = []
    for name in MODELS:
        stored = read(name)
        pool, answers = stored.pick(FLAN, name).ballots, stored.answers_of("chatgpt")
        majority = vote_majority(pool.votes, pool.n_classes, pool.probs)
        hard = majority.counts < 3
        unaided = fit_fusion(pool, answers, np.full(len(stored.gold), ABSTAIN)).predict(pool, answers)
        others = replace_answers(majority.classes, answers), pick_classes(unaided)
        given = [majority.classes, *(np.where(hard, each, majority.classes) for each in others)]
        found = np.array([_fuse_half(pool, answers, stored.gold, given, hard, seed) for seed in range(HALVES)])
        means, least = found.mean(axis=0), (found[:, 3] - found[:, 0]).min()
        rows.append([name, f"{hard.mean():.2f}", *(f"{mean:.3f}" for mean in means), f"{least:+.3f}"])
    head = [
        "votes",
        "hard",
        "pool alone",
        "replaced",
        "fused without gold",
        "fused",
        "fused, all rows asked",
        "worst half",
    ]
    return (
        f"## Fusion: flan-t5 large, base and xl, chatgpt asked about hard rows\n\nMean of {HALVES} seeded halves: one "
        f"fits, the other is measured. Worst half: fused minus pool alone.\n\n{table(head, rows)}"
    )


def _fuse_half(pool, answers, gold, given, hard, seed):
    half = np.random.default_rng(seed).permutation(len(gold)) < len(gold) // 2
    fused = pick_classes(fit_fusion(pool.take(half), answers[half], gold[half]).predict(pool, answers))
    return [np.mean((each == gold)[~half]) for each in (*given, np.where(hard, fused, given[0]), fused)]


def _scores(ballots, fitted):
    """What rows may be ordered by, surest first, and the classes that go with it."""
    majority = vote_majority(ballots.votes, ballots.n_classes, ballots.probs)
    average = average_probs(ballots.probs)
    probs = fitted.predict(ballots)
    formed = opinion(probs)
    jitter = np.random.default_rng(0).random(len(ballots))
    entropy = (probs * take_logs(probs)).sum(axis=1)
    return {
        "U, random within": (majority.classes, majority.counts + 0.5 * jitter),
        "U, then average": (majority.classes, majority.counts + 0.5 * average.score),
        "average: margin": (average.classes, average.score),
        "race: margin": (formed.classes, formed.score),
        "race: top (1 - expected error)": (formed.classes, formed.top),
        "race: - entropy": (formed.classes, entropy),
    }


def _curve(classes, scores, gold):
    """Accuracy after the first 0, 1, .., n of the least certain rows are set right; equal scores come at random."""
    drawn = np.random.default_rng(0).permutation(len(gold))
    right = (classes == gold)[drawn][np.argsort(scores[drawn], kind="stable")]
    left = np.append(right[::-1].cumsum()[::-1], 0)
    return (np.arange(len(gold) + 1) + left) / len(gold)


def _ordered():
    _run_races()
    size, rows, areas = 100, [], defaultdict(list)
    for stored in pools():
        curves, errors = defaultdict(list), []
        for seed in range(AUDITS):
            known = draw_audit(stored, size, seed)
            rest = known == ABSTAIN
            ballots, gold = stored.ballots.take(rest), stored.gold[rest]
            fitted = _race(stored, size, seed).fitted
            errors.append(expected_error(fitted.predict(ballots), gold))
            for name, (classes, scores) in _scores(ballots, fitted).items():
                curves[name].append(_curve(classes, scores, gold))
        for name, found in curves.items():
            mean = np.mean([np.interp(np.linspace(0, 1, 201), np.linspace(0, 1, len(each)), each) for each in found], 0)
            at = [f"{np.interp(share, np.linspace(0, 1, 201), mean):.3f}" for share in SHARES]
            rows.append([stored.name, name, f"{mean.mean():.4f}", *at])
            areas[name].append(mean.mean())
        print(stored.name, f"expected calibration error {np.mean(errors):.3f}", flush=True)
    head = ["pool", "order", "area", *(f"{share:.0%}" for share in SHARES)]
    return (
        f"## In which order rows are best reviewed\n\nAccuracy of all labels outside the audit when a person "
        f"reviews a share of them, and the area under that curve; {size} audited rows, mean of {AUDITS} "
        f"audits.\n\n{table(head, rows)}\n\nMean area: "
        + ", ".join(f"{name} {np.mean(found):.3f}" for name, found in areas.items())
        + "."
    )


def _reviews():
    _run_races()
    rows, ratios = [], defaultdict(list)
    for stored in pools():
        majority = vote_majority(stored.ballots.votes, stored.ballots.n_classes, stored.ballots.probs)
        hard = majority.counts < len(stored.voters)
        wanted = np.mean(hard | (majority.classes == stored.gold))
        shares = [_share_needed(stored, size, wanted) for size in (0, *SIZES)]
        for size, share in zip((0, *SIZES), shares, strict=True):
            ratios[size].append(share / hard.mean())
        cells = [f"{share:.3f} ({share / hard.mean():.0%})" for share in shares]
        rows.append([stored.name, len(stored.gold), f"{wanted:.3f}", f"{hard.mean():.3f}", *cells])
    rows.append(["mean", "", "", "", *(f"{np.mean(found):.0%}" for found in ratios.values())])
    head = [
        "pool",
        "rows",
        "the paper's accuracy",
        "its reviews",
        "average, no audit",
        *(f"{n} audited" for n in SIZES),
    ]
    return (
        "## Reviews for the accuracy of the paper's rule\n\nThe paper's rule: every row without unanimity is reviewed, "
        "and right. Ours: the race's winner, rows with the smallest margin first, until the accuracy of all labels is "
        f"the same; audited rows are reviews, too. Shares of all rows, and of the paper's reviews; mean of {AUDITS} "
        "audits. Where to stop is read off the gold here; a run needs a budget or a certificate for it.\n\n"
        + table(head, rows)
    )


def _share_needed(stored, size, wanted):
    shares = []
    for seed in range(AUDITS if size else 1):
        known = draw_audit(stored, size, seed)
        rest = known == ABSTAIN
        ballots, gold = stored.ballots.take(rest), stored.gold[rest]
        formed = opinion(_race(stored, size, seed).fitted.predict(ballots)) if size else average_probs(ballots.probs)
        curve = _curve(formed.classes, formed.score, gold)
        overall = (size + curve * len(gold)) / len(stored.gold)
        shares.append((size + np.argmax(overall >= wanted)) / len(stored.gold))
    return float(np.mean(shares))


def _speed():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), (ROWS, 3)).astype(np.float32)
    ballots, gold = Ballots.from_probs(probs), rng.integers(0, 3, FIT_ROWS)
    fit_rows = ballots.take(np.arange(FIT_ROWS))
    rows = []
    for name in AGGREGATORS:
        started = time.process_time()
        fitted = fit_aggregator(name, fit_rows, gold)
        middle = time.process_time()
        fitted.predict(ballots)
        rows.append([name, f"{middle - started:.2f}", f"{time.process_time() - middle:.2f}"])
    started = time.process_time()
    run_race(fit_rows.take(np.arange(1000)), gold[:1000])
    rows.append(["race, 1,000 audited rows, 5 folds", f"{time.process_time() - started:.2f}", ""])
    head = ["aggregator", f"fit on {FIT_ROWS:,} rows, s", f"predict {ROWS:,} rows, s"]
    return f"## Speed: three specialists, three classes\n\nSeconds of one core.\n\n{table(head, rows)}"


if __name__ == "__main__":
    main()

"""What decides labels and routes in ``label``: the rule, who makes a label of the votes, and the accuracy asked for."""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annotator_core.annotation import Ballot
from annotator_core.arrays import IntArray
from annotator_core.cli.gold import Audit, collect_audit, merge_texts
from annotator_core.cli.looks import add_look, certify_look, read_confidence, read_look, tell_look
from annotator_core.consensus.aggregator import Ballots, Fitted
from annotator_core.consensus.opinion import opinion
from annotator_core.errors import BadInput
from annotator_core.loop import Policy
from annotator_core.routing import min_agree_from_epsilon
from annotator_core.types import ABSTAIN

# scipy takes a second to import: only what fits or certifies pays for it.
if TYPE_CHECKING:
    from annotator_core.consensus.race import Race
    from annotator_core.contract.certify import Certificate

RACE: Final = "race"
PAPER: Final = "paper"
RECOMMENDED: Final = "default"
"""The named policies. Source: engine section 1; what they say of rounds means nothing where nothing is trained."""
_NEEDS_NO_FIT: Final = ("majority", "average")
_NEEDS_NO_GOLD: Final = (*_NEEDS_NO_FIT, "dawid_skene")


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """What a command says about labels and routes; see its help.

    budget, target_error, confidence: shares 0 to 1. look: the number of this look at the answers, None to count it.
    averages_first: with too few answers for a race the averaged probability decides, not Dawid-Skene.
    """

    min_agree: int | None
    budget: float | None
    take_majority: bool
    aggregator: str
    gold_column: str | None
    target_error: float | None
    confidence: float
    is_anyway: bool
    seed: int
    look: int | None = None
    averages_first: bool = False

    @property
    def needs_all_votes(self) -> bool:
        """Whether nothing can be decided before everything is voted on."""
        return self.budget is not None or self.target_error is not None or self.aggregator not in _NEEDS_NO_FIT

    @property
    def uses_gold(self) -> bool:
        """Whether people's answers have a say in labels and routes."""
        return self.target_error is not None or self.aggregator not in _NEEDS_NO_FIT

    @property
    def question(self) -> dict[str, object]:
        """What a target error asks of people's answers: JSON values. What else is said changes no certificate."""
        return {
            "aggregator": self.aggregator,
            "averages first": self.averages_first,
            "target error": self.target_error,
            "confidence": self.confidence,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Settled:
    """The policy that a run goes by, what to tell about it, and whether the target error was reached."""

    policy: Policy
    told: str = ""
    is_reached: bool = True


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Add how rows are labeled and routed."""
    parser.add_argument(
        "--policy",
        choices=[PAPER, RECOMMENDED],
        default=PAPER,
        help="what is not said: paper (the default), the majority makes the labels and a language model's answer "
        "replaces them; default, what the site recommends: the averaged probability makes them, with --gold-column the "
        "race's winner from 50 fitting answers on, and a language model's answer is one more vote. Either way any "
        "disagreement goes to review",
    )
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument("--epsilon", type=float, metavar="E", help="review where the uncertainty is at least E (0 to 1)")
    rule.add_argument("--min-agree", type=int, metavar="N", help="review where fewer than N agree (default: all)")
    rule.add_argument("--budget", type=float, metavar="PERCENT", help="review the least certain PERCENT of the rows")
    rule.add_argument(
        "--target-error", type=float, metavar="PERCENT", help="accept rows of which at most PERCENT are wrong"
    )
    parser.add_argument(
        "--confidence", type=float, default=95.0, metavar="PERCENT", help="of the target error (default: 95)"
    )
    parser.add_argument(
        "--anyway",
        action="store_true",
        help="where it is not reachable, route by agreement; where --max-usd is, leave rows to people",
    )
    parser.add_argument(
        "--aggregator",
        metavar="NAME",
        help="who makes a label of the votes: majority, weighted_majority, average, dawid_skene, naive_bayes, stacker, "
        "best_single, or race for what predicts the answers best (default: by --policy; race with --target-error)",
    )
    parser.add_argument(
        "--gold-column",
        metavar="NAME",
        help="people's answers for texts drawn at random, each different text once, empty for the others; a third fits",
    )
    parser.add_argument(
        "--take-majority", action="store_true", help="fill in the pool's label where a person is needed"
    )
    add_look(parser, "one more than the journal beside the output counts")
    parser.add_argument("--seed", type=int, default=0, help="of the race's folds (default: 0)")


def read_policy(named: argparse.Namespace) -> PolicyOptions:
    """Return what the arguments of `add_policy` say; raises BadInput for values that cannot be."""
    min_agree, m = named.min_agree, len(named.specialist)
    if min_agree is not None and not 1 <= min_agree <= m:
        raise BadInput(f"--min-agree must be between 1 and the number of specialists, {m}, not {min_agree}.")
    if named.epsilon is not None:
        min_agree = min_agree_from_epsilon(named.epsilon, m)
    aggregator = _check_aggregator(named.aggregator or _pick_aggregator(named))
    if named.gold_column is None and (named.target_error is not None or aggregator not in (*_NEEDS_NO_GOLD, RACE)):
        raise BadInput("People's answers are needed for this: name their column with --gold-column.")
    if named.look is not None and named.target_error is None:
        raise BadInput("--look is about --target-error: without it nothing is certified.")
    return PolicyOptions(
        min_agree=min_agree,
        budget=_share("--budget", named.budget),
        take_majority=named.take_majority,
        aggregator=aggregator,
        gold_column=named.gold_column,
        target_error=_share("--target-error", named.target_error, is_open=True),
        confidence=read_confidence(named),
        is_anyway=named.anyway,
        seed=named.seed,
        look=read_look(named),
        averages_first=named.policy == RECOMMENDED,
    )


def _pick_aggregator(named: argparse.Namespace) -> str:
    if named.target_error is not None or (named.policy == RECOMMENDED and named.gold_column is not None):
        return RACE
    return "average" if named.policy == RECOMMENDED else "majority"


def _check_aggregator(name: str) -> str:
    if name not in ("majority", RACE):
        from annotator_core.consensus.table import find_aggregator

        find_aggregator(name)
    return name


def _share(name: str, percent: float | None, *, is_open: bool = False) -> float | None:
    if percent is None:
        return None
    if not 0 <= percent <= 100 or (is_open and percent in (0, 100)):
        raise BadInput(f"{name} is a percentage between 0 and 100, not {percent:g}.")
    return percent / 100


def settle_at_once(options: PolicyOptions, n_specialists: int, n_classes: int) -> Policy:
    """Return the policy of options that need no votes to be known."""
    fitted = None
    if options.aggregator != "majority":
        from annotator_core.consensus.table import fit_aggregator

        none = Ballots.from_probs(np.empty((0, n_specialists, n_classes), dtype=np.float32))
        fitted = fit_aggregator(options.aggregator, none, np.empty(0, dtype=np.int64), seed=options.seed)
    return Policy(options.min_agree, None, options.take_majority, fitted)


def settle(options: PolicyOptions, read: Callable[[], Iterable[Ballot]], gold: IntArray, look: int = 1) -> Settled:
    """Return the policy once all votes are known. read: yields all ballots; gold (n,): empty without a gold column.

    A target error is certified by two thirds of the answers, on which nothing was fitted. look: which one at these
    answers this is, from 1.
    """
    if options.aggregator == "majority" and options.target_error is None:
        return Settled(Policy(options.min_agree, options.budget, options.take_majority))
    audit = collect_audit(read, gold)
    fitted, told = _fit(options, audit)
    policy = Policy(options.min_agree, options.budget, options.take_majority, fitted)
    if options.target_error is None:
        return Settled(policy, told)
    certificate = certify_audit(
        fitted, audit, target_error=options.target_error, confidence=options.confidence, look=look
    )
    from annotator_core.contract.certify import explain

    told += explain(certificate) + "\n" + _price(certificate, int((gold == ABSTAIN).sum()))
    told += tell_look(look, options.confidence) + audit.tell_copies()
    if certificate.threshold is None:
        return Settled(policy, told, is_reached=False)
    return Settled(Policy(None, None, options.take_majority, fitted, certificate.threshold), told)


def _fit(options: PolicyOptions, audit: Audit) -> tuple[Fitted, str]:
    # Without a target error, too: ``certify`` may be asked about the output later.
    fitting = audit.find_fitting()
    ballots, known = fitting.ballots, fitting.gold
    from annotator_core.consensus.table import fit_aggregator

    if options.aggregator != RACE:
        return fit_aggregator(options.aggregator, ballots, known, seed=options.seed), ""
    from annotator_core.consensus.race import ENOUGH, run_race

    n_known = int((known != ABSTAIN).sum())
    if options.averages_first and n_known < ENOUGH:
        fitted = fit_aggregator("average", ballots, known, seed=options.seed)
        return fitted, f"{n_known} fitting answers: the averaged probability decides until {ENOUGH} allow a race.\n"
    race = run_race(ballots, known, seed=options.seed)
    return race.fitted, tell_race(race)


def certify_audit(fitted: Fitted, audit: Audit, *, target_error: float, confidence: float, look: int) -> "Certificate":
    """Return the certificate of an aggregation that has seen the fitting third only, by the other two thirds.

    target_error, confidence: 0 to 1; look: from 1, see `looks.certify_look`.
    """
    rows = np.flatnonzero(audit.is_certifying)
    formed = opinion(fitted.predict(audit.ballots.take(rows)))
    texts = [audit.texts[row] for row in rows]
    scores = np.where(formed.classes == ABSTAIN, np.float32(np.nan), formed.score)
    merged, is_right = merge_texts(texts, scores, formed.classes == audit.gold[rows])
    return certify_look(merged, is_right, target_error=target_error, confidence=confidence, look=look)


def _price(certificate: "Certificate", n_left: int) -> str:
    if certificate.rows_needed is None:
        return ""
    # One answer in three fits, so three rows of an audit hold two that certify.
    more = -(-certificate.rows_needed * 3 // 2)
    if more > n_left:
        return f"That is {more:,} more random texts to answer in all, and only {n_left:,} rows are left without one.\n"
    return f"That is {more:,} more random texts to answer in all.\n"


def tell_race(race: "Race") -> str:
    """Return the table of a race as text, best first, and why the winner won."""
    best_first = sorted(race.entries, key=lambda one: one.log_loss)
    lines = [
        f"  {entry.name:<18} log-loss {entry.log_loss:.3f}  right {entry.accuracy:.1%} "
        f"({entry.low:.1%} to {entry.high:.1%})\n"
        for entry in best_first
    ]
    return "".join([f"{race.why}\n", *lines])

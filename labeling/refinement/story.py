"""Rounds told in sentences: what starts one, where it stands, why a challenger took over or not."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator_core.refine.gate import ROWS_NEEDED
from annotator_core.refine.training_set import replay_count
from labeling.refinement.figures import read_figures
from labeling.refinement.models import Challenger, ChallengerState, RefinementRound, RoundKind, RoundState
from labeling.runs.models import Run
from labeling.web.wording import word_duration, word_number, word_percent

KINDS = {
    RoundState.TRAINING: "info",
    RoundState.JUDGING: "info",
    RoundState.WAITING: "attention",
    RoundState.DONE: "good",
    RoundState.FAILED: "bad",
    RoundState.CANCELLED: "quiet",
}
CHALLENGER_KINDS = {
    ChallengerState.TRAINING: "info",
    ChallengerState.JUDGED: "attention",
    ChallengerState.ROLLED_BACK: "attention",
    ChallengerState.PROMOTED: "good",
    ChallengerState.FAILED: "bad",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of a round's challengers."""

    promoted: int
    kept: int
    rolled_back: int
    failed: int
    waiting: int


def tally_of(challengers: Sequence[Challenger]) -> Tally:
    """The challengers counted by where they stand."""
    states = [ChallengerState(one.state) for one in challengers]
    promoted, kept = states.count(ChallengerState.PROMOTED), states.count(ChallengerState.KEPT)
    rolled_back, failed = states.count(ChallengerState.ROLLED_BACK), states.count(ChallengerState.FAILED)
    return Tally(promoted, kept, rolled_back, failed, len(states) - promoted - kept - rolled_back - failed)


def verdicts_sentence(tally: Tally) -> str:
    """Such as "2 promoted, 1 kept"; a dash where nothing is decided."""
    parts = [
        (tally.promoted, _("%(n)d promoted")),
        (tally.kept, _("%(n)d kept")),
        (tally.rolled_back, _("%(n)d rolled back")),
        (tally.failed, _("%(n)d failed")),
    ]
    return ", ".join(text % {"n": count} for count, text in parts if count) or "–"


def due_sentence(run: Run) -> str:
    """What happens by itself when the hard pool is full."""
    if run.beta is None:
        return _("This run never learns by itself: its policy names no size of the hard pool.")
    then = (
        _("Only those that do better on held-out rows take over.")
        if run.is_gated
        else _("They take over without a test, as the policy says.")
    )
    text = _("At %(beta)s decided hard rows a round starts by itself: the specialists learn from them. %(then)s")
    return text % {"beta": word_number(run.beta), "then": then}


def plan_sentence(run: Run, members: int, seconds_per_row: float | None) -> str:
    """What a round would do now, and about how long."""
    replay = replay_count(run.pool_size, run.replay_share)
    rows = ngettext("%(n)s decided row", "%(n)s decided rows", run.pool_size) % {"n": word_number(run.pool_size)}
    if replay:
        rows = _("up to %(rows)s and %(replay)s earlier ones") % {"rows": rows, "replay": word_number(replay)}
    text = ngettext("%(m)d specialist learns from %(rows)s", "%(m)d specialists learn from %(rows)s", members)
    epochs = ngettext("%(n)d epoch", "%(n)d epochs", run.epochs) % {"n": run.epochs}
    duration = _("the first round will show how long it takes")
    if seconds_per_row is not None:
        duration = word_duration(seconds_per_row * (run.pool_size + replay) * run.epochs)
    return f"{text % {'m': members, 'rows': rows}}: {epochs}, {duration}."


def state_sentence(round_: RefinementRound, challengers: Sequence[Challenger], *, is_followed: bool) -> str:
    """Where the round stands, and what comes next. `is_followed`: the run has a pool that the round opened."""
    if round_.kind == RoundKind.COLD_START:
        return _cold_sentence(round_)
    tally = tally_of(challengers)
    sentences = {
        RoundState.TRAINING: _("The specialists learn one after another. Votes and reviews go on meanwhile."),
        RoundState.JUDGING: _("The trained versions vote on held-out rows, which decide who takes over."),
        RoundState.WAITING: _waiting_sentence(tally.waiting),
        RoundState.DONE: _done_sentence(tally, is_followed=is_followed),
        RoundState.FAILED: _("A part failed. Try it again, or give the round up: the versions of before stay."),
        RoundState.CANCELLED: _("Given up. The versions of before stay, and its rows went back to the hard pool."),
    }
    return sentences[RoundState(round_.state)]


def _cold_sentence(round_: RefinementRound) -> str:
    sentences = {
        RoundState.DONE: _("The first specialists are trained. They vote once a manager has confirmed them."),
        RoundState.FAILED: _("A part failed. Try it again, or give the round up."),
        RoundState.CANCELLED: _("Given up."),
    }
    return sentences.get(RoundState(round_.state), _("The first specialists of this project are being trained."))


def _waiting_sentence(waiting: int) -> str:
    text = ngettext(
        "%(n)d version waits for you: too few held-out rows could judge it, so no machine decides.",
        "%(n)d versions wait for you: too few held-out rows could judge them, so no machine decides.",
        waiting,
    )
    return text % {"n": waiting}


def _done_sentence(tally: Tally, *, is_followed: bool) -> str:
    if tally.rolled_back:
        return _("Rolled back: the versions from before the round vote again.")
    if tally.promoted and is_followed:
        text = ngettext("%(n)d new version votes now.", "%(n)d new versions vote now.", tally.promoted)
        return text % {"n": tally.promoted}
    if tally.promoted:
        return _("The new versions vote from the next run on.")
    if not tally.kept:
        return _("No row of the hard pool may be learned from: all are held out for the gate or the audit.")
    return _("No version did better than the one before, so nothing changed.")


def verdict_sentence(challenger: Challenger) -> str:
    """Why the challenger took over, was kept, or waits; empty before the gate has judged."""
    if challenger.state == ChallengerState.ROLLED_BACK:
        return _("Rolled back: the version before it votes again.")
    reason = _reason(challenger)
    is_own_will = challenger.state == ChallengerState.PROMOTED and challenger.verdict not in {"better", "ungated"}
    return f"{_('A manager decided so.')} {reason}" if reason and is_own_will else reason


def state_word(challenger: Challenger) -> str:
    """Where it stands; a judged one waits for a manager or for the others."""
    if challenger.state != ChallengerState.JUDGED:
        return str(ChallengerState(challenger.state).label)
    return _("Waits for you") if challenger.round.state == RoundState.WAITING else _("Judged")


def _reason(challenger: Challenger) -> str:
    round_ = challenger.round
    words = {"chance": word_percent(challenger.p_better, 0), "needed": word_percent(round_.p_needed, 0)}
    if challenger.verdict == "better":
        return _("It is better than its champion with a probability of %(chance)s, and no class falls.") % words
    if challenger.verdict == "not_better":
        text = _("It is better than its champion with a probability of %(chance)s; a promotion needs %(needed)s.")
        return text % words
    if challenger.verdict == "falls":
        return _fall_reason(challenger)
    if challenger.verdict == "too_few":
        figures = read_figures(challenger.figures)
        rows = word_number(figures.rows if figures else 0)
        return _("%(rows)s held-out rows could judge it; %(needed)d are needed.") % {
            "rows": rows,
            "needed": ROWS_NEEDED,
        }
    if challenger.verdict == "ungated":
        return _("The policy asks for no test.")
    return ""


def _fall_reason(challenger: Challenger) -> str:
    figures = read_figures(challenger.figures)
    names = ", ".join(map(part_name, figures.fallen)) if figures else ""
    return _("It is better on the whole, but worse on: %(names)s.") % {"names": names}


def part_name(name: str) -> str:
    """A class by its own name, the gate's slice of earlier rows in words."""
    return _("earlier rows") if name == "replay" else name

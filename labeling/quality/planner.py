"""How many texts an audit should have: what a number of answers can tell, and what it takes."""

import math
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _

from annotator_core.contract.certify import confidence_at
from annotator_core.contract.plan import plan_audit
from labeling.quality.figures import Figures
from labeling.quality.models import Certificate
from labeling.quality.plots import Z95
from labeling.quality.queries import AuditProgress
from labeling.quality.wording import draw_sentence, pace_sentence, queue_sentence
from labeling.runs.models import Run
from labeling.web.wording import word_number

PROPOSED = 300  # chosen: accuracy to about 4 points, and twice what the race needs
RACE_ROWS = 150  # Source: engine.md 5: about 50 rows that fit, a third of an audit
ASSUMED_ACCURACY = 0.85  # chosen: about what three small specialists reach (docs/demo.md, reference.md)
GOALS = ((10.0, 5.0), (5.0, 2.0), (2.0, 0.5))
"""(target error, true error) in percent. Source: engine.md 6."""
SHARE_STEPS = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of an answer, and whether people of the project took them or they are assumed.

    `people` answer a text of an audit, as many as there are for it now. `queued`: answers until nothing of the project
    waits, among which drawn texts have random places: the last of many comes near the end.
    """

    seconds: float
    is_measured: bool
    people: int
    queued: int

    @property
    def text_s(self) -> float:
        """Seconds of work that one text of an audit takes."""
        return self.seconds * self.people

    @property
    def queue_s(self) -> float:
        """Seconds of work until nothing waits."""
        return self.seconds * self.queued


@dataclass(frozen=True, slots=True)
class Goal:
    """Something to know, the audited texts and the seconds of work on them; `is_within`: the frame holds them."""

    text: str
    rows: int
    seconds: float
    is_within: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What can be drawn, taken back texts among it, the page's offer with its price, and what it all would tell."""

    left: int
    proposed: int
    proposed_words: str
    goals: tuple[Goal, ...]
    pace_words: str
    queue_words: str


def plan_of(run: Run, audit: AuditProgress, pace: Pace, *, look: int) -> Plan:
    """The plan of an audit of the run's data set; goals are of the whole audit, cheapest first.

    `look`: the number, from 1, of the look that its answers will be. Each one asks for more than the one before.
    """
    left = audit.left + audit.drawn - audit.answered - audit.waiting
    proposed = min(PROPOSED, left)
    wanted = [(_accuracy_words(PROPOSED), PROPOSED), (_("Which way to combine the votes is best"), RACE_ROWS)]
    for target, true in _targets(run):
        rows = certificate_rows(target, true, _accepted_share(run), look)
        wanted += [(_goal_words(target, true), rows)] if rows else []
    most = audit.drawn + audit.left
    goals = (Goal(text, rows, rows * pace.text_s, rows <= most) for text, rows in wanted)
    price = draw_sentence(proposed, people=pace.people, queued=pace.queued, seconds=pace.seconds)
    words = pace_sentence(pace.seconds, is_measured=pace.is_measured, people=pace.people)
    ordered = tuple(sorted(goals, key=lambda one: one.rows))
    return Plan(left, proposed, price, ordered, words, queue_sentence(pace.queued))


def _targets(run: Run) -> list[tuple[float, float]]:
    """(target, true error) in percent: those of every page, and the run's own with half of it as the true one."""
    own = run.target_error
    return [*GOALS] if own is None or own in {target for target, _true in GOALS} else [*GOALS, (own, own / 2)]


def _accepted_share(run: Run) -> float:
    """The share of the run's rows that no person sees, in twentieths and never 0, so that plans can be kept."""
    routed = run.accepted + run.hard
    share = run.accepted / routed if routed else 1.0
    return max(1, round(SHARE_STEPS * share)) / SHARE_STEPS


@lru_cache(maxsize=500)
def certificate_rows(target: float, true: float, accepted_share: float, look: int) -> int | None:
    """Audited texts that show at a look, from 1, an error of at most `target` where it is `true` (percent).

    None where no number would do. Four times of five they are enough: see docs/decisions/0046.
    """
    confidence = confidence_at(look)
    plan = plan_audit(target / 100, true / 100, frame_texts=0, accepted_share=accepted_share, confidence=confidence)
    return plan.total_rows


def texts_left(figures: Figures, certificate: Certificate) -> int:
    """Different texts of the audit frame, as measured, that the certificate has not used, fitting ones among them.

    Of an audit whose last draw is not answered whole, it has used some of the answered texts only.
    """
    whole = certificate.rows_used / figures.certify_rows if figures.certify_rows else 0.0
    return max(0, figures.frame_texts - round(figures.answered * min(whole, 1.0)))


def half_width(rows: int) -> float:
    """Half of the 95% interval of an accuracy of 85% measured on so many texts, in points."""
    return 100 * Z95 * math.sqrt(ASSUMED_ACCURACY * (1 - ASSUMED_ACCURACY) / rows)


def _accuracy_words(rows: int) -> str:
    return _("How many labels are right, to about ± %(n)s points") % {"n": word_number(half_width(rows))}


def _goal_words(target: float, true: float) -> str:
    words = {"target": f"{target:g}", "true": f"{true:g}"}
    return _("That at most %(target)s%% of the accepted labels are wrong, if in truth %(true)s%% are") % words

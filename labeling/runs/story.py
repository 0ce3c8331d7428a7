"""A run told in figures and sentences, all from its counters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator_core.scripts.plan import CARRIED
from labeling.jobs.models import Job, JobState
from labeling.runs.models import GenerationOrigin, PoolGeneration, PoolMember, Run, RunState, VoteAhead
from labeling.runs.verification import Verification
from labeling.runs.wording import word_aggregation
from labeling.web.parts import SplitPart
from labeling.web.wording import word_money, word_number

MANY_HARD = 0.30  # look.md: above this the page names a likely cause
CHANCE_MARGIN = 0.15  # chosen: a specialist this near to guessing is named


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A pool member's line: shares are 0 to 1, speed in texts per second; None while nothing is known."""

    member: PoolMember
    agreed_share: float | None
    abstained_share: float | None
    speed: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    at: datetime
    text: str


def split_of(run: Run) -> list[SplitPart]:
    """The bar: accepted, verified, decided, what waits for a model and for people, and rows without a route yet."""
    pending = run.row_count - run.accepted - run.hard
    asked = [SplitPart(_("With the language model"), run.asking, "asking")] if run.asking else []
    verified = [SplitPart(_("Verified"), run.verified, "verified")] if run.has_verifier else []
    parts = [
        SplitPart(_("Accepted"), run.accepted, "accepted"),
        *verified,
        SplitPart(_("Decided by people"), run.decided, "decided"),
        *asked,
        SplitPart(_("To review"), run.to_review, "review"),
    ]
    waiting = _("Waiting for votes") if run.is_active else _("No votes")
    return [*parts, SplitPart(waiting, pending, "pending")] if pending else parts


def member_rows(members: Sequence[PoolMember]) -> list[MemberRow]:
    """The specialists as lines of a table."""
    return [_member_row(member) for member in members]


def left_out_names(members: Sequence[PoolMember]) -> list[str]:
    """Those specialists that no standalone script can run: with one of them in the pool there is no script."""
    return [member.version.specialist.name for member in members if member.version.backend not in CARRIED]


def _member_row(member: PoolMember) -> MemberRow:
    total = member.voted + member.abstained
    return MemberRow(
        member,
        member.agreed / member.voted if member.voted else None,
        member.abstained / total if total else None,
        total / member.seconds if member.seconds > 0 else None,
    )


def hard_share_cause(run: Run, members: Sequence[PoolMember]) -> str:
    """Above 30% hard rows: a sentence that names the likely cause; else empty."""
    routed = run.accepted + run.hard
    if routed < 100 or run.hard / routed <= MANY_HARD or _is_asked_for(run):
        return ""
    rows = member_rows(members)
    silent = next((row for row in rows if (row.abstained_share or 0) > 0.5), None)
    if silent:
        return _("%(name)s abstains on most rows, so nobody can agree with it: look at its label map.") % _named(silent)
    chance = 1 / len(members[0].version.class_ids) + CHANCE_MARGIN
    weak = next((row for row in rows if row.agreed_share is not None and row.agreed_share < chance), None)
    if weak:
        return _(
            "%(name)s agrees with the others hardly more often than chance: "
            "its label map may be wrong, or it does not know this kind of text."
        ) % _named(weak)
    return _("The specialists differ on many rows: they probably learned from another kind of text.")


def _is_asked_for(run: Run) -> bool:
    """Whether a budget or a certificate says how many rows people review, not what the specialists disagree on."""
    return run.review_budget is not None or run.target_error is not None


def _named(row: MemberRow) -> dict[str, str]:
    return {"name": str(row.member.version.specialist)}


@dataclass(frozen=True, slots=True)
class GenerationRow:
    """A generation's line: why it was opened, the versions that came with it, and how it combines votes, if anew."""

    generation: PoolGeneration
    why: str
    new: list[str]
    combined: str = ""


def generation_rows(generations: Sequence[PoolGeneration]) -> list[GenerationRow]:
    """The generations, newest first, as lines of a table; members and versions must be at hand."""
    rows: list[GenerationRow] = []
    before: set[int] = set()
    aggregation: dict[str, Any] | None = None
    for one in sorted(generations, key=lambda each: each.number):
        members = list(one.members.all())
        new = [str(member.version) for member in members if member.version_id not in before]
        before = {member.version_id for member in members}
        combined = "" if one.aggregation == aggregation else word_aggregation(one.aggregation)
        aggregation = one.aggregation
        rows.append(GenerationRow(one, _why(one), new, combined))
    return rows[::-1]


def _why(generation: PoolGeneration) -> str:
    if generation.origin == GenerationOrigin.ROUND and generation.round_number is not None:
        return _("Round %(number)d") % {"number": generation.round_number}
    return str(GenerationOrigin(generation.origin).label)


def is_waiting_for_pool(run: Run) -> bool:
    """Whether votes stopped at a full pool: people decide it, the specialists learn, then votes go on."""
    return run.state == RunState.REVIEWING and run.vote_ahead == VoteAhead.POOL and run.voted < run.row_count


def story_of(
    run: Run, job: Job | None, history: Sequence[GenerationRow] = (), verification: Verification | None = None
) -> list[Line]:
    """What happened, newest first."""
    facts = {"rows": f"{run.row_count:,}", "data": str(run.dataset)}
    lines = [Line(run.created_at, _("Started on %(rows)s rows of %(data)s.") % facts)]
    if run.state == RunState.CANCELLED and run.finished_at:
        sentence = _("Cancelled. Votes and decisions stay; open texts left the queue.")
        lines.append(Line(run.finished_at, sentence))
    elif job and job.finished_at and not run.generation:
        # A later generation takes the job up again, so that its end says nothing of the first votes.
        lines.append(Line(job.finished_at, _ended_sentence(run, job)))
    lines += [Line(row.generation.created_at, _opened_sentence(row)) for row in history if row.generation.number]
    if verification:
        lines += _verification_lines(run, verification)
    if run.finished_at and run.state == RunState.DONE:
        lines.append(Line(run.finished_at, _("Every row has its label.")))
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _verification_lines(run: Run, found: Verification) -> list[Line]:
    """What the language model did, once it is through, and why it stands still."""
    lines = []
    if found.stop and found.stop.at:
        text = _("The verification stopped: %(reason)s") % {"reason": found.stop.reason}
        lines.append(Line(found.stop.at, text))
    if found.job.state == JobState.DONE and found.job.finished_at:
        lines.append(Line(found.job.finished_at, _verified_sentence(run, found)))
    return lines


def _verified_sentence(run: Run, found: Verification) -> str:
    people = run.hard - run.verified - run.asking
    parts = [
        ngettext("The language model settled %(n)s row.", "The language model settled %(n)s rows.", run.verified)
        % {"n": word_number(run.verified)},
        ngettext("%(n)s row went to people.", "%(n)s rows went to people.", people) % {"n": word_number(people)},
        _("It cost %(money)s.") % {"money": word_money(found.budget.spent_nano)},
    ]
    return " ".join(parts)


def _ended_sentence(run: Run, job: Job) -> str:
    words = {"n": f"{run.hard:,}"}
    if run.has_verifier:
        text = ngettext("%(n)s row went to the language model.", "%(n)s rows went to the language model.", run.hard)
    else:
        text = ngettext("%(n)s row went to people.", "%(n)s rows went to people.", run.hard)
    hard = text % words
    seconds = (job.finished_at - job.created_at).total_seconds() if job.finished_at else 0
    return _("All votes are in after %(seconds)d s: %(accepted)s rows accepted. %(hard)s") % {
        "seconds": seconds,
        "accepted": f"{run.accepted:,}",
        "hard": hard,
    }


def _opened_sentence(row: GenerationRow) -> str:
    """What a generation brought, and what its votes have changed so far."""
    parts = [f"{row.why}:", _brought_sentence(row), _again_sentence(row.generation), _renewed_sentence(row.generation)]
    return " ".join(part for part in parts if part)


def _brought_sentence(row: GenerationRow) -> str:
    parts = []
    if row.new:
        parts.append(_("%(versions)s took over.") % {"versions": ", ".join(row.new)})
    elif row.generation.origin != GenerationOrigin.AUDIT:
        parts.append(_("Nobody was promoted; the pool stays."))
    if row.combined:
        parts.append(_("Votes are combined by %(way)s.") % {"way": row.combined})
    elif row.generation.origin == GenerationOrigin.AUDIT and row.generation.cut_score is None:
        parts.append(_("The certificate is lost: people see every disagreement again."))
    elif row.generation.origin == GenerationOrigin.AUDIT:
        parts.append(_("The certificate covers other rows now."))
    return " ".join(parts)


def _again_sentence(one: PoolGeneration) -> str:
    if not one.voted_again:
        return ""
    text = ngettext(
        "%(n)s open row voted again, %(off)s left the queue.",
        "%(n)s open rows voted again, %(off)s left the queue.",
        one.voted_again,
    )
    return text % {"n": word_number(one.voted_again), "off": word_number(one.taken_off)}


def _renewed_sentence(one: PoolGeneration) -> str:
    if not one.renewed:
        return ""
    text = ngettext(
        "%(n)s accepted row voted again, %(k)s got another label.",
        "%(n)s accepted rows voted again, %(k)s got another label.",
        one.renewed,
    )
    return text % {"n": word_number(one.renewed), "k": word_number(one.relabeled)}

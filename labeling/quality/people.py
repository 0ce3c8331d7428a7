"""What people have done in a project and how far they agree, as the pages tell it: by name, never by figure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from labeling.accounts.models import User
from labeling.labels.queries import start_of_day
from labeling.projects.models import LabelClass, Project, Role
from labeling.quality import people_queries
from labeling.quality.engine.people import figures_of, kappas_of
from labeling.quality.figures import AgreementFigure
from labeling.quality.people_queries import Decided, Hits, Scope, SharedAnswer
from labeling.quality.wording import agreement_name, why_undefined

CONFUSED_SHOWN = 8  # chosen
NOTHING = Decided(0, 0, 0, None)
NONE = Hits(0, 0)


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person's work: `role` is empty for who has left, `seconds` None before an answer was timed."""

    user: User
    role: str
    decided: Decided
    seconds: float | None
    others: Hits
    gold: Hits
    skips: int
    flags: int


@dataclass(frozen=True, slots=True)
class CoefficientLine:
    """A coefficient by its name, or why there is none."""

    name: str
    figure: AgreementFigure
    why_not: str


@dataclass(frozen=True, slots=True)
class PairLine:
    """Two people, by name, and Cohen's kappa of their answers on the texts that both answered."""

    first: str
    second: str
    figure: AgreementFigure
    why_not: str


@dataclass(frozen=True, slots=True)
class Confused:
    """Two classes between which people differ, and on how many texts."""

    first: LabelClass
    second: LabelClass
    texts: int


@dataclass(frozen=True, slots=True)
class AgreementPage:
    """How far all people agree: over how many texts that several of them answered."""

    texts: int
    lines: tuple[CoefficientLine, ...]
    pairs: tuple[PairLine, ...]
    confused: tuple[Confused, ...]


def line_of(project: Project, user_id: int) -> PersonLine | None:
    """One person's work, all of it; None for somebody who neither is nor was at work in the project."""
    return next(iter(lines_of(Scope(project, user_id), people_queries.shared_answers(project))), None)


def own_line(project: Project, user_id: int) -> PersonLine | None:
    """What the person may know of the own work: what is compared with others or with verified classes ends yesterday.

    Of today's answers a share that moves would tell whether somebody else said the same on the text just answered,
    which is blind.
    """
    today = start_of_day()
    until_today = Scope(project, user_id, until=today)
    lines = lines_of(Scope(project, user_id), people_queries.shared_answers(project, until=today))
    gold = people_queries.gold_hits(until_today).get(user_id, NONE)
    return next((replace(line, gold=gold) for line in lines), None)


def lines_of(scope: Scope, shared: Sequence[SharedAnswer]) -> list[PersonLine]:
    """Everybody in the scope who is or was at work in the project, by name."""
    decided = people_queries.decided_by(scope)
    people = people_queries.people_of(scope, decided)
    seconds = people_queries.seconds_of(scope, people)
    gold, others = people_queries.gold_hits(scope), hits_with_others(shared)
    skips, flags = people_queries.skips_of(scope), people_queries.flags_of(scope)
    lines = [
        PersonLine(
            user=user,
            role=str(Role(role).label) if role else "",
            decided=decided.get(pk, NOTHING),
            seconds=seconds.get(pk),
            others=others.get(pk, NONE),
            gold=gold.get(pk, NONE),
            skips=skips.get(pk, 0),
            flags=flags.get(pk, 0),
        )
        for pk, (user, role) in people.items()
    ]
    return sorted(lines, key=lambda line: (line.user.username.casefold(), line.user.pk))


def hits_with_others(shared: Iterable[SharedAnswer]) -> dict[int, Hits]:
    """Per person: the texts that others answered, too, and the share of those others who said the same, summed."""
    counted: dict[int, tuple[int, float]] = {}
    for answers in _by_text(shared).values():
        for user_id, class_id in answers.items():
            same = sum(other == class_id for other in answers.values()) - 1
            texts, hits = counted.get(user_id, (0, 0.0))
            counted[user_id] = (texts + 1, hits + same / (len(answers) - 1))
    return {user_id: Hits(texts, hits) for user_id, (texts, hits) in counted.items()}


def agreement_page(
    shared: Iterable[SharedAnswer], names: Mapping[int, str], classes: Mapping[int, LabelClass]
) -> AgreementPage:
    """Coefficients over all texts that several people answered, each pair's kappa, and what they differ between."""
    texts = _by_text(shared)
    answers = list(texts.values())
    pairs = [_pair(names[first], names[second], figure) for (first, second), figure in kappas_of(answers).items()]
    return AgreementPage(
        texts=len(texts),
        lines=tuple(CoefficientLine(agreement_name(one), one, why_undefined(one)) for one in figures_of(answers)),
        pairs=tuple(sorted(pairs, key=lambda pair: (pair.first.casefold(), pair.second.casefold()))),
        confused=_confused(answers, classes),
    )


def _pair(one: str, other: str, figure: AgreementFigure) -> PairLine:
    first, second = sorted((one, other), key=str.casefold)
    return PairLine(first, second, figure, why_undefined(figure))


def _by_text(shared: Iterable[SharedAnswer]) -> dict[tuple[int, str], dict[int, int]]:
    """Class ids by person, of each text that two people at least answered."""
    found: dict[tuple[int, str], dict[int, int]] = defaultdict(dict)
    for one in shared:
        found[one.text][one.user_id] = one.class_id
    return {text: answers for text, answers in found.items() if len(answers) > 1}


def _confused(answers: Iterable[Mapping[int, int]], classes: Mapping[int, LabelClass]) -> tuple[Confused, ...]:
    """The pairs of classes that most texts are torn between."""
    counts = Counter(pair for given in answers for pair in combinations(sorted(set(given.values())), 2))
    found = [Confused(classes[first], classes[second], texts) for (first, second), texts in counts.items()]
    found.sort(key=lambda one: (-one.texts, one.first.position, one.second.position))
    return tuple(found[:CONFUSED_SHOWN])

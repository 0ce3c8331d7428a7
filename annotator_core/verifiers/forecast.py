"""What a run will cost in each mode, what it will give, and which mode to take: numbers in, numbers and words out.

Nothing is asked of anybody for it. What was not measured is taken from the references below, and said to be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from annotator_core.errors import BadInput

Mode = Literal["human", "llm", "llm_then_human"]
MODES: Final[tuple[Mode, ...]] = ("human", "llm", "llm_then_human")


@dataclass(frozen=True, slots=True)
class Known:
    """A share, 0 to 1, and the rows that it was measured on; 0 rows for one that is taken from elsewhere."""

    share: float
    rows: int


ACCEPTED_RIGHT: Final = Known(0.75, 0)
"""Of rows on which the pool agrees. Source: AutoAnnotator (arXiv 2506.16393): with gold labels on every disputed row
81.76% and 88.31% are right, so about 25% and 19% of the agreed ones are wrong (engine section 2); the worse of both."""
POOL_HARD_RIGHT: Final = Known(0.49, 0)
"""Of the majority on hard rows. Source: reference.md, pool a, airline, reviews on tweets: .492."""
LLM_HARD_RIGHT: Final = Known(0.67, 0)
"""Of a language model on hard rows. Source: AutoAnnotator, about 67% and 73% of what it reviews (engine section 2)."""
PERSON_RIGHT: Final = Known(1.0, 0)
"""Of people. Source: AutoAnnotator counts their answers as the truth; reference.md knows a single vote at .74."""
ABSTAINS: Final = Known(0.02, 0)
"""Of asked rows without a usable answer; chosen, until a pilot measured it."""
UNSURE: Final = Known(0.3, 0)
"""Of asked rows that go on to a person in mode llm_then_human, the abstained among them; chosen likewise."""
ENOUGH: Final = 50
"""Measured rows from which on an accuracy decides. Source: engine section 5, the race's own limit."""
SMALL_WORK_HOURS: Final = 1.0
"""Human work that is not worth a language model; chosen."""
AS_GOOD: Final = 0.02
"""How far below people a language model may be and still count as good as they; chosen: the bar of fusion, 2 points."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a run. n_hard: those expected to need a second review.

    accepted_right: accuracy of the pool's labels on the rest. pool_hard_right: of its majority on hard rows. n_left:
    rows of the rest that a stricter rule would call hard; there the pool is as right as on hard rows.
    """

    n_rows: int
    n_hard: int
    accepted_right: Known = ACCEPTED_RIGHT
    pool_hard_right: Known = POOL_HARD_RIGHT
    n_left: int = 0


@dataclass(frozen=True, slots=True)
class Llm:
    """A language model as it is asked. nano_a_call: the mean of the pilot's own calls, in nano-dollars.

    calls_a_row: draws times models, and what is asked again. right: accuracy on hard rows that it answers. abstains,
    unsure: shares of asked rows, the first among the second. is_fused: its answer is one more vote, not the label.
    fused: accuracy of the two together, where it was measured.
    """

    nano_a_call: int
    calls_a_row: float = 1.0
    seconds_a_call: float = 1.0
    concurrency: int = 8
    right: Known = LLM_HARD_RIGHT
    abstains: Known = ABSTAINS
    unsure: Known = UNSURE
    is_fused: bool = False
    fused: Known | None = None


@dataclass(frozen=True, slots=True)
class People:
    """People who review: seconds for a row, dollars for an hour (None: not counted), accuracy of one answer."""

    seconds_a_row: float = 10.0
    usd_an_hour: float | None = None
    right: Known = PERSON_RIGHT


@dataclass(frozen=True, slots=True)
class Option:
    """One mode. calls, llm_nano, llm_hours: what is asked, paid and waited for.

    human_rows, human_hours: work of people. human_nano: their price, None where it is not known. accuracy: expected
    share of right labels over all rows. rests_on: what of it was measured and what is taken from elsewhere. reason: why
    it is recommended, or is not.
    """

    mode: Mode
    calls: int
    llm_nano: int
    llm_hours: float
    human_rows: int
    human_hours: float
    human_nano: int | None
    accuracy: float
    rests_on: str
    is_recommended: bool = False
    reason: str = ""

    @property
    def total_nano(self) -> int:
        """Return the price of calls and people together, in nano-dollars; without a known price people cost 0."""
        return self.llm_nano + (self.human_nano or 0)


def compare(
    rows: Rows, llm: Llm | None, people: People, *, target: float | None = None, cap_nano: int | None = None
) -> tuple[Option, ...]:
    """Return the modes in the order of `MODES`, exactly one recommended; without a language model `human` alone.

    target: the accuracy wanted, 0 to 1. cap_nano: what may be paid for calls. Raises BadInput as `list_options` does.
    """
    return compare_rules([rows], llm, people, target=target, cap_nano=cap_nano)[1]


def compare_rules(
    rules: Sequence[Rows], llm: Llm | None, people: People, *, target: float | None = None, cap_nano: int | None = None
) -> tuple[int, tuple[Option, ...]]:
    """Return the place of the rule to take, and the modes under it as `compare` does: chosen together.

    rules: the same rows under each rule for what is hard, strictest first. A target takes the least effort that
    reaches it, so the loosest rule. Without one a rule is loosened only where a model reviews, and only as far as its
    cap asks: people cost no calls. target, cap_nano and errors: as of `compare`.
    """
    priced = [list_options(rows, llm, people) for rows in rules]
    place, mode, why = _recommend(priced, rules, llm, people, target=target, cap_nano=cap_nano)
    best = next(option for option in priced[place] if option.mode == mode)
    return place, tuple(
        replace(option, is_recommended=True, reason=why)
        if option is best
        else replace(option, reason=_set_beside(option, best))
        for option in priced[place]
    )


def list_options(rows: Rows, llm: Llm | None, people: People) -> tuple[Option, ...]:
    """Return the modes in the order of `MODES`, none recommended; without a language model `human` alone.

    Raises BadInput for shares outside 0 to 1, negative numbers, more hard rows than rows, or an abstention that is no
    part of the unsure.
    """
    _check(rows, llm, people)
    human = _price_human(rows, people)
    return (human,) if llm is None else (human, *(_price_llm(rows, llm, people, mode) for mode in MODES[1:]))


def price_all_by_llm(n_rows: int, llm: Llm) -> int:
    """Return what asking about every row would cost, in nano-dollars: the paper's "all by LLM" of its Table 4."""
    return round(n_rows * llm.calls_a_row * llm.nano_a_call)


def _price_human(rows: Rows, people: People) -> Option:
    hours = rows.n_hard * people.seconds_a_row / 3600
    return Option(
        mode="human",
        calls=0,
        llm_nano=0,
        llm_hours=0.0,
        human_rows=rows.n_hard,
        human_hours=hours,
        human_nano=_pay(hours, people),
        accuracy=_mix(rows, people.right.share),
        rests_on=_tell_sources(rows, people, None),
    )


def _price_llm(rows: Rows, llm: Llm, people: People, mode: Mode) -> Option:
    to_person = llm.abstains.share if mode == "llm" else llm.unsure.share
    calls, human_rows = round(rows.n_hard * llm.calls_a_row), round(rows.n_hard * to_person)
    hours = human_rows * people.seconds_a_row / 3600
    answered = _labels_right(rows, llm)
    return Option(
        mode=mode,
        calls=calls,
        llm_nano=round(rows.n_hard * llm.calls_a_row * llm.nano_a_call),
        llm_hours=calls * llm.seconds_a_call / max(llm.concurrency, 1) / 3600,
        human_rows=human_rows,
        human_hours=hours,
        human_nano=_pay(hours, people),
        accuracy=_mix(rows, to_person * people.right.share + (1 - to_person) * answered),
        rests_on=_tell_sources(rows, people, llm),
    )


def _labels_right(rows: Rows, llm: Llm) -> float:
    """Return the accuracy of the labels that rest on answers. Source: engine section 2, fusing never hurts.

    So a fused answer counts for the better of the two, unless what they say together was measured.
    """
    if not llm.is_fused:
        return llm.right.share
    return llm.fused.share if llm.fused else max(llm.right.share, rows.pool_hard_right.share)


def join(models: Sequence[Llm]) -> Llm:
    """Return several models as one that asks them all about each row, one after the other; the majority answers.

    Calls, prices and times add up. Of accuracies and of what goes to people the mean stands in until the majority was
    measured: models that err alike gain nothing by it. Raises BadInput for none.
    """
    if not models:
        raise BadInput("There is no model to ask.")
    if len(models) == 1:
        return models[0]
    calls = sum(one.calls_a_row for one in models)
    nano = sum(one.calls_a_row * one.nano_a_call for one in models)
    seconds = sum(one.calls_a_row * one.seconds_a_call / max(one.concurrency, 1) for one in models)
    return Llm(
        nano_a_call=round(nano / calls) if calls else 0,
        calls_a_row=calls,
        seconds_a_call=seconds / calls if calls else 0.0,
        concurrency=1,
        right=_mean([one.right for one in models]),
        abstains=_mean([one.abstains for one in models]),
        unsure=_mean([one.unsure for one in models]),
        is_fused=models[0].is_fused,
    )


def _mean(knowns: Sequence[Known]) -> Known:
    """Return the mean share, measured on as many rows as the least measured of them."""
    return Known(sum(one.share for one in knowns) / len(knowns), min(one.rows for one in knowns))


def _mix(rows: Rows, hard_right: float) -> float:
    """Return the accuracy over all rows, of a run without rows 1."""
    if not rows.n_rows:
        return 1.0
    hard, left = rows.n_hard / rows.n_rows, rows.n_left / rows.n_rows
    return (1 - hard - left) * rows.accepted_right.share + left * rows.pool_hard_right.share + hard * hard_right


def _pay(hours: float, people: People) -> int | None:
    return None if people.usd_an_hour is None else round(hours * people.usd_an_hour * 1_000_000_000)


def _recommend(
    priced: Sequence[Sequence[Option]],
    rules: Sequence[Rows],
    llm: Llm | None,
    people: People,
    *,
    target: float | None,
    cap_nano: int | None,
) -> tuple[int, Mode, str]:
    """Return the place of a rule, a mode and why: the first of these reasons that holds."""
    if target is not None:
        return _reach(priced, rules, target, cap_nano)
    if llm is None:
        return 0, "human", "No language model is connected: people review what is hard."
    human, asked = priced[0][0], priced[0][1]
    place = 0 if cap_nano is None else _find_paid(priced, cap_nano)
    if place is None:
        return (
            0,
            "human",
            (
                f"The calls would cost {_usd(asked.llm_nano)}, above the cap of {_usd(cap_nano or 0)}: raise it, ask a "
                "cheaper model or about a fixed share of the rows, the least certain first, or have people review."
            ),
        )
    if human.human_hours <= SMALL_WORK_HOURS:
        work = _hours(human.human_hours)
        return 0, "human", f"It is {work} of work for a person, who is right more often than a model."
    mode, why = _weigh(priced[place], rules[place], llm, people)
    return (0 if mode == "human" else place), mode, why


def _find_paid(priced: Sequence[Sequence[Option]], cap_nano: int) -> int | None:
    """Return the strictest rule whose calls the cap pays for, None where that would leave every disputed row alone."""
    is_disputed = priced[0][1].calls > 0
    paid = (place for place, options in enumerate(priced) if options[1].llm_nano <= cap_nano)
    return next((place for place in paid if priced[place][1].calls or not is_disputed), None)


def _weigh(options: Sequence[Option], rows: Rows, llm: Llm, people: People) -> tuple[Mode, str]:
    both_known = min(llm.right.rows, rows.pool_hard_right.rows) >= ENOUGH
    if both_known and llm.right.share <= rows.pool_hard_right.share and not llm.is_fused:
        return "human", (
            f"On hard rows the model is right on {llm.right.share:.0%} and the pool on "
            f"{rows.pool_hard_right.share:.0%}: its answers in place of the pool's would hurt."
        )
    if llm.right.rows >= ENOUGH and llm.right.share >= people.right.share - AS_GOOD:
        return "llm", (
            f"On {llm.right.rows:,} measured rows the model is right on {llm.right.share:.0%}, about as often as "
            f"people ({people.right.share:.0%}), for {_usd(options[1].llm_nano)}."
        )
    human, both = options[0], options[2]
    return "llm_then_human", (
        f"People answer {both.human_rows:,} rows instead of {human.human_rows:,} "
        f"({_hours(both.human_hours)} instead of {_hours(human.human_hours)}) for {_usd(both.llm_nano)} of calls; "
        f"{_tell_trust(llm)}."
    )


def _tell_trust(llm: Llm) -> str:
    if llm.right.rows >= ENOUGH:
        return f"alone the model would be right on {llm.right.share:.0%} of hard rows"
    return f"how right the model is on hard rows is not known before {ENOUGH} of them are answered by people"


def _reach(
    priced: Sequence[Sequence[Option]], rules: Sequence[Rows], target: float, cap_nano: int | None
) -> tuple[int, Mode, str]:
    """Return the least effort that reaches the target; of rules with equally many hard rows the strictest."""
    paid = [
        (place, option)
        for place, options in enumerate(priced)
        for option in options
        if cap_nano is None or option.llm_nano <= cap_nano
    ]
    reaching = [one for one in paid if one[1].accuracy >= target]
    if not reaching:
        place, best = max(paid, key=lambda one: round(one[1].accuracy, 9))
        why = (
            f"No mode is expected to reach {target:.1%}; this comes nearest with {best.accuracy:.1%}. What is missing "
            "is in rows that the pool accepts: audit them, review more of them, or train the specialists."
        )
        return place, best.mode, why
    place, best = min(reaching, key=lambda one: (*_rank_effort(one[1]), rules[one[0]].n_hard))
    within = "" if cap_nano is None else f" within {_usd(cap_nano)} of calls"
    return place, best.mode, f"The least effort that is expected to reach {target:.1%}{within}: {_tell_effort(best)}."


def _rank_effort(option: Option) -> tuple[float, float]:
    """Return what less effort is less of: hours without a price cannot be set against money, the least work wins."""
    if option.human_nano is None:
        return option.human_hours, option.llm_nano
    return option.total_nano, option.human_hours


def _set_beside(option: Option, best: Option) -> str:
    points = 100 * (option.accuracy - best.accuracy)
    than = f"{abs(points):.1f} points {'more' if points > 0 else 'less'} accuracy"
    return f"{_tell_effort(option)}; {than if abs(points) >= 0.05 else 'the same accuracy'}."


def _tell_effort(option: Option) -> str:
    calls = f"{_usd(option.llm_nano)} of calls and " if option.calls else ""
    return f"{calls}{_hours(option.human_hours)} of human work"


def _tell_sources(rows: Rows, people: People, llm: Llm | None) -> str:
    parts = [("accepted rows", rows.accepted_right), ("people", people.right)]
    if llm is not None:
        parts += [("the model's answers", llm.right), ("rows it leaves to people", llm.unsure)]
        if llm.is_fused:
            fused = ("the two fused", llm.fused) if llm.fused else ("the pool on hard rows", rows.pool_hard_right)
            parts.append(fused)
    measured = [f"{name} ({known.rows:,})" for name, known in parts if known.rows]
    taken = [f"{name} ({known.share:.0%})" for name, known in parts if not known.rows]
    found = [f"measured: {', '.join(measured)}"] if measured else []
    found += [f"assumed: {', '.join(taken)}"] if taken else []
    return "; ".join(found)


def _check(rows: Rows, llm: Llm | None, people: People) -> None:
    knowns = [rows.accepted_right, rows.pool_hard_right, people.right]
    numbers: list[float] = [rows.n_rows, rows.n_hard, rows.n_left, rows.n_rows - rows.n_hard - rows.n_left]
    numbers += [people.seconds_a_row, people.usd_an_hour or 0]
    if llm is not None:
        knowns += [llm.right, llm.abstains, llm.unsure, *([llm.fused] if llm.fused else [])]
        numbers += [llm.nano_a_call, llm.calls_a_row, llm.seconds_a_call, llm.concurrency]
        numbers.append(llm.unsure.share - llm.abstains.share)
    if not all(0 <= known.share <= 1 and known.rows >= 0 for known in knowns):
        raise BadInput("The shares of a forecast are between 0 and 1.")
    if not all(number >= 0 for number in numbers):
        raise BadInput("The numbers of a forecast are at least 0, and a part is no larger than its whole.")


def _usd(nano: int) -> str:
    return f"${nano / 1_000_000_000:,.2f}" if nano >= 10_000_000 else f"${nano / 1_000_000_000:.4f}"


def _hours(hours: float) -> str:
    return f"{hours:,.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"

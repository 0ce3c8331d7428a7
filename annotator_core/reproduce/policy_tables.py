"""Table 3, and the policies at equal numbers of reviews."""

from collections.abc import Sequence
from typing import Final

from annotator_core.reproduce.consulted import BY_LLM, stack_classes, vote_models
from annotator_core.reproduce.intervals import Mean, average, share_of_rows
from annotator_core.reproduce.markdown import percent, write_table
from annotator_core.reproduce.measure import share_right
from annotator_core.reproduce.people import tell_share
from annotator_core.reproduce.plot import Row, draw_dots
from annotator_core.reproduce.study import Measured, rates_of

POLICIES: Final = {
    "single": "best single (audit's choice), no review",
    "majority": "majority, no review",
    "race_alone": "race, audit only",
    "paper_llm": "paper + LLM",
    "race_llm": "race + LLM",
    "race_fusion": "race + fusion with the LLM",
    "paper_person": "paper + person",
    "race_person": "race + person",
}
_PAIRS: Final = (("race_person", "paper_person"), ("race_fusion", "paper_llm"))
NOT_RUN: Final = "not run"


def over_seeds(measured: Measured, name: str) -> Mean:
    """Return the mean of a figure over the seeds; of a policy with an LLM the real endpoint's where one was asked."""
    if measured.consulted is not None and name in BY_LLM:
        return measured.consulted.tell_policy(name)
    return average([each[name] for each in measured.rules])


def write_table_three(found: Sequence[Measured]) -> str:
    """Return the paper's Table 3: specialists alone, the LLMs alone, their vote, the paper's rule."""
    head = ["set", "specialists alone", "majority", "LLM zero-shot", "LLM majority", "paper + LLM", "paper + person"]
    return write_table(head, [_write_three(each) for each in found])


def _write_three(measured: Measured) -> list[str]:
    votes, dataset = measured.votes, measured.dataset
    ballots = votes.pool(dataset.pool)
    alone = [
        f"{name} {percent(share_right(ballots.votes[:, column], votes.gold))}"
        for column, name in enumerate(dataset.pool)
    ]
    return [
        dataset.title,
        ", ".join(alone),
        share_of_rows(measured.rules[0]["majority"], len(votes)).tell(),
        *_tell_panel(measured),
        f"{over_seeds(measured, 'paper_llm').tell()}{_name_llm(measured)}",
        score_person(measured).tell(),
    ]


def score_person(measured: Measured) -> Mean:
    """Return the accuracy of the paper's rule with the person: over rows where the person is gold, else over seeds."""
    if measured.is_person_gold:
        return share_of_rows(measured.rules[0]["paper_person"], len(measured.votes))
    return over_seeds(measured, "paper_person")


def _name_llm(measured: Measured) -> str:
    """Return who reviewed, in brackets; nothing where it is the first LLM of a stored set."""
    if measured.consulted is not None:
        return f" ({measured.consulted.models[0]}, {len(measured.consulted.rows)} rows)"
    return " (simulated)" if measured.is_simulated else ""


def _tell_panel(measured: Measured) -> tuple[str, str]:
    """Return how often each LLM is right alone, and their majority: the endpoint's where more than one was asked."""
    votes, consulted, n_classes = measured.votes, measured.consulted, len(measured.votes.classes)
    alone = [
        f"{name} {percent(share_right(votes.answers[:, column], votes.gold))}"
        for column, name in enumerate(measured.dataset.panel)
    ]
    majority = NOT_RUN
    if votes.answers.shape[1]:
        majority = percent(share_right(vote_models(votes.answers, n_classes), votes.gold))
    if consulted is not None:
        gold, n_rows = votes.gold[consulted.rows], len(consulted.rows)
        alone += [
            f"{name} {share_of_rows(share_right(each.classes, gold), n_rows).tell()} ({n_rows} rows)"
            for name, each in zip(consulted.models, consulted.replies, strict=True)
        ]
        if len(consulted.models) > 1:
            right = share_right(vote_models(stack_classes(consulted.replies), n_classes), gold)
            majority = f"{share_of_rows(right, n_rows).tell()} ({len(consulted.models)} models, {n_rows} rows)"
    return ", ".join(alone) or NOT_RUN, majority


def write_policies(found: Sequence[Measured]) -> str:
    """Return every policy's accuracy; those that review do so on as many rows as the paper's rule."""
    head = ["set", "reviewed", *POLICIES.values()]
    rows = [
        [
            each.dataset.title,
            percent(over_seeds(each, "hard").value),
            *(over_seeds(each, name).tell() for name in POLICIES),
        ]
        for each in found
    ]
    means = [average([over_seeds(each, name).value for each in found]) for name in POLICIES]
    rows.append(["**mean of sets**", "", *(f"**{percent(mean.value)}**" for mean in means)])
    return write_table(head, rows)


def write_winners(found: Sequence[Measured]) -> str:
    """Return plainly where the paper's rule wins and where ours does, at equal numbers of reviews."""
    person = (
        "a person" if found[0].is_person_gold else f"a person who is right on {tell_share(found[0].person_accuracy)}"
    )
    lines = []
    for (ours, paper), reviewer in zip(_PAIRS, (person, "an LLM (ours fuses, the paper's replaces)"), strict=True):
        sides: dict[str, list[str]] = {"ours": [], "the paper's": [], "neither surely": []}
        for each in found:
            gain = average([row[ours] - row[paper] for row in each.rules])
            if each.consulted is not None and ours in BY_LLM:
                gain = each.consulted.tell_gain()
            side = "ours" if gain.low > 0 else "the paper's" if gain.high < 0 else "neither surely"
            sides[side].append(f"{each.dataset.title} ({100 * gain.value:+.1f})")
        lines.append(f"With {reviewer}, points of accuracy at equal reviews, ours less the paper's:\n")
        lines += [f"- {side} wins: {', '.join(names) or 'on no set'}." for side, names in sides.items()]
        lines.append("")
    return "\n".join(lines)


def tell_means(found: Sequence[Measured]) -> str:
    """Return the averages over sets, in two sentences for the report's head."""
    mean = {name: percent(average([over_seeds(each, name).value for each in found]).value) for name in POLICIES}
    return (
        "- At equal numbers of reviews, averaged over the sets: "
        f"with a person the race gives {mean['race_person']}%, the paper's rule {mean['paper_person']}%; "
        f"with an LLM the race with fusion {mean['race_fusion']}%, with replacement {mean['race_llm']}%, "
        f"the paper's rule {mean['paper_llm']}%.\n"
        f"- Without any review but the audit the race gives {mean['race_alone']}%, the majority {mean['majority']}%, "
        f"the specialist that the audit finds best {mean['single']}%.\n"
    )


def draw_policies(found: Sequence[Measured]) -> str:
    """Return the plot of the policies with a reviewer."""
    names = ("paper_person", "race_person", "paper_llm", "race_fusion")
    rows = [Row(each.dataset.title, tuple(over_seeds(each, name) for name in names)) for each in found]
    title = "Accuracy at equal numbers of reviews"
    return draw_dots(
        title, ["paper + person", "race + person", "paper + LLM", "race + fusion"], rows, low=0.2, high=1.0
    )


def tell_simulation(found: Sequence[Measured]) -> str:
    """Return how often the simulated LLM is right."""
    rates = {each.dataset.task: rates_of(each.dataset) for each in found if each.is_simulated}
    told = [f"{task}: {rate.easy:.0%} on easy rows, {rate.hard:.0%} on hard ones" for task, rate in rates.items()]
    return f"Simulated LLM ({'; '.join(told)}). " if told else ""

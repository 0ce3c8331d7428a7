"""Every set and seed measured once and kept, so that a command that was killed goes on where it was."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from annotator_core.consensus.aggregator import Ballots
from annotator_core.reproduce.casting import cast_votes
from annotator_core.reproduce.consulted import Consulted
from annotator_core.reproduce.equal import compare_equal
from annotator_core.reproduce.kept import Votes, digest_settings, hash_votes
from annotator_core.reproduce.measure import Figures, Reviewers, measure_rules
from annotator_core.reproduce.people import LLM_SENTIMENT, LLM_TOXICITY, Accuracies, simulate_llm, simulate_person
from annotator_core.reproduce.rules import Answers, follow_paper
from annotator_core.reproduce.sets import DataSet
from annotator_core.reproduce.specialists import Folders, list_missing
from annotator_core.reproduce.targets import draw_rows
from annotator_core.storage import report_storage

FORMAT: Final = 5
"""Raised when a rule changes, so that figures of older ones are not taken for it."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a study is asked: seeds 0 to seeds - 1, at most so many rows a set, how often a person is right."""

    folders: Folders
    seeds: int
    limit: int
    person_accuracy: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One set: its votes and, for each seed, what each rule gives and the reviews at equal accuracy.

    person_accuracy: how often the person of its figures is right, above 0 to 1. consulted: what a real endpoint
    answered, None where none was asked.
    """

    dataset: DataSet
    votes: Votes
    person_accuracy: float
    rules: tuple[Figures, ...]
    equal: tuple[Figures, ...]
    winners: tuple[str, ...]
    consulted: Consulted | None = None

    @property
    def is_person_gold(self) -> bool:
        """Return whether nothing is drawn of the person."""
        return self.person_accuracy == 1

    @property
    def is_simulated(self) -> bool:
        """Return whether the LLM of its policies is simulated: no real one has answered."""
        return self.consulted is None and not self.votes.answers.shape[1]


def study_sets(
    datasets: Sequence[DataSet], settings: Settings, say: Say
) -> tuple[tuple[Measured, ...], Mapping[str, str]]:
    """Return what was measured, and for each set that could not be why; say gets a line as each part begins.

    Raises as `casting.cast_votes` does, BadInput for a pool of none, StorageError or StoreFull.
    """
    missing = list_missing(datasets, settings.folders.trained)
    present = [each for each in datasets if each.name not in missing]
    votes = {}
    for dataset in present:
        say(f"{dataset.name}: votes")
        votes[dataset.name] = cast_votes(dataset, settings.folders, settings.limit)
    found: dict[str, list[dict[str, Any]]] = {dataset.name: [] for dataset in present}
    for seed in range(settings.seeds):  # seeds outside: an early look has some of every set
        for dataset in present:
            say(f"{dataset.name}: seed {seed}")
            found[dataset.name].append(_measure_kept(dataset, votes[dataset.name], settings, seed))
    accuracy = settings.person_accuracy
    return tuple(_collect(each, votes[each.name], accuracy, found[each.name]) for each in present), missing


def rates_of(dataset: DataSet) -> Accuracies:
    """Return how often the simulated LLM is right on the set, 0 to 1."""
    return LLM_TOXICITY if dataset.task == "toxicity" else LLM_SENTIMENT


def find_reviewers(dataset: DataSet, votes: Votes, ballots: Ballots, person_accuracy: float, seed: int) -> Reviewers:
    """Return the reviewers of a set: its real LLM where it has answers of one, else a simulated one.

    person_accuracy: 0 to 1.
    """
    person = simulate_person(votes.gold, ballots.n_classes, person_accuracy, seed)
    if votes.answers.shape[1]:
        return Reviewers(person, votes.answers[:, 0])
    hard = follow_paper(ballots).hard
    return Reviewers(person, simulate_llm(votes.gold, hard, ballots.n_classes, rates_of(dataset), seed))


def _measure_kept(dataset: DataSet, votes: Votes, settings: Settings, seed: int) -> dict[str, Any]:
    digest = digest_settings(FORMAT, hash_votes(votes), dataset.pool, settings.person_accuracy)
    path = settings.folders.kept / "figures" / f"{dataset.name}-{seed}-{digest}.json"
    return keep(path, lambda: _measure(dataset, votes, settings, seed))


def _measure(dataset: DataSet, votes: Votes, settings: Settings, seed: int) -> dict[str, Any]:
    ballots = votes.pool(dataset.pool)
    reviewers = find_reviewers(dataset, votes, ballots, settings.person_accuracy, seed)
    texts = draw_rows(dataset, settings.folders.data, settings.limit)[0].texts
    equal = asdict(compare_equal(ballots, Answers(votes.gold, reviewers.person), texts, seed=seed))
    winner = equal.pop("winner")
    return {"rules": measure_rules(ballots, votes.gold, reviewers, seed=seed), "equal": equal, "winner": winner}


def keep(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what the file holds, or what `make` gives and the file holds from now on; a damaged file is made anew.

    Raises StorageError or StoreFull, and what `make` does.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = make()
        with report_storage(f"The file {path}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.part")
            beside.write_text(json.dumps(found, sort_keys=True), encoding="utf-8")
            os.replace(beside, path)  # noqa: PTH105 - says that an older file goes
    return found


def _collect(dataset: DataSet, votes: Votes, person_accuracy: float, found: list[dict[str, Any]]) -> Measured:
    return Measured(
        dataset,
        votes,
        person_accuracy,
        tuple(each["rules"] for each in found),
        tuple(each["equal"] for each in found),
        tuple(each["winner"] for each in found),
    )

"""The whole search in one process: words, the Hub, what is safe to load, similarity, proof on rows, choice.

Source: AutoAnnotator (arXiv 2506.16393), eq. 1; engine section 7.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from annotator_core.arrays import IntArray
from annotator_core.errors import AnnotatorError, HubUnavailable, PredictionStopped, StorageError, TryLater
from annotator_core.meta.asking import LanguageModel
from annotator_core.meta.choice import Choice, Standing, choose
from annotator_core.meta.hub_api import Hub
from annotator_core.meta.label_maps import ProposedMap, propose_by_words, try_on_rows
from annotator_core.meta.listing import search_models
from annotator_core.meta.proof import Answers, Proof, answer, map_votes, prove
from annotator_core.meta.reading import Reading, read_model
from annotator_core.meta.similarity import Similarity, compare
from annotator_core.meta.task import Task
from annotator_core.meta.words import Words, write_words
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.hub import fetch

READ_FOR_EACH: Final = 4
MOST_READ: Final = 40
"""Models that are read of the Hub for each one that is tried, and at most: half of what it lists has no safetensors."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to look for. candidates: how many are tried. top: how many of them to recommend. max_bytes: of one model."""

    candidates: int = 6
    top: int = 3
    max_bytes: int = 1_500_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """Where models come from, and the folder below which their files lie while they are tried."""

    hub: Hub
    folder: Path


@dataclass(frozen=True, slots=True)
class Rows:
    """Pilot rows: n texts, and their classes (n,), ABSTAIN where nobody knows."""

    texts: Sequence[str]
    gold: IntArray


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate that could be loaded: what it is, the map that awaits a person's word, what it is worth.

    similarity: of task and card, 0 to 1. seconds: wall time of its answers.
    """

    reading: Reading
    similarity: float
    proposed: ProposedMap
    proof: Proof
    choice: Choice
    seconds: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found. tried: from the best on. failed: those that could not be loaded, and why.

    refused: those that are not safe or no classifier. passed_over: safe ones that others were more alike the task than.
    """

    words: Words
    similarity: Similarity
    tried: tuple[Tried, ...]
    failed: tuple[tuple[Reading, str], ...]
    refused: tuple[Reading, ...]
    passed_over: tuple[Reading, ...]


def find_models(
    task: Task,
    rows: Rows,
    wish: Wish,
    source: Source,
    *,
    language_model: LanguageModel | None = None,
    tell: Callable[[str], None] = lambda _line: None,
) -> SearchResult:
    """Return the models of the Hub that fit the task best, proved on the rows.

    tell: gets a line for a person before each step. Raises HubUnavailable and TryLater where the hub or the language
    model does not answer, StorageError where the disk does not take the files.
    """
    words, hub = write_words(task, language_model), source.hub
    tell(f"Searching {hub.address} for {', '.join(words.queries)}.")
    listed = search_models(hub, words.queries, count_to_read(wish.candidates))
    readings = [read_model(hub, one.model_id, wish.max_bytes) for one in listed]
    safe = [one for one in readings if not one.refusals]
    tell(f"{len(listed)} listed, {len(safe)} safe to load.")
    similarity = compare(task, safe, language_model)
    order = rank_by(similarity.scores, [one.downloads for one in safe])
    picked, passed_over = order[: wish.candidates], order[wish.candidates :]
    answers, failed = _ask_all([safe[index] for index in picked], rows, wish, source, tell)
    scores = {safe[index].model_id: similarity.scores[index] for index in picked}
    return SearchResult(
        words=words,
        similarity=similarity,
        tried=_judge(task, rows, wish.top, answers, scores, language_model),
        failed=failed,
        refused=tuple(one for one in readings if one.refusals),
        passed_over=tuple(safe[index] for index in passed_over),
    )


def count_to_read(candidates: int) -> int:
    """Return how many models of the Hub to read where so many are to be tried.

    >>> count_to_read(6), count_to_read(20)
    (24, 40)
    """
    return min(READ_FOR_EACH * candidates, MOST_READ)


def rank_by(scores: Sequence[float], downloads: Sequence[int]) -> list[int]:
    """Return the indices by score, then by downloads, then as they stand. scores, downloads: from 0 up.

    >>> rank_by([0.2, 0.9, 0.2], [5, 1, 7])
    [1, 2, 0]
    """
    return sorted(range(len(scores)), key=lambda index: (-scores[index], -downloads[index], index))


def _ask_all(
    models: Sequence[Reading], rows: Rows, wish: Wish, source: Source, tell: Callable[[str], None]
) -> tuple[list[tuple[Reading, Answers]], tuple[tuple[Reading, str], ...]]:
    done: list[tuple[Reading, Answers]] = []
    failed: list[tuple[Reading, str]] = []
    for one in models:
        tell(f"Trying {one.model_id} ({one.size_bytes / 1e6:,.0f} MB).")
        try:
            done.append(fetch_and_ask(one, rows.texts, wish.max_bytes, source))
        except (HubUnavailable, StorageError, TryLater, PredictionStopped):
            raise
        except AnnotatorError as error:
            failed.append((one, error.message))
    return done, tuple(failed)


def fetch_and_ask(model: Reading, texts: Sequence[str], max_bytes: int, source: Source) -> tuple[Reading, Answers]:
    """Return the model, with the labels that its files name, and its answers; the files are gone afterwards.

    max_bytes: of its files. Raises as `hub.fetch` and `proof.answer` do.
    """
    hub, folder = source.hub, source.folder / model.model_id.replace("/", "--")
    try:
        fetch(model.model_id, model.revision, folder, max_bytes=max_bytes, endpoint=hub.endpoint, token=hub.token)
        card = inspect_folder(folder)
        return replace(model, labels=card.labels), answer(card, texts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judge(
    task: Task,
    rows: Rows,
    top: int,
    answers: Sequence[tuple[Reading, Answers]],
    scores: dict[str, float],
    language_model: LanguageModel | None,
) -> tuple[Tried, ...]:
    n_classes = len(task.classes)
    labels = [found.labels for _reading, found in answers]
    maps = [
        try_on_rows(propose_by_words(reading, task.classes, language_model), found.labels, rows.gold, n_classes)
        for reading, found in answers
    ]
    votes = [map_votes(one, proposed.label_map.targets) for one, proposed in zip(labels, maps, strict=True)]
    proofs = prove(labels, votes, rows.gold, [proposed.is_held_out for proposed in maps], n_classes)
    similarities = [scores[reading.model_id] for reading, _found in answers]
    standings = [Standing(*parts) for parts in zip(similarities, proofs, votes, strict=True)]
    return tuple(
        Tried(
            reading=answers[choice.index][0],
            similarity=similarities[choice.index],
            proposed=maps[choice.index],
            proof=proofs[choice.index],
            choice=choice,
            seconds=answers[choice.index][1].seconds,
        )
        for choice in choose(standings, rows.gold, top)
    )


def no_gold(n_rows: int) -> IntArray:
    """Return the classes (n,) of rows that nobody has answered: ABSTAIN.

    >>> no_gold(2).tolist()
    [-1, -1]
    """
    return np.full(n_rows, -1, dtype=np.int64)

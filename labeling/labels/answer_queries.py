"""Reads about a language model's answers in a run: which rows wait for one, and what was answered."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotator_core.types import LabelSource, Route
from labeling.datasets.models import Sample
from labeling.labels.chunk_queries import ON_ROW, PARAMETERS, PERSON_SOURCES, ConsensusOnRow
from labeling.labels.models import Consensus, Label, VerifierAnswer, Vote
from labeling.runs.models import Run, RunVerifier

MACHINE_SOURCES = (LabelSource.VERIFIER.value, LabelSource.FUSED.value)
"""Sources of labels that rest on a language model's answer."""
NOTHING_ELSE = Q(pk__in=())
"""Of the rows that a person has labeled meanwhile, none: nothing has to be asked about them."""
ALL_ELSE = ~NOTHING_ELSE
"""Of these rows, all."""


@dataclass(frozen=True, slots=True)
class TextToAsk:
    """A text whose rows wait for the model, by one of them; `generation` is the pool that voted on that row."""

    sample_id: int
    text: str
    text_hash: str
    generation: int


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One connection's stored answer on a text; `class_id` is None where it abstained."""

    connection_id: int
    class_id: int | None
    confidence: float | None
    outcome: str
    reason: str


def verifier_ids(run: Run) -> list[int]:
    """The run's connections, in the order in which they were chosen."""
    chosen = RunVerifier.objects.filter(run=run).order_by("position", "id")
    return list(chosen.values_list("connection_id", flat=True))


def rows_to_rule(run: Run, also: Q = NOTHING_ELSE) -> QuerySet[Consensus]:
    """Rows that wait for the model, and of those that a person has labeled meanwhile the ones in `also`."""
    here = Consensus.objects.filter(run=run, is_current=True, route=Route.VERIFY)
    return here.filter(~Exists(_by_model(run))).filter(~Q(Exists(_by_person())) | also)


def texts_to_ask(run: Run, connection_ids: Sequence[int], count: int, also: Q = NOTHING_ELSE) -> list[TextToAsk]:
    """Texts of the next `count` rows to rule that any of the connections has not answered, least certain first."""
    rows = rows_to_rule(run, also).filter(~_is_answered(run, connection_ids)).order_by("score", "sample_id")
    fields = ("sample_id", "sample__text", "sample__text_hash", "generation")
    found: dict[str, TextToAsk] = {}
    for row in rows.values_list(*fields)[:count]:
        found.setdefault(row[2], TextToAsk(*row))
    return list(found.values())


def count_to_ask(run: Run, connection_ids: Sequence[int], also: Q = NOTHING_ELSE) -> int:
    """How many different texts of rows to rule any of the connections has not answered."""
    waiting = rows_to_rule(run, also).filter(~_is_answered(run, connection_ids))
    return waiting.order_by().values("sample__text_hash").distinct().count()


def hashes_to_settle(run: Run, connection_ids: Sequence[int], also: Q = NOTHING_ELSE) -> list[str]:
    """Texts of rows to rule that every connection has answered, in their order."""
    waiting = rows_to_rule(run, also).filter(_is_answered(run, connection_ids))
    return list(waiting.order_by("sample__text_hash").values_list("sample__text_hash", flat=True).distinct())


def rows_of(run: Run, hashes: Iterable[str], also: Q = NOTHING_ELSE) -> list[ConsensusOnRow]:
    """The rows to rule of these texts, all copies."""
    rows: list[ConsensusOnRow] = []
    for part in _parts(hashes):
        here = rows_to_rule(run, also).filter(sample__dataset_id=run.dataset_id, sample__text_hash__in=part)
        rows += [ConsensusOnRow(*row) for row in here.order_by("sample_id").values_list(*ON_ROW)]
    return rows


def fusion_texts(run: Run, generation: int, connection_ids: Sequence[int]) -> list[TextToAsk]:
    """Every text of that generation's rows that all connections have answered, whatever became of it, by hash."""
    rows = Consensus.objects.filter(run=run, is_current=True, generation=generation).exclude(route=None)
    rows = rows.filter(_is_answered(run, connection_ids)).order_by("sample__text_hash", "sample_id")
    found: dict[str, TextToAsk] = {}
    for sample_id, text_hash in rows.values_list("sample_id", "sample__text_hash"):
        found.setdefault(text_hash, TextToAsk(sample_id, "", text_hash, generation))
    return list(found.values())


def voted_texts(run: Run, version_ids: Sequence[int], most: int) -> list[str]:
    """Hashes of different texts of the run outside the audit frame that all these versions have voted on.

    The smallest ones: as good as drawn at random, and the same at each time.
    """
    samples = Sample.objects.filter(
        dataset=run.dataset_id, text_hash__gt=run.dataset.frame_until, position__lt=run.row_count
    )
    for version_id in version_ids:
        samples = samples.filter(Exists(Vote.objects.filter(sample=OuterRef("pk"), version=version_id)))
    return list(samples.order_by("text_hash").values_list("text_hash", flat=True).distinct()[:most])


def answers_of(run: Run, hashes: Iterable[str]) -> dict[str, list[StoredAnswer]]:
    """The stored answers on each of the texts, in the order of the run's connections."""
    places = {connection_id: place for place, connection_id in enumerate(verifier_ids(run))}
    found: dict[str, list[StoredAnswer]] = {}
    fields = ("text_hash", "connection_id", "label_class_id", "confidence", "outcome", "reason")
    for part in _parts(hashes):
        for text_hash, *values in VerifierAnswer.objects.filter(run=run, text_hash__in=part).values_list(*fields):
            found.setdefault(text_hash, []).append(StoredAnswer(*values))
    return {h: sorted(given, key=lambda one: places.get(one.connection_id, len(places))) for h, given in found.items()}


def answered_hashes(run: Run, connection_id: int, hashes: Iterable[str]) -> set[str]:
    """Those of the texts that the connection has answered in this run."""
    found: set[str] = set()
    for part in _parts(hashes):
        here = VerifierAnswer.objects.filter(run=run, connection=connection_id, text_hash__in=part)
        found.update(here.values_list("text_hash", flat=True))
    return found


def answered_by_all(run: Run, connection_ids: Sequence[int], hashes: Iterable[str]) -> set[str]:
    """Those of the texts that every one of the connections has answered in this run."""
    wanted = set(hashes)
    for one in connection_ids:
        wanted &= answered_hashes(run, one, wanted)
    return wanted


def contradicted_hashes(run: Run, classes: Iterable[tuple[str, int | None]]) -> set[str]:
    """Of texts with the class of the pool, those on which a model of the run has answered another class."""
    wanted = list(classes)
    if not run.has_verifier:
        return set()
    given = answers_of(run, {text_hash for text_hash, _class_id in wanted})
    return {
        text_hash
        for text_hash, class_id in wanted
        if any(one.class_id not in {None, class_id} for one in given.get(text_hash, ()))
    }


def _is_answered(run: Run, connection_ids: Sequence[int]) -> Q:
    found = Q()
    for one in connection_ids:
        found &= Q(Exists(_answers(run).filter(connection=one)))
    return found


def _answers(run: Run) -> QuerySet[VerifierAnswer]:
    return VerifierAnswer.objects.filter(run=run, text_hash=OuterRef("sample__text_hash"))


def _by_model(run: Run) -> QuerySet[Label]:
    return Label.objects.filter(sample=OuterRef("sample"), run=run, source__in=MACHINE_SOURCES)


def _by_person() -> QuerySet[Label]:
    return Label.objects.filter(sample=OuterRef("sample"), is_current=True, source__in=PERSON_SOURCES)


def _parts(hashes: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted(set(hashes))
    for low in range(0, len(wanted), PARAMETERS):
        yield wanted[low : low + PARAMETERS]

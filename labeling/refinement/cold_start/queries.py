"""What a project could train its first specialists from, and how far its cold starts are."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from annotator_core.types import LabelSource, rank_source
from labeling.datasets.models import Dataset, GoldUse, Sample, UploadState
from labeling.datasets.queries import current_datasets, outside_frames
from labeling.labels.models import Label, VerdictMode
from labeling.labels.seed_queries import VERIFIED, SeedCounts, seed_counts
from labeling.projects.models import LabelClass, Project
from labeling.projects.queries import active_classes
from labeling.refinement.models import Challenger, RefinementRound, RoundKind, RoundState
from labeling.refinement.weights import HUMAN_WEIGHT, weigh_person
from labeling.specialists.models import Specialist, SpecialistVersion, Trial

MOST_ROWS = 5_000  # chosen: an hour of an encoder on two cores; a linear specialist gains little beyond
FEWEST_ROWS = 20  # chosen: the fewest seed texts that can be drawn at once
WANTED_PER_CLASS = 5  # chosen: one for each fold of the test
WANTED_ROWS = 100  # engine.md 3: about a hundred labeled rows


@dataclass(frozen=True, slots=True)
class KnownText:
    """A text whose class is known, at one of its samples; `weight` is what it counts in a training."""

    sample_id: int
    text_hash: str
    class_id: int
    weight: float = HUMAN_WEIGHT


@dataclass(frozen=True, slots=True)
class GoldSet:
    """A data set with a gold column that decides nothing so far: the texts whose value names a class."""

    dataset: Dataset
    column: str
    texts: list[KnownText]


@dataclass(frozen=True, slots=True)
class ClassLine:
    """A class with the number of its texts by source, and how many more are wanted."""

    label_class: LabelClass
    verified: int
    gold: int

    @property
    def missing(self) -> int:
        """How many texts of it are to be labeled before its examples say much."""
        return max(0, WANTED_PER_CLASS - self.verified - self.gold)


@dataclass(frozen=True, slots=True)
class Material:
    """What there is to learn from: seed texts, verified texts (at most `MOST_ROWS`), and each class's count."""

    seeds: SeedCounts
    verified: int
    gold_sets: list[GoldSet]
    lines: list[ClassLine]

    @property
    def rows(self) -> int:
        """Texts that could train, by any source; a text may be counted twice."""
        return self.verified + sum(len(one.texts) for one in self.gold_sets)

    @property
    def is_enough(self) -> bool:
        """Whether a training makes sense: the recommended number, or every drawn text decided."""
        is_labeled = self.seeds.decided > 0 and not self.seeds.left
        return not self.untold and (self.rows >= WANTED_ROWS or is_labeled)

    @property
    def can_train(self) -> bool:
        """Whether a training can be started at all."""
        return self.rows >= FEWEST_ROWS

    @property
    def untold(self) -> list[LabelClass]:
        """Classes without any text."""
        return [line.label_class for line in self.lines if not line.verified + line.gold]


@dataclass(frozen=True, slots=True)
class Entrant:
    """A specialist of a cold start with the version and the trial it has got, and the share of its training done."""

    challenger: Challenger
    version: SpecialistVersion | None
    trial: Trial | None
    share: float = 0.0

    @property
    def accuracy(self) -> float | None:
        """The share of unseen rows on which it was right, None before it was tested."""
        found: float | None = self.challenger.figures.get("accuracy")
        return found

    @property
    def may_vote(self) -> bool:
        """Whether somebody let it vote; a later version may have taken its place since, and its weights be gone."""
        return self.version is not None and self.version.confirmed_at is not None

    @property
    def can_be_confirmed(self) -> bool:
        """Whether its trial is over and found nothing against it."""
        is_sound = self.trial is not None and self.trial.is_done and not self.trial.error
        return is_sound and not self.may_vote and self.trial is not None and self.trial.better_targets is None


def material_of(project: Project) -> Material:
    """What the project could train from."""
    classes = active_classes(project)
    verified, gold_sets = verified_texts(project), gold_sets_of(project)
    counts = Counter(text.class_id for text in verified)
    gold = Counter(text.class_id for one in gold_sets for text in one.texts)
    lines = [ClassLine(one, counts[one.pk], gold[one.pk]) for one in classes]
    return Material(seed_counts(project), len(verified), gold_sets, lines)


def verified_texts(project: Project, most: int = MOST_ROWS) -> list[KnownText]:
    """Texts that a person labeled or an import brought as verified, outside every audit frame, in order of their hash.

    At most `most`; where there are more it is a uniform draw, since hashes are spread evenly.
    """
    found: list[tuple[str, int, bool, int, KnownText]] = []
    fields = ("sample__text_hash", "source", "id", "verdict__mode", "sample_id", "label_class_id")
    for dataset in current_datasets(project):
        labels = Label.objects.filter(is_current=True, source__in=VERIFIED, label_class__is_retired=False)
        rows = labels.filter(outside_frames(dataset, "sample__"), sample__dataset=dataset)
        for text_hash, source, pk, mode, *where in rows.order_by(fields[0], "id").values_list(*fields)[:most]:
            text = KnownText(where[0], text_hash, where[1], weigh_person(mode))
            found.append((text_hash, rank_source(LabelSource(source)), mode != VerdictMode.BULK, pk, text))
    # The higher source, of the same the one given alone, then the newer label, comes last and wins.
    best = {row[0]: row[-1] for row in sorted(found, key=lambda row: row[:-1])}
    return list(best.values())[:most]


def gold_sets_of(project: Project) -> list[GoldSet]:
    """The project's data sets with a gold column that was kept to compare with, newest first."""
    names: dict[str, int] = {}
    for one in active_classes(project):
        names.setdefault(one.name.strip().casefold(), one.pk)
    datasets = current_datasets(project)
    sets = [GoldSet(one, _gold_column(one), _gold_texts(one, names)) for one in datasets if _gold_column(one)]
    return [one for one in sets if one.texts]


def _gold_column(dataset: Dataset) -> str:
    kept = dataset.uploads.filter(state=UploadState.DONE, gold_use=GoldUse.KEEP).exclude(gold_column="")
    return kept.values_list("gold_column", flat=True).first() or ""


def _gold_texts(dataset: Dataset, names: dict[str, int]) -> list[KnownText]:
    samples = Sample.objects.filter(outside_frames(dataset), dataset=dataset).exclude(gold="")
    rows = samples.order_by("text_hash", "id").values_list("id", "text_hash", "gold")[:MOST_ROWS]
    found: dict[str, KnownText] = {}
    for sample_id, text_hash, gold in rows:
        class_id = names.get(gold.strip().casefold())
        if class_id is not None:
            found.setdefault(text_hash, KnownText(sample_id, text_hash, class_id))
    return list(found.values())


def cold_starts(project: Project) -> QuerySet[RefinementRound]:
    """The project's cold starts, newest first; those that were given up do not count."""
    rounds = RefinementRound.objects.filter(project=project, kind=RoundKind.COLD_START)
    return rounds.exclude(state=RoundState.CANCELLED)


def newest_cold_start(project: Project) -> RefinementRound | None:
    """The cold start that the page shows."""
    return cold_starts(project).select_related("created_by").first()


def entrants_of(round_: RefinementRound, done: Mapping[int, float] | None = None) -> list[Entrant]:
    """The specialists of a cold start that are still on the list, with the trial of the version that it made.

    `done`: the share of the training that is done (0 to 1), by position.
    """
    challengers = round_.challengers.filter(specialist__is_archived=False).select_related("specialist", "version")
    trials = Trial.objects.filter(version__in=[one.version_id for one in challengers if one.version_id])
    newest = {trial.version_id: trial for trial in trials.order_by("id")}
    shares = done or {}
    return [
        Entrant(one, one.version, newest.get(one.version_id or 0), shares.get(one.position, 0.0)) for one in challengers
    ]


def possible_bases(project: Project) -> list[Specialist]:
    """Fetched models of the project that a new head can be put on, by name."""
    living = Specialist.objects.filter(project=project, is_archived=False, backend="torch")
    return list(living.exclude(weights_hash="").order_by("name"))


def unlabeled_texts(dataset: Dataset, most: int) -> list[str]:
    """Texts of the data set outside every audit frame, a uniform draw: they tell words and what stands together."""
    samples = Sample.objects.filter(outside_frames(dataset), dataset=dataset)
    return list(samples.order_by("text_hash").values_list("text", flat=True)[:most])


def rows_of(round_: RefinementRound) -> list[tuple[str, int, float]]:
    """(text, class id, weight) of the rows that the cold start froze, in their order."""
    rows = round_.samples.order_by("id").values_list("sample__text", "label_class_id", "weight")
    return list(rows.iterator(MOST_ROWS))

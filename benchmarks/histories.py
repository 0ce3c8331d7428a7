"""Whether what people decided is what the histories tell: as labels of its text, and on the time line of its page."""

from typing import Any


def labelled(project: Any) -> set[str]:
    """The client ids of all decisions behind a label that a text of the project has or had."""
    from labeling.labels.models import Label

    found = Label.objects.filter(verdict__item__project=project).values_list("verdict__client_id", flat=True)
    return {str(one) for one in found}


def wrong_time_lines(project: Any, most: int) -> tuple[int, str]:
    """(samples whose page tells other decisions than are stored on them, how many were read): `most`, evenly chosen."""
    from labeling.datasets.models import Sample

    decided = Sample.objects.filter(items__project=project, items__verdicts__isnull=False).order_by("id").distinct()
    ids = list(decided.values_list("id", flat=True))
    chosen = ids[:: max(1, len(ids) // most)][:most]
    samples = Sample.objects.filter(id__in=chosen).select_related("dataset__project", "upload")
    return sum(not is_told(sample) for sample in samples), f"{len(chosen):,} read"


def is_told(sample: Any) -> bool:
    """Whether the sample's time line has each of its decisions once, and the label of each that counts."""
    from labeling.labels.models import Verdict
    from labeling.overview.samples.story import story_of

    stored = Verdict.objects.filter(item__dataset=sample.dataset_id, item__text_hash=sample.text_hash)
    moments = story_of(sample).moments
    decisions = [one.fact.pk for one in moments if one.kind == "verdict"]
    labels = [one.fact.verdict_id for one in moments if one.kind == "label" and one.fact.verdict_id]
    counting = stored.filter(is_undo=False, is_stale=False)
    is_each_there = sorted(decisions) == sorted(stored.values_list("pk", flat=True))
    return is_each_there and sorted(labels) == sorted(counting.values_list("pk", flat=True))

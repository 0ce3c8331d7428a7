"""Why no specialist has voted on a sample (C51): a page that shows no votes says why."""

from django.utils.translation import gettext as _

from labeling.datasets.models import Sample
from labeling.jobs.models import Chunk, ChunkState
from labeling.runs.actions import KIND
from labeling.runs.models import Run, RunState


def silence_on(sample: Sample) -> str:
    """One sentence, by the newest run of the data set."""
    run = Run.objects.filter(dataset=sample.dataset_id).order_by("-number").first()
    if run is None:
        return _("No run has been started on this data set.")
    number = {"n": run.number}
    if _is_dead(run, sample.position):
        return _("The part of run %(n)d with this row failed. It can be tried again on the run's page.") % number
    words = {
        RunState.RUNNING: _("Run %(n)d is voting and has not come to this row yet."),
        RunState.PAUSED: _("Run %(n)d is paused and has not come to this row yet."),
        RunState.CANCELLED: _("Run %(n)d was cancelled before it came to this row."),
    }
    came_later = _("This row was added after run %(n)d had voted; the next run votes on it.")
    return words.get(RunState(run.state), came_later) % number


def _is_dead(run: Run, position: int) -> bool:
    parts = Chunk.objects.filter(job__kind=KIND, job__subject=run.pk, state=ChunkState.DEAD)
    return parts.filter(low__lte=position, high__gt=position).exists()

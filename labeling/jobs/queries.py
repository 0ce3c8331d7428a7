"""Reads about jobs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Sum
from django.utils import timezone

from labeling.jobs.models import OPEN_CHUNK_STATES, Chunk, ChunkState, Event, Heartbeat, Job, JobState

SILENT_AFTER_S = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: rows done and in all, rows per second, seconds left (None while unknown), dead parts."""

    done: int
    total: int
    rate: float
    remaining_s: float | None
    dead: tuple[Chunk, ...]
    is_waiting: bool

    @property
    def share(self) -> float:
        """0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


def job_of(kind: str, subject: int) -> Job | None:
    """The newest job of a kind on a subject."""
    return Job.objects.filter(kind=kind, subject=subject).first()


def progress_of(job: Job) -> Progress:
    """Progress from the job's counters and its chunks in work: two queries, whatever the size of the data."""
    working = job.chunks.filter(state=ChunkState.RUNNING).aggregate(rows=Sum("progress"))["rows"] or 0
    done = job.progress + working
    elapsed = ((job.finished_at or timezone.now()) - job.counted_from).total_seconds()
    rate = done / elapsed if elapsed > 0 else 0.0
    left = (job.total - done) / rate if rate > 0 and not job.is_over else None
    dead = tuple(job.chunks.filter(state=ChunkState.DEAD)[:20])
    return Progress(done, job.total, rate, left, dead, is_waiting=not job.is_over and not are_workers_alive())


def dirty_job_ids() -> list[int]:
    """Jobs that `advance` should look at, oldest first."""
    return list(Job.objects.filter(is_dirty=True).order_by("id").values_list("id", flat=True)[:100])


def has_open_chunks(job: Job, stage: str) -> bool:
    """Whether the stage has parts that are not done; dead parts count as open."""
    return job.chunks.filter(stage=stage).exclude(state=ChunkState.DONE).exists()


def chunk_ids(job_id: int) -> list[int]:
    """All parts of a job, done or not."""
    return list(Chunk.objects.filter(job=job_id).values_list("id", flat=True))


def next_index(job: Job, stage: str) -> int:
    """The number of the stage's next chunk: 0 for the first."""
    last = job.chunks.filter(stage=stage).aggregate(last=Max("idx"))["last"]
    return 0 if last is None else last + 1


def alive_workers(now: datetime | None = None) -> list[Heartbeat]:
    """Workers heard of within ten seconds."""
    return list(Heartbeat.objects.filter(beat_at__gt=(now or timezone.now()) - timedelta(seconds=SILENT_AFTER_S)))


def are_workers_alive() -> bool:
    """Whether any worker was heard of within ten seconds."""
    return Heartbeat.objects.filter(beat_at__gt=timezone.now() - timedelta(seconds=SILENT_AFTER_S)).exists()


def silent_queues() -> set[str]:
    """Queues that have work but no worker that lives."""
    wanted = set(
        Chunk.objects.filter(state__in=OPEN_CHUNK_STATES, job__state=JobState.RUNNING)
        .values_list("queue", flat=True)
        .distinct()
    )
    if Job.objects.filter(is_dirty=True).exists():
        wanted.add("io")
    served = {queue for beat in alive_workers() for queue in beat.queues.split(",")}
    return wanted - served


def newest_event_id() -> int:
    """The id up to which a tailer that starts now has nothing to tell."""
    return Event.objects.aggregate(newest=Max("id"))["newest"] or 0


def events_after(event_id: int) -> list[Event]:
    """Events newer than `event_id`, oldest first; the hundred before are read again, for commits come out of order."""
    return list(Event.objects.filter(id__gt=event_id - 100).order_by("id")[:5_000])


def newest_states(topics: list[str]) -> dict[str, tuple[int, dict[str, object]]]:
    """The newest (seq, state) of each topic that has one."""
    states: dict[str, tuple[int, dict[str, object]]] = {}
    for topic in topics:
        event = Event.objects.filter(topic=topic).order_by("-seq").first()
        if event:
            states[topic] = (event.seq, event.state)
    return states


def topic_project_ids(topics: list[str]) -> dict[str, int]:
    """The project of each topic `kind:subject` that names a job."""
    found: dict[str, int] = {}
    for topic in topics:
        kind, _, subject = topic.partition(":")
        job = job_of(kind, int(subject)) if subject.isdecimal() and len(subject) < 18 else None
        if job:
            found[topic] = job.project_id
    return found

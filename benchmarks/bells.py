"""Run beside a scratch site: opens jobs and prints how many seconds each waited until a worker had begun it."""

import sys
import threading
import time

import django

django.setup()

from labeling.jobs.actions import open_job  # noqa: E402 (Django must be set up first)
from labeling.jobs.models import Heartbeat, Job  # noqa: E402 (Django must be set up first)
from labeling.projects.models import Project  # noqa: E402 (Django must be set up first)


def wait(is_over) -> None:
    """Ask every five milliseconds, for a minute at most."""
    end = time.monotonic() + 60
    while not is_over():
        if time.monotonic() > end:
            raise TimeoutError
        threading.Event().wait(0.005)


def main() -> None:
    """One line a job."""
    project = Project.objects.create(slug="bells", name="Bells")
    wait(lambda: Heartbeat.objects.filter(queues__contains="io").exists())
    for number in range(int(sys.argv[1])):
        threading.Event().wait(0.3 + 0.1 * (number % 7))
        started = time.monotonic()
        job = open_job(project_id=project.pk, kind="dummy", subject=number, total=1)
        wait(lambda pk=job.pk: Job.objects.filter(pk=pk).exclude(stage="").exists())
        print(time.monotonic() - started, flush=True)


if __name__ == "__main__":
    main()

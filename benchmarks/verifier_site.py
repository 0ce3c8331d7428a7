"""Whole verifications by a site's own workers: votes, questions about hard rows with seats and ledger, labels."""

import csv
from pathlib import Path

from benchmarks.main_job import CLASSES, add_pool, import_set, make_project, wait_for

CONCURRENCY = 16
TARIFF = ("20", "10", "80")


class Office:
    """A project of the site with a pool of fakes that often disagree, and a connection to the server."""

    def __init__(self, folder: Path, url: str) -> None:
        """The site's workers are at work, and this process has its settings."""
        self.folder, self.project_and_owner = folder, make_project()
        self.versions = self._add_fakes()
        self.connection = self._connect(url)

    def verify(self, sets: int, texts: int) -> tuple[int, float]:
        """Calls, and seconds from the first one to the end of the last run's job: as many runs at once as sets."""
        from labeling.labels.models import VerifierAnswer
        from labeling.llm.models import LlmCall, Purpose

        datasets = [self._import(number, texts) for number in range(sets)]
        runs = [self._start(dataset) for dataset in datasets]
        ends = [self._wait(run) for run in runs]
        calls = LlmCall.objects.filter(run__in=[run.pk for run in runs], purpose=Purpose.VERIFY)
        assert calls.count() == VerifierAnswer.objects.filter(run__in=runs).count()
        first = calls.order_by("created_at").values_list("created_at", flat=True)[0]
        return calls.count(), (max(ends) - first).total_seconds()

    def _add_fakes(self):
        from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist

        folders = [self.folder / "fakes" / f"fake-{seed}" for seed in range(3)]
        for seed, folder in enumerate(folders):
            write_fake_specialist(folder, FakeSettings(CLASSES, seed=seed, noise=0.4))
        return add_pool(self.project_and_owner[0], {folder: {name: name for name in CLASSES} for folder in folders})

    def _connect(self, url):
        """With what a test of it finds out: a JSON schema and log-probabilities."""
        from decimal import Decimal

        from labeling.llm.actions.connections import Given, add_connection
        from labeling.llm.actions.prices import Tariff
        from labeling.llm.actions.trying import try_connection

        project, owner = self.project_and_owner
        given = Given("Server", url, "fake-model", timeout_s=30, concurrency=CONCURRENCY)
        tariff = Tariff(*map(Decimal, TARIFF))
        connection = add_connection(project=project, given=given, key="a-key", tariff=tariff, by=owner)
        assert try_connection(connection=connection)
        return connection

    def _import(self, number, texts):
        project, owner = self.project_and_owner
        path = self.folder / f"{project.datasets.count()}-{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = ((row, f"this is text {row} of {path.stem}", "") for row in range(texts))
            csv.writer(file).writerows([("id", "text", "label"), *rows])
        return import_set(project, owner, path, None)

    def _start(self, dataset):
        from annotator_core.verifiers.contract import NANO
        from labeling.runs.actions import start_run
        from labeling.runs.models import Mode
        from labeling.runs.policies import Policy

        project, owner = self.project_and_owner
        policy = Policy(len(self.versions), mode=Mode.LLM)
        return start_run(
            project=project,
            dataset=dataset,
            versions=self.versions,
            policy=policy,
            by=owner,
            verifiers=[self.connection],
            cap_nano=1_000 * NANO,
        )

    def _wait(self, run):
        """When the run's verification was over and its labels stood."""
        from labeling.jobs.models import JobState
        from labeling.jobs.queries import job_of
        from labeling.runs.models import RunState

        def is_over():
            run.refresh_from_db()
            job = job_of("verify", run.pk)
            assert job.state in (JobState.RUNNING, JobState.DONE), job.error
            return run.state != RunState.RUNNING and not run.asking and job.state == JobState.DONE

        wait_for(is_over)
        assert run.verified > run.hard / 2
        return job_of("verify", run.pk).finished_at

"""Pools of fake specialists, brought in by the site's own actions and jobs."""

from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist
from labeling.pipeline.work import do_one
from labeling.specialists.actions import add_specialist, confirm_version, save_map
from labeling.specialists.models import Source
from labeling.specialists.queries import newest_version

QUEUES = ("io", "verify", "consensus", "refine")


def work_off(queues=QUEUES):
    """Do all the work there is."""
    while do_one(queues, "test"):
        pass


def add_fake(project, folder, **settings):
    """A fetched specialist that waits for its label map."""
    names = tuple(project.classes.filter(is_retired=False).values_list("name", flat=True))
    settings = {"labels": names} | settings
    write_fake_specialist(folder, FakeSettings(**settings))
    specialist = add_specialist(project=project, source=Source.FOLDER, location=str(folder))
    work_off()
    specialist.refresh_from_db()
    return specialist


def own_targets(project):
    """Each class by itself, in order."""
    return list(project.classes.filter(is_retired=False).values_list("id", flat=True))


def make_pool(project, folder, count=3, name="fake", **settings):
    """`count` confirmed versions that differ by their seed."""
    versions = []
    for seed in range(count):
        given = {"seed": seed, "noise": 0.1} | {
            name: v[seed] if isinstance(v, list) else v for name, v in settings.items()
        }
        specialist = add_fake(project, folder / f"{name}-{seed}", **given)
        save_map(specialist=specialist, targets=own_targets(project), max_length=128, are_holes_confirmed=False)
        work_off()
        version = newest_version(specialist)
        confirm_version(version=version, by=None)
        version.refresh_from_db()
        versions.append(version)
    return versions

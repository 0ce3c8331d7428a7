"""Runs of the shipped demo specialists on the demo's own texts: real transformers, small enough to train in seconds."""

import csv

from annotator_core.demo import CLASSES, feedback_path, label_maps, specialist_folders
from annotator_core.types import LabelSource
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.specialists.actions import add_specialist, confirm_version, save_map
from labeling.specialists.models import Source
from labeling.specialists.queries import newest_version
from tests.labeling.factories import make_dataset
from tests.labeling.pool import work_off

LEARNING_RATE = 5e-4


def read_rows(path):
    """(text, gold) of a file of the demo, equal texts once."""
    with path.open(encoding="utf-8", newline="") as file:
        return list({row["text"]: row["gold"] for row in csv.DictReader(file)}.items())


GOLD = dict(read_rows(feedback_path()))


def shipped_pool(project):
    """The three specialists, mapped and confirmed."""
    class_ids = dict(project.classes.values_list("name", "id"))
    versions = []
    for name, folder in specialist_folders().items():
        specialist = add_specialist(project=project, source=Source.FOLDER, location=str(folder), name=name)
        work_off()
        specialist.refresh_from_db()
        targets = [class_ids[label_maps()[name][label]] for label in specialist.model_labels]
        save_map(specialist=specialist, targets=targets, max_length=128, are_holes_confirmed=False)
        work_off()
        confirm_version(version=newest_version(specialist), by=None)
        versions.append(newest_version(specialist))
    return versions


def make_checked(project, path, most=None):
    """The texts of a file of the demo, or as many of them, as verified labels."""
    rows = read_rows(path)[:most]
    dataset = make_dataset(project, [text for text, _gold in rows])
    class_ids = dict(project.classes.values_list("name", "id"))
    samples = dict(dataset.samples.values_list("text", "id"))
    set_labels(
        rows=[LabelRow(samples[text], class_ids[gold]) for text, gold in rows],
        source=LabelSource.IMPORTED,
    )
    return dataset


def gold_index(text):
    """The index of the text's class."""
    return CLASSES.index(GOLD[text])

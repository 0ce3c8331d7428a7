"""Rows of earlier draws get the probability of the newest: all draws of a data set together are one sample."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def take_newest(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("quality", "AuditRow").objects
    for dataset_id in list(rows.order_by().values_list("dataset", flat=True).distinct()):
        drawn = rows.filter(dataset=dataset_id)
        newest = drawn.order_by("-audit__number").values_list("inclusion", flat=True)[0]
        drawn.exclude(inclusion=newest).update(inclusion=newest)


class Migration(migrations.Migration):
    dependencies = [("quality", "0002_assessment_digest")]

    # Backwards nothing changes: the old values said less.
    operations = [migrations.RunPython(take_newest, migrations.RunPython.noop)]

"""Consensus labels of before generations were kept: they are the first pool's."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def name_first_generation(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Labels that a run's pool gave belong to its generation 0."""
    labels = apps.get_model("labels", "Label").objects.filter(source="consensus", run__isnull=False, generation=None)
    labels.update(generation=0)


class Migration(migrations.Migration):
    """Data only; the way back leaves it, for the field itself goes then."""

    dependencies = (("labels", "0003_refinement"),)
    operations = (migrations.RunPython(name_first_generation, migrations.RunPython.noop, elidable=True),)

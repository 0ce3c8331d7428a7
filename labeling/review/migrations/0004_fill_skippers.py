"""Items that were passed over get the names of who did, as labels.actions.judging.crowd_of writes them."""

from itertools import groupby
from operator import itemgetter

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BATCH = 500


def fill(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    open_skips = apps.get_model("review", "Skip").objects.filter(ended_at=None).order_by("item_id", "user_id")
    crowds: dict[str, list[int]] = {}
    for item_id, rows in groupby(open_skips.values_list("item_id", "user_id").distinct(), key=itemgetter(0)):
        crowd = f",{','.join(str(user_id) for _item, user_id in rows)},"
        crowds.setdefault(crowd, []).append(item_id)
    items = apps.get_model("labels", "ReviewItem").objects
    for crowd, ids in crowds.items():
        for low in range(0, len(ids), BATCH):
            items.filter(pk__in=ids[low : low + BATCH]).update(skipped_by=crowd)


class Migration(migrations.Migration):
    dependencies = [("review", "0003_undone_returns"), ("labels", "0014_crowd_with_skips")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

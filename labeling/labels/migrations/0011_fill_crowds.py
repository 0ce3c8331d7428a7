"""Items that wait get the crowd of those who have answered them, as labels.actions.judging.crowd_of writes it."""

from itertools import groupby
from operator import itemgetter

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BATCH = 500


def fill(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    verdicts = apps.get_model("labels", "Verdict").objects.filter(is_current=True, is_undo=False, is_stale=False)
    waiting = verdicts.exclude(item__state="decided").exclude(mode="adjudicated").order_by("item_id", "user_id")
    crowds: dict[str, list[int]] = {}
    for item_id, given in groupby(waiting.values_list("item_id", "user_id").distinct(), key=itemgetter(0)):
        crowd = f",{','.join(str(user_id) for _item, user_id in given)},"
        crowds.setdefault(crowd, []).append(item_id)
    items = apps.get_model("labels", "ReviewItem").objects
    for crowd, ids in crowds.items():
        for low in range(0, len(ids), BATCH):
            items.filter(pk__in=ids[low : low + BATCH]).update(answered_by=crowd)


class Migration(migrations.Migration):
    dependencies = [("labels", "0010_crowds_of_the_queue")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

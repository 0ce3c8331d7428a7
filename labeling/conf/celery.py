"""The Celery app. It carries doorbells only: what is to be done stands in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling.conf.settings")

app = Celery("autoannotator")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["labeling.pipeline"])

"""Settings, routes, ASGI and Celery: the only place that knows the environment."""

from labeling.conf.celery import app as celery_app

__all__ = ["celery_app"]

"""Celery carries doorbells: a bell means "do all the work there is". The room's hands do it."""

from celery import shared_task
from celery.signals import celeryd_after_setup, worker_shutdown, worker_shutting_down
from celery.worker import WorkController
from django.conf import settings

from labeling.jobs.bell import TASK
from labeling.pipeline.room import Room

HEAVY = {"consensus", "refine"}
_rooms: list[Room] = []


@shared_task(name=TASK)
def bell() -> None:
    """Wake the hands."""
    for room in _rooms:
        room.ring()


@celeryd_after_setup.connect
def open_room(instance: WorkController, **_signal: object) -> None:
    """Start the hands before the broker is reached: work goes on without one."""
    queues = sorted(instance.app.amqp.queues.consume_from)
    hands = 1 if HEAVY & set(queues) else settings.LIGHT_HANDS
    room = Room(queues, hands)
    _rooms.append(room)
    room.open()


@worker_shutting_down.connect
def tell_hands(**_signal: object) -> None:
    """SIGTERM: hands stop after the batch in hand and give their chunks back."""
    for room in _rooms:
        room.is_leaving = True
        room.ring()


@worker_shutdown.connect
def close_room(**_signal: object) -> None:
    """Wait until every chunk is stored or given back."""
    for room in _rooms:
        room.close()

"""The progress socket, over the whole ASGI application: origin, session, membership, snapshots."""

import asyncio
import json

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import Client

from labeling.conf.asgi import application
from labeling.jobs import actions
from labeling.jobs.models import Job
from labeling.pipeline.work import do_one
from tests.labeling.factories import make_project, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def cookie_of(user):
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()


def socket_to(topics, cookie=b"", origin=b"http://localhost"):
    headers = [(b"origin", origin), (b"host", b"localhost"), (b"cookie", cookie)]
    return {
        "type": "websocket",
        "path": "/ws/events/",
        "query_string": f"topics={topics}".encode(),
        "headers": headers,
        "subprotocols": [],
    }


def talk(scope, steps):
    """Connect and run `steps(socket)`; what they return, or the close code of a socket refused at once."""

    async def run():
        socket = ApplicationCommunicator(application, scope)
        await socket.send_input({"type": "websocket.connect"})
        answer = await socket.receive_output(timeout=5)
        if answer["type"] == "websocket.close":
            return answer.get("code", 1000)
        try:
            return await steps(socket)
        finally:
            await socket.send_input({"type": "websocket.disconnect", "code": 1000})
            await socket.wait(timeout=5)

    return asyncio.run(run())


async def close_code(socket):
    return (await socket.receive_output(timeout=5)).get("code")


async def next_state(socket):
    return json.loads((await socket.receive_output(timeout=5))["text"])


@pytest.fixture
def owner():
    return make_user()


@pytest.fixture
def job(owner):
    job = actions.open_job(project_id=make_project(owner).pk, kind="dummy", subject=5, total=20)
    do_one(["io"], "test")
    return job


def test_s24_another_origin_is_refused(owner, job):
    assert talk(socket_to("dummy:5", cookie_of(owner), b"http://evil.example"), close_code) == 1000


def test_s24_anonymous_and_strangers_are_refused(job):
    assert talk(socket_to("dummy:5"), close_code) == 4403
    assert talk(socket_to("dummy:5", cookie_of(make_user())), close_code) == 4403


def test_s24_one_foreign_topic_among_own_ones_refuses_the_socket(owner, job):
    actions.open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=6, total=20)
    assert talk(socket_to("dummy:5,dummy:6", cookie_of(owner)), close_code) == 4403
    assert talk(socket_to("dummy:5,dummy:99", cookie_of(owner)), close_code) == 4403
    assert talk(socket_to("", cookie_of(owner)), close_code) == 4403


def test_a_member_gets_a_snapshot_and_then_the_latest_state(owner, job):
    async def steps(socket):
        snapshot = await next_state(socket)
        await asyncio.to_thread(_work_all)
        seen = [snapshot]
        while seen[-1]["state"]["job"] != "done":
            seen.append(await next_state(socket))
        return seen

    seen = talk(socket_to("dummy:5", cookie_of(owner)), steps)
    assert [message["topic"] for message in seen] == ["dummy:5"] * len(seen)
    assert [message["seq"] for message in seen] == sorted({message["seq"] for message in seen})
    assert seen[-1]["state"]["progress"] == Job.objects.get(pk=job.pk).total


def _work_all():
    from django.db import connection

    while do_one(["io"], "test"):
        pass
    connection.close()

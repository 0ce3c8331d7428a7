"""What the tests of the wire share: a letter as the page writes it."""

import json
from uuid import uuid4

from django.urls import reverse


def post_letter(client, project, *actions, have=(), want=1, classes="", user=None, head=True, **extra):
    """The answer to a letter; `user` is whom it says to come from, `head` whether it wants the line about the day."""
    url = reverse("review:send", kwargs={"slug": project.slug})
    body = {"actions": list(actions), "have": list(have), "want": want, "classes": classes, "head": head}
    body |= {} if user is None else {"user": user}
    return client.post(url, json.dumps(body), content_type="application/json", **extra)


def write(client, project, *actions, **letter):
    """The same, read."""
    response = post_letter(client, project, *actions, **letter)
    assert response.status_code == 200, response.content
    return response.json()


def action(kind, item=None, **fields):
    """One thing that a person did, with a mark of its own."""
    about = {} if item is None else {"item": getattr(item, "pk", item)}
    return {"kind": kind, "id": str(uuid4())} | about | fields


def answer(item, name="positive", **fields):
    """A decision for the class of that name."""
    chosen = item.project.classes.get(name=name)
    return action("decide", item, **{"class": chosen.pk, "seen": False, "elapsed_ms": 900} | fields)


def outcomes(reply):
    """The outcomes in order."""
    return [result["outcome"] for result in reply["results"]]


def texts(reply):
    """The items of the new cards, in order."""
    return [card["item"] for card in reply["cards"]]

"""A fake server that connections of the tests ask."""

from contextlib import contextmanager

from annotator_core.fakes.openai_answers import make_answerer
from annotator_core.fakes.openai_script import OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI
from tests.labeling.llm.calling import KEY


def make_script(**fields):
    """A server that knows its key and which animal barks."""
    values = {"keys": frozenset({KEY}), "rest": None} | fields
    if values["rest"] is None:
        del values["rest"]
    return OpenAIScript(make_answerer(("cat", "dog"), right=1.0), **values)


@contextmanager
def serving(settings, **fields):
    """Serve on the loopback, which the site is allowed to call meanwhile; the address and the script."""
    with FakeOpenAI(make_script(**fields)) as server:
        settings.OUTBOUND_ALLOW = ["127.0.0.1"]
        yield server.url, server.script

"""The labeling engine: a pool of small language models votes, hard texts go to a verifier or a person.

Plain Python, usable without the site: ``annotator_core.loop.annotate`` and ``python -m annotator_core``.
"""

"""Verifiers: a large language model gives the second review of hard texts, over any OpenAI-compatible endpoint."""

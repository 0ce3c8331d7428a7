"""Writes about the facts of samples, one file a noun."""

"""Pilots: language models are asked about some rows before a run, so that its forecast rests on what they did."""

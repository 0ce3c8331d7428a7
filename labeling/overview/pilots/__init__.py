"""The pages of a pilot: language models are asked about some rows before a run."""

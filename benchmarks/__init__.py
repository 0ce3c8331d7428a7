"""Measurements on real data; `make bench` and the scripts here, never part of the tests."""

"""Aggregation: many votes on a sample become one class and a measure of doubt. One algorithm a file."""

"""Writes about data sets: uploads, imports, stored rows, archives."""

"""How uploaded files are read: what a file is, its encoding and delimiter, its records with their flaws. No database."""

"""How uploaded files are read: kind, encoding, delimiter, records with their flaws. No database."""

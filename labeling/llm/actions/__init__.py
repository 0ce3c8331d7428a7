"""What is written about connections, money and calls."""

"""Language models over the network: connections, prices, budgets, and every call that was made."""

"""The samples browser: filters, pages by position, one sample's whole history, and texts sent back to the queue."""

"""Documents to passages, passages to citations: the pure half of retrieval."""

"""Pages that lie in a folder."""

"""The chat platform of one person: the terminal."""

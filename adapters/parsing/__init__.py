"""Untrusted files to text, in a process that may die of them."""

"""Retrieval: Qdrant Edge in this process, MiniLM through fastembed, and the way to both for other processes."""

"""Proofs and measurements of the whole program, each a program of its own."""

"""The company's policy, as a file."""

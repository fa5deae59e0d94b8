"""The `bartizan` command."""


def main() -> None:
    """Entry point."""

"""What an operator can do about a place that does not let us in."""

from __future__ import annotations


def let_in(token: str) -> str:
    """A sentence's end. ``token``: what we came with; "": nothing."""
    if token:
        return "its token is refused: put one that may read it into its token file"
    return "it asks who we are: name a file that holds a token for it, as token_file in sources.toml"

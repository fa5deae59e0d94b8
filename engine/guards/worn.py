"""What a guard that is worn around another one has in common with it: who it is."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """A guard of either direction."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...


G = TypeVar("G", bound=Named)


class Worn(Generic[G]):
    """Goes by the name of the guard inside, so that policy and record know it."""

    __slots__ = ()
    inner: G

    @property
    def name(self) -> str:
        """The inner guard's."""
        return self.inner.name

    @property
    def version(self) -> str:
        """The inner guard's."""
        return self.inner.version

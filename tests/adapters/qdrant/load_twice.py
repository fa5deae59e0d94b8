"""A process in which a second thread loads a model while the first one is in the middle of importing the library.

Prints the size of either's vectors, and how many threads imported parts of the library.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

from adapters.qdrant.embed import EARLIER, VERSION, TextModel, ours

LIBRARY = "fastembed"
SECOND = threading.Thread(target=lambda: print(TextModel.of(ours(EARLIER)).size, flush=True))
IMPORTING: set[int] = set()


class Halfway(SourceFileLoader):
    """Before it runs what it has loaded, it lets the other thread begin."""

    def exec_module(self, module: ModuleType) -> None:
        SECOND.start()
        SECOND.join(0.5)        # it waits for the library, and must not be handed half of it
        super().exec_module(module)


class Watch(MetaPathFinder):
    """Notes who imports what."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        del target
        if name.partition(".")[0] == LIBRARY:
            IMPORTING.add(threading.get_ident())
        spec = PathFinder.find_spec(name, path) if name == f"{LIBRARY}.image" else None
        if spec is not None and spec.origin:
            spec.loader = Halfway(name, spec.origin)
        return spec


if __name__ == "__main__":
    sys.meta_path.insert(0, Watch())
    print(TextModel.of(ours(VERSION)).size, flush=True)
    SECOND.join()
    print(len(IMPORTING))

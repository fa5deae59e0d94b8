"""Stands in for SGLang's compiled kernels on a CPU: importable, and loud when one of them is called.

With it in place every layer takes its plain PyTorch path. It is on the path of that one server only.
"""

from collections.abc import Callable
from typing import NoReturn


def __getattr__(name: str) -> Callable[..., NoReturn]:
    if name.startswith("__"):
        raise AttributeError(name)

    def missing(*_: object, **__: object) -> NoReturn:
        raise NotImplementedError(f"sgl_kernel.{name} has no CPU stand-in")

    return missing

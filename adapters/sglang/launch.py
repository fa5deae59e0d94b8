"""The server's command line, beside the client that relies on it. Pure: it starts nothing.

The client counts on these flags: a cache report in the usage, priorities, a bounded queue, reasoning kept apart,
JSON without loose white space.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

OFFLINE: Final[Mapping[str, str]] = MappingProxyType({
    "HF_HUB_OFFLINE": "1",              # a model is a local folder: nothing is fetched, nothing reported
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
})
CPU_FILES: Final = Path(__file__).parent / "cpu"
LOOPBACK: Final = "127.0.0.1"
Drafting: TypeAlias = Literal["EAGLE"] | None


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: arguments, and variables to add to the environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Keys:
    """``user`` opens the API, ``admin`` the administration. The server never faces the internet, with or without."""

    user: str = field(default="", repr=False)
    admin: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class GpuServer:
    """One model on one GPU node; the defaults fit a 27-billion-parameter FP8 model on one 80 GB card."""

    model: Path                             # a local folder, never a name to download
    name: str = "chat"
    host: str = LOOPBACK
    port: int = 30000
    keys: Keys = Keys()
    gpus: int = 1                           # the model is split over so many
    context: int = 131072                   # tokens
    memory: float = 0.8                     # share of the GPU's memory for weights and cache
    running: int = 64                       # requests computed at once
    queued: int = 256                       # requests waiting; one more is turned away
    priority: int = 10                      # of a request that names none
    preempt: bool = True                    # a much higher priority interrupts a running answer
    reasoning_parser: str = "qwen3"
    tool_parser: str = "qwen3_coder"
    thinking: bool = False                  # unless a request says otherwise
    drafting: Drafting = "EAGLE"            # speculative decoding with the model's own draft head
    mamba_cache: str | None = "extra_buffer"    # for hybrid models; None for plain attention
    extra: tuple[str, ...] = ()             # flags of this site, appended as they are


@dataclass(frozen=True, slots=True)
class CpuServer:
    """A tiny model without a GPU, for tests. ``python`` has the packages of ``requirements-cpu.txt``."""

    python: Path
    model: Path
    name: str = "tiny-chat"
    host: str = LOOPBACK
    port: int = 31000
    tokens: int = 16384                     # in the cache, all requests together
    running: int = 8
    queued: int | None = None               # None: no limit
    extra: tuple[str, ...] = ()


def gpu_command(server: GpuServer) -> Command:
    """The production command. The keys stand in it: other users of that machine could read them."""
    argv = [
        "sglang", "serve",
        *_place(server.model, server.name, server.host, server.port),
        "--tp", str(server.gpus),
        *_given("--api-key", server.keys.user),
        *_given("--admin-api-key", server.keys.admin),
        "--reasoning-parser", server.reasoning_parser,
        "--tool-call-parser", server.tool_parser,
        "--default-chat-template-kwargs", json.dumps({"enable_thinking": server.thinking}),
        "--context-length", str(server.context),
        "--mem-fraction-static", str(server.memory),
        *_drafts(server.drafting),
        *_given("--mamba-radix-cache-strategy", server.mamba_cache),
        "--radix-eviction-policy", "slru",
        "--enable-priority-scheduling",
        "--default-priority-value", str(server.priority),
        *(() if server.preempt else ("--disable-priority-preemption",)),
        "--max-running-requests", str(server.running),
        "--max-queued-requests", str(server.queued),
        "--enable-cache-report",
        "--enable-metrics",
        "--stream-response-default-include-usage",
        "--constrained-json-disable-any-whitespace",
        "--grammar-backend", "xgrammar",
        "--allowed-media-domains", "none.invalid",      # left out, the server fetches pictures from any host
        "--uvicorn-access-log-exclude-prefixes", "/metrics", "/health",
        *server.extra,
    ]
    return Command(tuple(argv), dict(OFFLINE))


def cpu_command(server: CpuServer) -> Command:
    """The same server and the same wire shapes on a CPU, through the wrapper in ``cpu/``."""
    argv = [
        str(server.python), str(CPU_FILES / "serve_cpu.py"),
        *_place(server.model, server.name, server.host, server.port),
        "--device", "cpu",
        "--attention-backend", "torch_native",
        "--disable-overlap-schedule",
        "--mem-fraction-static", "0.1",
        "--max-total-tokens", str(server.tokens),
        "--max-running-requests", str(server.running),
        *_given("--max-queued-requests", "" if server.queued is None else str(server.queued)),
        "--enable-cache-report",
        "--enable-metrics",
        "--constrained-json-disable-any-whitespace",
        "--reasoning-parser", "qwen3",
        "--tool-call-parser", "qwen25",
        "--sleep-on-idle",
        "--skip-server-warmup",
        "--allowed-media-domains", "none.invalid",
        *server.extra,
    ]
    env = {
        **OFFLINE,
        "PYTHONPATH": str(CPU_FILES / "shim"),
        "SGLANG_USE_CPU_ENGINE": "1",
        "SGLANG_CPU_OMP_THREADS_BIND": "1",     # more than one thread is erratic beside other work
        "OMP_NUM_THREADS": "1",
    }
    return Command(tuple(argv), env)


def _place(model: Path, name: str, host: str, port: int) -> tuple[str, ...]:
    return ("--model-path", str(model), "--served-model-name", name, "--host", host, "--port", str(port))


def _given(flag: str, value: str | None) -> tuple[str, ...]:
    return (flag, value) if value else ()


def _drafts(drafting: Drafting) -> tuple[str, ...]:
    if drafting is None:
        return ()
    return (
        "--speculative-algorithm", drafting, "--speculative-num-steps", "3",
        "--speculative-eagle-topk", "1", "--speculative-num-draft-tokens", "4",
    )

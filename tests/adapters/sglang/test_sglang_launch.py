"""The server's command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.sglang.launch import CPU_FILES, Command, CpuServer, GpuServer, Keys, cpu_command, gpu_command

GPU = GpuServer(Path("/models/qwen"))
CPU = CpuServer(Path("/venv/bin/python"), Path("/models/tiny"))


def value(command: Command, flag: str) -> str:
    return command.argv[command.argv.index(flag) + 1]


def test_the_production_command_reads_as_documented() -> None:
    assert " ".join(gpu_command(GPU).argv) == (
        "sglang serve --model-path /models/qwen --served-model-name chat --host 127.0.0.1 --port 30000 --tp 1 "
        "--reasoning-parser qwen3 --tool-call-parser qwen3_coder "
        '--default-chat-template-kwargs {"enable_thinking": false} --context-length 131072 --mem-fraction-static 0.8 '
        "--speculative-algorithm EAGLE --speculative-num-steps 3 --speculative-eagle-topk 1 "
        "--speculative-num-draft-tokens 4 --mamba-radix-cache-strategy extra_buffer --radix-eviction-policy slru "
        "--enable-priority-scheduling --default-priority-value 10 --max-running-requests 64 --max-queued-requests 256 "
        "--enable-cache-report --enable-metrics --stream-response-default-include-usage "
        "--constrained-json-disable-any-whitespace --grammar-backend xgrammar --allowed-media-domains none.invalid "
        "--uvicorn-access-log-exclude-prefixes /metrics /health"
    )


@pytest.mark.parametrize("command", [gpu_command(GPU), cpu_command(CPU)])
def test_by_default_a_server_is_local_offline_and_fetches_nothing(command: Command) -> None:
    assert value(command, "--host") == "127.0.0.1"
    assert value(command, "--allowed-media-domains") == "none.invalid"
    assert {command.env[name] for name in
            ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")} == {"1"}
    assert not {"--trust-remote-code", "--trust-request-chat-template", "--crash-dump-folder", "--tool-server"} & set(
        command.argv
    )


@pytest.mark.parametrize("command", [gpu_command(GPU), cpu_command(CPU)])
def test_every_server_reports_what_the_client_reads(command: Command) -> None:
    assert {"--enable-cache-report", "--enable-metrics", "--reasoning-parser"} <= set(command.argv)


def test_keys_are_handed_over_and_not_shown() -> None:
    server = GpuServer(Path("/m"), keys=Keys("sk-user", "sk-admin"))
    command = gpu_command(server)
    assert (value(command, "--api-key"), value(command, "--admin-api-key")) == ("sk-user", "sk-admin")
    assert "sk-" not in repr(server)
    assert "--api-key" not in gpu_command(GPU).argv


def test_what_a_model_does_not_have_is_left_out() -> None:
    more = ("--log-level", "info")
    plain = gpu_command(GpuServer(Path("/m"), drafting=None, mamba_cache=None, preempt=False, extra=more))
    assert not [flag for flag in plain.argv if flag.startswith(("--speculative", "--mamba"))]
    assert "--disable-priority-preemption" in plain.argv
    assert plain.argv[-2:] == more


def test_thinking_is_the_server_s_default_only_when_asked_for() -> None:
    thinking = gpu_command(GpuServer(Path("/m"), thinking=True))
    assert json.loads(value(thinking, "--default-chat-template-kwargs")) == {"enable_thinking": True}


def test_the_cpu_server_is_started_through_its_wrapper() -> None:
    command = cpu_command(CpuServer(Path("/venv/bin/python"), Path("/m"), queued=0))
    assert command.argv[:2] == ("/venv/bin/python", str(CPU_FILES / "serve_cpu.py"))
    assert (value(command, "--device"), value(command, "--max-queued-requests")) == ("cpu", "0")
    assert "--max-queued-requests" not in cpu_command(CPU).argv
    assert (command.env["SGLANG_USE_CPU_ENGINE"], command.env["OMP_NUM_THREADS"]) == ("1", "1")


def test_the_files_of_the_cpu_server_are_there_and_compile() -> None:
    for file in (CPU_FILES / "serve_cpu.py", CPU_FILES / "shim" / "sgl_kernel" / "__init__.py"):
        compile(file.read_text(encoding="utf-8"), str(file), "exec")
    assert Path(cpu_command(CPU).env["PYTHONPATH"]).joinpath("sgl_kernel").is_dir()


@pytest.mark.parametrize(("name", "expected"), [
    ("requirements-cpu.txt", {"sglang==0.5.23", "torchvision==0.28.0", "xgrammar==0.2.7", "transformers==5.19.0"}),
    ("requirements-gpu.txt", {"sglang==0.5.23", "torch==2.14.1"}),
])
def test_the_requirements_are_pinned_hashed_and_free_of_addresses(name: str, expected: set[str]) -> None:
    text = CPU_FILES.with_name(name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pins = [line.removesuffix(" \\") for line in lines if not line.startswith("    ")]
    assert all("==" in pin for pin in pins)
    assert expected <= set(pins)
    assert all(line.strip().startswith("--hash=sha256:") for line in lines if line.startswith("    "))
    assert len(lines) >= 2 * len(pins)
    assert "://" not in text

"""Starts SGLang on a machine without a GPU. Run it with the Python of an environment made from requirements-cpu.txt.

The bot never imports this file. The server's child processes are spawned and import it again, so the
declarations must stand at the top level, before anything imports torchvision.
"""
# mypy: disable-error-code="import-not-found"
# What it imports is installed beside the server, never beside the bot.

import os
import sys

import torch

# The torchvision of the package index is a CUDA build. Its import stops at operators that a CPU torch lacks;
# declaring them is enough, a text model never calls them.
VISION = torch.library.Library("torchvision", "DEF")
for operator in ("nms", "qnms"):
    VISION.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

if __name__ == "__main__":
    from sglang.launch_server import run_server
    from sglang.srt.server_args import prepare_server_args
    from sglang.srt.utils import kill_process_tree

    sys.argv[0] = "sglang.launch_server"
    try:
        run_server(prepare_server_args(sys.argv[1:]))
    finally:
        kill_process_tree(os.getpid(), include_parent=False)

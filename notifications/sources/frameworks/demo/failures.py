"""How jobs of the simulation fail: real exit codes and phrases, and the end of a log as diagnostics."""

from __future__ import annotations

import json
import random

from notifications.sources.frameworks import exit_codes
from notifications.sources.frameworks.demo.jobs import Exit

LOG_LINES = 12


def _failure(code: int, last_words: str, container: str = "app") -> Exit:
    """Diagnostics look like the controller's: a sentence, then JSON with the end of the container's log."""
    log = "".join(
        f"07:{minute:02}:11,205 - INFO - train.py:118 - step {minute * 250} loss {3 / minute:.4f}\n"
        for minute in range(1, LOG_LINES + 1)
    )
    output = log + last_words
    said = {"name": container, "reason": "Error", "message": output, "code": code}
    diagnostics = f"Pod failed: PodPattern matched: {json.dumps({'containers': [said]})}"
    return Exit(code, exit_codes.BY_CODE[code].phrase, "Failed", diagnostics, output, container)


IMAGE_MISSING = _failure(254, "ERROR - image_checker.py:208 - manifest unknown\n+ exit 254\n", "init")
COMMAND_NOT_FOUND = _failure(220, "/bin/bash: line 3: pyhton: command not found\n")
NEVER_CREATED = Exit(
    -1100,
    exit_codes.BY_CODE[-1100].phrase,
    "Failed",
    "Framework.frameworkcontroller.microsoft.com is invalid: spec.taskRoles.taskNumber: must be at least 1",
)

OWN: dict[Exit, int] = {
    _failure(
        226,
        "RuntimeError: CUDA out of memory. Tried to allocate 1.95 GiB (GPU 0; 15.78 GiB total capacity;"
        " 13.41 GiB already allocated; 1.12 GiB free)\n",
    ): 6,
    _failure(255, "Traceback (most recent call last):\nValueError: loss is nan\n[runtime] exit 1\n"): 5,
    _failure(232, "ImportError: cannot import name 'amp' from 'apex' (unknown location)\n"): 3,
    _failure(229, "FileNotFoundError: [Errno 2] No such file or directory: '/data/imagenet/train'\n"): 3,
    _failure(-1200, "Killed\n"): 3,
    _failure(221, "ResourceExhaustedError: OOM when allocating tensor with shape[512,2048,7,7]\n"): 2,
    _failure(233, "IndexError: list index out of range\n"): 2,
    _failure(139, "Segmentation fault (core dumped)\n"): 1,
    _failure(137, "Killed\n"): 1,
    _failure(251, "[barrier] resources of all tasks were not satisfied in 600 seconds\n", "init"): 1,
    COMMAND_NOT_FOUND: 1,
}

PLATFORM = [
    _failure(-1000, "The node was low on resource: memory.\n"),
    _failure(-1001, "Node gpu-node-017 is not responding\n"),
    _failure(223, "CUDA_ERROR_ECC_UNCORRECTABLE: uncorrectable ECC error encountered\n"),
    _failure(250, "[barrier] connection to the API server lost\n", "init"),
]


def draw(source: random.Random) -> Exit:
    """What ends a job for good."""
    return source.choices(list(OWN), list(OWN.values()))[0]


def draw_platform(source: random.Random) -> Exit:
    """What the cluster retries by itself."""
    return source.choice(PLATFORM)

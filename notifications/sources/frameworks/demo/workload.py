"""What users of the simulated cluster submit."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import replace

from notifications.sources.frameworks.demo.jobs import Request, Role
from notifications.sources.frameworks.demo.lives import LIVES, Life, fails, succeeds, waits_long

MODELS = (
    *("resnet50", "resnet152", "bert-large", "bert-base", "gpt2-medium", "yolov5s", "efficientnet-b4"),
    *("wav2vec2", "t5-small", "unet-ct", "deeplab-v3", "roberta-xl", "mobilenet-v3", "vit-b16"),
)
VARIANTS = ("lr3", "lr1e-4", "finetune", "baseline", "ablation", "fp16", "distill", "eval", "sweep", "warmup")
VIRTUAL_CLUSTERS = ("default", "default", "vision", "language", "shared-gpu")
SHAPES = (
    (Role("worker"),),
    (Role("taskrole", 1, 1),),
    (Role("worker", 1, 4),),
    (Role("ps", 1, 0), Role("worker", 2, 1)),
    (Role("master", 1, 1), Role("worker", 4, 2)),
    (Role("worker", 8, 8),),
)
WISHES = (
    {"running": True, "succeeded": True, "failed": True, "stopped": True, "retried": True},
    {"succeeded": True, "failed": True},
    {"running": True, "succeeded": True, "failed": True},
    {"running": False, "succeeded": True, "failed": True, "stopped": False, "retried": True},
    {"failed": True},
)
SWEEP_LIVES = {succeeds: 80, fails: 20}
SWEEP_JOBS = (8, 24)
BLOCK_SHARE = 0.6
"""Of the jobs, how many say in their file what to notify of."""

PROTOCOL = """\
protocolVersion: 2
name: {name}
type: job
version: 1.0
contributor: {user}
description: |
  # {model}
  Training of {model} on OpenPAI. Metrics are written to TensorBoard, checkpoints to the team's storage.

parameters:
  epochs: {epochs}
  batchsize: 64
  lr: 0.01

prerequisites:
  - protocolVersion: 2
    name: docker_image_0
    type: dockerimage
    version: 1.0
    contributor: {user}
    uri: {image}

taskRoles:
{roles}
defaults:
  virtualCluster: {virtual_cluster}

extras:
  com.microsoft.pai.runtimeplugin:
    - plugin: ssh
      parameters:
        jobssh: true
  hivedScheduler:
    jobPriorityClass: test
"""
ROLE = """\
  {role.name}:
    instances: {role.tasks}
    completion:
      minFailedInstances: 1
    dockerImage: docker_image_0
    resourcePerInstance:
      cpu: 4
      memoryMB: 8192
      gpu: {role.gpus}
    commands:
      - >-
        {command} --epochs <% $parameters.epochs %> --lr <% $parameters.lr %>
        --batch-size <% $parameters.batchsize %>
"""


def draw(source: random.Random, users: Sequence[str], active: Collection[str]) -> tuple[Request, Life]:
    """A request whose framework is not among the active ones, and the life that it is going to have."""
    life = source.choices(list(LIVES), list(LIVES.values()))[0]
    while True:
        request = _request(source, source.choice(users), life)
        if request.framework_name not in active:
            return request, life


def draw_sweep(
    source: random.Random, users: Sequence[str], active: Collection[str]
) -> list[tuple[Request, Life]]:
    """One job at a time with another learning rate; a few of them fail."""
    lives = source.choices(list(SWEEP_LIVES), list(SWEEP_LIVES.values()), k=source.randint(*SWEEP_JOBS))
    first = _request(source, source.choice(users), succeeds)
    stem = f"{first.job_name.rsplit('-', 1)[0]}-{source.randrange(100):02}x"
    jobs: list[tuple[Request, Life]] = []
    for number, life in enumerate(lives, start=1):
        name = f"{stem}-{number:03}"
        request = replace(first, job_name=name, config=first.config.replace(first.job_name, name))
        if request.framework_name not in active:
            jobs.append((request, life))
    return jobs


def _request(source: random.Random, user: str, life: Life) -> Request:
    model = source.choice(MODELS)
    name = f"{model}-{source.choice(VARIANTS)}-{source.randrange(10_000):04}"
    roles = source.choice(SHAPES)
    wishes = dict(source.choice(WISHES)) if source.random() < BLOCK_SHARE else {}
    virtual_cluster = source.choice(VIRTUAL_CLUSTERS)
    image = f"registry.example.org/{user}/{model}:1.{source.randrange(9)}"
    command = f"python train.py --model {model}"
    config = PROTOCOL.format(
        name=name,
        user=user,
        model=model,
        epochs=source.randint(1, 90),
        image=image,
        virtual_cluster=virtual_cluster,
        roles="".join(ROLE.format(role=role, command=command) for role in roles),
    )
    return Request(
        user=user,
        job_name=name,
        roles=roles,
        virtual_cluster=virtual_cluster,
        config=config + _block(wishes, waiting_minutes=1 if life is waits_long else None),
        wishes=wishes,
        image=image,
        command=command,
        max_retries=3,
    )


def _block(wishes: dict[str, bool], waiting_minutes: int | None) -> str:
    lines = [f"    {event}: {str(wanted).lower()}\n" for event, wanted in wishes.items()]
    if waiting_minutes is not None:
        lines.append(f"    waitingTooLong: {waiting_minutes}\n")
    return "".join(["  jobStatusChangeNotification:\n", *lines]) if lines else ""

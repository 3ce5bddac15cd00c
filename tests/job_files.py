"""Files of jobs, and blocks for them."""

from __future__ import annotations

from preferences.kinds import JOB_EVENTS, Event

R, S, F, X, T, W = JOB_EVENTS
WISHES: dict[Event, bool | int] = {F: True, R: False}
LINES = "extras:\n  jobStatusChangeNotification:\n    running: false\n    failed: true\n"
IN_EXTRAS = LINES.removeprefix("extras:\n")
IN_BLOCK = "    running: false\n    failed: true\n"
BLOCK = "extras:\n  jobStatusChangeNotification:"
JSON = '{{"a": 1, "extras": {{"jobStatusChangeNotification": {{{}}}}}}}'
FLOW = "{running: false, failed: true}"

A_JOB = """\
# Trains on the usual data. Ask Ann before you change `nccl`.
protocolVersion: 2
name: resnet_sweep
type: job
contributor : Ann
description: |
  # Not a comment
  extras:
    jobStatusChangeNotification: {failed: false}

parameters:
  model:   resnet50      # three spaces
  "lr": 0.01
  nccl: >-
    -x NCCL_DEBUG=INFO
    -x NCCL_SOCKET_IFNAME=eth0
  quoted: 'it''s "quoted"'
  folded: one
    two
prerequisites:
  - {type: dockerimage, uri: 'openpai/standard', name: image}
taskRoles:
  worker: &worker
    instances: 1
    dockerImage: image
    resourcePerInstance: {gpu: 1, cpu: 4, memoryMB: 8192}
    commands:
      - |
        python train.py --lr <% $parameters.lr %>

        echo "über"
  chief:
    <<: *worker
"""
PLUGINS = """\
extras:   # read by plugins
  # ssh into the job
  com.microsoft.pai.runtimeplugin:
  - {plugin: ssh, parameters: {jobssh: true}}
  # the end
"""

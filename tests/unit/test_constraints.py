"""What is installed is what was tested: each dependency has a version in `constraints.txt`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DEPENDENCIES = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
CONSTRAINTS = {
    canonicalize_name(one.name): one
    for one in map(Requirement, (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines())
}


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_a_dependency_has_one_version_which_is_recent_enough(dependency: str) -> None:
    wanted = Requirement(dependency)
    constraint = CONSTRAINTS[canonicalize_name(wanted.name)]
    [pinned] = constraint.specifier
    assert pinned.operator == "=="
    assert pinned.version in wanted.specifier

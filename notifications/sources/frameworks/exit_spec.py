"""The cluster's own edition of OpenPAI's job exit specification: a YAML file that the cluster mounts.

Its entries go before our own table. Shape, as in OpenPAI's `k8s-job-exit-spec.yaml`: a list under `spec` (or the
list alone, as OpenPAI's own services mount it) of mappings with `code`, `phrase` and, all optional, `type`, `causer`,
`reason`, `solution`. Of one that leaves a field out, our table fills it in where it knows the same phrase.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from notifications.cleaning import clean
from notifications.sources.frameworks import exit_codes
from notifications.sources.frameworks.exit_codes import Causer, ExitCode

logger = logging.getLogger(__name__)

MAX_FILE_BYTES = 1024 * 1024
MAX_DEPTH = 16
MAX_YAML_EVENTS = 100_000
MAX_PHRASE_BYTES = 100
MAX_TEXT_BYTES = 600
MAX_SOLUTIONS = 5

_LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CAUSERS = {
    "USER_SUCCESS": Causer.USER,
    "USER_STOP": Causer.USER,
    "USER_FAILURE": Causer.USER,
    "PLATFORM_FAILURE": Causer.PLATFORM,
    "RESOURCE_ALLOCATION_TIMEOUT": Causer.RESOURCES,
}


class UnusableSpecError(ValueError):
    """The file is no exit specification that can be used; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class ExitSpec:
    by_code: Mapping[int, ExitCode]
    by_phrase: Mapping[str, ExitCode]

    @classmethod
    def of(cls, entries: Iterable[ExitCode]) -> ExitSpec:
        """Of several entries with the same code or phrase the first one counts, as in OpenPAI."""
        by_code: dict[int, ExitCode] = {}
        by_phrase: dict[str, ExitCode] = {}
        for entry in entries:
            by_code.setdefault(entry.code, entry)
            by_phrase.setdefault(entry.phrase, entry)
        return cls(by_code, by_phrase)

    def explain(self, code: int | None, phrase: str) -> ExitCode | None:
        """What the cluster says of an exit code, else what our table does, else None."""
        entry = self.by_phrase.get(phrase)
        if entry is None and code is not None:
            entry = self.by_code.get(code)
        return entry or exit_codes.explain(code, phrase)


NO_SPEC = ExitSpec.of(())


class ExitSpecFile:
    """The specification in a file, read again when that has changed. '' as the path: there is none."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: object = None
        self._spec = NO_SPEC

    def current(self) -> ExitSpec:
        """Costs one look at the file's state. A file that cannot be used leaves the last good one in force."""
        if not self._path:
            return NO_SPEC
        state = _state(self._path)
        if state != self._seen:
            self._seen = state
            try:
                self._spec = read(self._path)
                logger.info("exit specification read path=%r codes=%s", self._path, len(self._spec.by_code))
            except UnusableSpecError as error:
                logger.warning(
                    "exit specification not usable, the last good one stays path=%r error=%r",
                    self._path,
                    str(error),
                )
        return self._spec


def read(path: str) -> ExitSpec:
    """Raises UnusableSpecError."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise UnusableSpecError("it is no file")
        with open(path, "rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UnusableSpecError(f"it cannot be read: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise UnusableSpecError(f"it is larger than {MAX_FILE_BYTES // 1024} KB")
    loaded = _load(content)
    entries = loaded.get("spec") if isinstance(loaded, dict) else loaded
    if not isinstance(entries, list) or not entries:
        raise UnusableSpecError("it has no list of exit codes under `spec`")
    return ExitSpec.of([_entry(number, entry) for number, entry in enumerate(entries, start=1)])


def _load(content: bytes) -> Any:
    """No tag constructs anything but plain values, and no alias is followed."""
    try:
        depth = 0
        for number, event in enumerate(yaml.parse(content, Loader=_LOADER)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent):
                raise UnusableSpecError(f"it has an alias (`*{event.anchor}`); write that out")
            if depth > MAX_DEPTH or number > MAX_YAML_EVENTS:
                raise UnusableSpecError("it is nested deeper, or has more parts, than such a file needs")
        return yaml.load(content, Loader=_LOADER)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UnusableSpecError(f"it is no valid YAML{where}") from None
    except UnusableSpecError:
        raise
    except (yaml.YAMLError, ValueError):  # ValueError: a date or number that cannot be one
        raise UnusableSpecError("it is no valid YAML") from None


def _entry(number: int, raw: Any) -> ExitCode:
    if not isinstance(raw, dict):
        raise UnusableSpecError(f"entry {number} of `spec` is no mapping with `code` and `phrase`")
    code, phrase = raw.get("code"), _text(raw.get("phrase"), MAX_PHRASE_BYTES)
    if type(code) is not int:
        raise UnusableSpecError(f"`code` of entry {number} of `spec` is no whole number")
    if not phrase:
        raise UnusableSpecError(f"entry {number} of `spec` (code {code}) has no `phrase`")
    ours = exit_codes.BY_PHRASE.get(phrase)
    return ExitCode(
        code=code,
        phrase=phrase,
        why=(ours.why if ours else exit_codes.words(phrase)) or f"exit code {code}",
        causer=_causer(raw) if "type" in raw or "causer" in raw else ours.causer if ours else None,
        reason=_text(raw.get("reason")) or (ours.reason if ours else ""),
        solutions=_solutions(raw.get("solution")) or (ours.solutions if ours else ()),
    )


def _causer(raw: Mapping[str, Any]) -> Causer | None:
    """`type` is the rough answer to whose fault it is; `causer` is finer, and only asked where that is missing."""
    kind, causer = raw.get("type"), raw.get("causer")
    if isinstance(kind, str):
        return _CAUSERS.get(kind)
    if not isinstance(causer, str) or causer == "UNKNOWN":
        return None
    return _CAUSERS.get(causer, Causer.USER if causer.startswith("USER_") else Causer.PLATFORM)


def _solutions(raw: Any) -> tuple[str, ...]:
    texts = raw if isinstance(raw, list) else [raw]
    return tuple(filter(None, map(_text, texts[:MAX_SOLUTIONS])))


def _text(raw: Any, limit_bytes: int = MAX_TEXT_BYTES) -> str:
    """On one line."""
    return clean(" ".join(raw.split()), limit_bytes) if isinstance(raw, str) else ""


def _state(path: str) -> object:
    """Changes with every edit, also with the swapped symlink by which Kubernetes changes what it mounts."""
    try:
        found = os.stat(path)
    except OSError as error:
        return error.errno
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

"""The cluster's own exit specification: what it says goes first, and a broken edit costs nothing."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from notifications.sources.frameworks import exit_codes, exit_spec
from notifications.sources.frameworks.exit_codes import Causer
from notifications.sources.frameworks.exit_spec import (
    NO_SPEC,
    ExitSpec,
    ExitSpecFile,
    UnusableSpecError,
    read,
)

OWN = """
# A reduced specification, as a cluster mounts it
schema:
  - field: code
    range: {begin: -8000, end: 256}
spec:
- code: 226
  phrase: ContainerCudaOOMKilled
  causer: USER_CONTAINER
  type: USER_FAILURE
  reason: "The card is full; ask for one of the large ones"
  repro: ["Allocate more than there is"]
  solution:
  - "Choose the SKU v100-32g"
  - "See https://wiki.example.org/gpu"
- code: 77
  phrase: ContainerGpuTooHot
  issuer: PAI_RUNTIME
  causer: PAI_HW
  type: PLATFORM_FAILURE
  reason: "The card was throttled"
- code: 78
  phrase: LicenseServerDown
  causer: PAI_RUNTIME
- code: 251
  phrase: JobGangAllocationTimeout
- code: 79
  phrase: Mystery
  type: UNKNOWN_FAILURE
  causer: UNKNOWN
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_the_clusters_words_go_before_ours(path: Path) -> None:
    entry = read(str(path)).explain(226, "ContainerCudaOOMKilled")
    assert entry
    assert entry.why == "out of GPU memory"  # ours: short enough for a title
    assert entry.reason == "The card is full; ask for one of the large ones"
    assert entry.solutions == ("Choose the SKU v100-32g", "See https://wiki.example.org/gpu")
    assert entry.causer is Causer.USER


@pytest.mark.parametrize(
    ("code", "phrase", "why", "causer"),
    [
        (77, "ContainerGpuTooHot", "GPU too hot", Causer.PLATFORM),
        (77, "", "GPU too hot", Causer.PLATFORM),
        (77, "WordsOfAnOlderEdition", "GPU too hot", Causer.PLATFORM),
        (1, "ContainerGpuTooHot", "GPU too hot", Causer.PLATFORM),
        (78, "", "license server down", Causer.PLATFORM),
        (79, "", "mystery", None),
        (251, "", "not enough free resources in time", Causer.RESOURCES),
        (254, "ContainerImageNotExists", "image not found", Causer.USER),
        (254, "", "image not found", Causer.USER),
    ],
)
def test_sources_in_order(path: Path, code: int, phrase: str, why: str, causer: Causer | None) -> None:
    entry = read(str(path)).explain(code, phrase)
    assert entry
    assert (entry.why, entry.causer) == (why, causer)


def test_what_an_entry_leaves_out_our_table_fills_in(path: Path) -> None:
    assert read(str(path)).explain(251, "") == exit_codes.BY_CODE[251]


def test_what_nobody_knows_is_none(path: Path) -> None:
    assert read(str(path)).explain(3, "") is None
    assert read(str(path)).explain(3, "NeverHeardOf") is None
    assert read(str(path)).explain(None, "") is None


def test_the_list_alone_is_a_specification_too(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("- {code: 5, phrase: OutOfLuck, solution: Try again}\n", encoding="utf-8")
    entry = read(str(path)).explain(5, "")
    assert entry
    assert (entry.why, entry.solutions) == ("out of luck", ("Try again",))


def test_texts_are_cleaned_cut_and_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(
        'spec:\n- {code: 5, phrase: Broken, reason: "a\\nb\\e[31m\\u202e '
        + "x" * 5000
        + '", solution: ['
        + "y, " * 50
        + "1, [z], null]}\n",
        encoding="utf-8",
    )
    entry = read(str(path)).explain(5, "")
    assert entry
    assert entry.reason.startswith("a b xx")
    assert len(entry.reason.encode()) <= exit_spec.MAX_TEXT_BYTES
    assert entry.solutions == ("y",) * exit_spec.MAX_SOLUTIONS


UNUSABLE = {
    "empty": "",
    "no YAML": "spec: [",
    "no list": "spec: {code: 1, phrase: A}",
    "an empty list": "spec: []",
    "something else": "apiVersion: v1\nkind: ConfigMap\n",
    "a text": "spec",
    "no mapping": "spec: [1]",
    "no code": "spec: [{phrase: A}]",
    "a code in quotes": "spec: [{code: '1', phrase: A}]",
    "no phrase": "spec: [{code: 1}]",
    "a Python tag": "spec: [{code: 1, phrase: !!python/object/apply:os.system [id]}]",
    "an alias bomb": "a: &a [1, 1]\nb: &b [*a, *a]\nspec: [{code: 1, phrase: A}]",
    "nested too deep": "spec: " + "[" * 50 + "]" * 50,
    "not UTF-8": b"spec: [\xff]",
    "too large": "#" * exit_spec.MAX_FILE_BYTES + "\nspec: [{code: 1, phrase: A}]",
    "an impossible date": "spec: [{code: 1, phrase: 2026-99-99}]",
}


@pytest.mark.parametrize("content", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_file_is_refused_in_one_line(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UnusableSpecError) as caught:
        read(str(path))
    assert str(caught.value).isprintable()
    assert str(caught.value)


@pytest.mark.parametrize("path", ["/does/not/exist", "/", "/dev/zero"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(UnusableSpecError):
        read(path)


def why(file: ExitSpecFile) -> str:
    entry = file.current().explain(77, "")
    return entry.why if entry else ""


def test_an_edit_counts_at_once_and_an_unchanged_file_is_not_read_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []

    def counted(path: str) -> ExitSpec:
        reads.append(path)
        return read(path)

    monkeypatch.setattr(exit_spec, "read", counted)
    file = ExitSpecFile(str(path))
    for _ in range(3):
        assert why(file) == "GPU too hot"
    assert len(reads) == 1
    path.write_text(OWN.replace("ContainerGpuTooHot", "GpuOnFire"), encoding="utf-8")
    for _ in range(3):
        assert why(file) == "GPU on fire"
    assert len(reads) == 2


def test_a_mount_is_changed_by_swapping_a_symlink(tmp_path: Path) -> None:
    """As Kubernetes does: spec.yaml → ..data/spec.yaml, and ..data → a folder that is exchanged."""
    for folder, phrase in (("..1", "GpuTooHot"), ("..2", "GpuTooBad")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "spec.yaml").write_text(f"spec: [{{code: 77, phrase: {phrase}}}]")
        os.utime(tmp_path / folder / "spec.yaml", (1, 1))  # the same size and time: only the file differs
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "spec.yaml").symlink_to("..data/spec.yaml")
    file = ExitSpecFile(str(tmp_path / "spec.yaml"))
    assert why(file) == "GPU too hot"
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert why(file) == "GPU too bad"


@pytest.mark.parametrize("damage", ["broken", "gone"])
def test_a_broken_edit_keeps_the_last_good_one_and_says_so_once(
    path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    file = ExitSpecFile(str(path))
    assert why(file) == "GPU too hot"
    with caplog.at_level(logging.WARNING):
        if damage == "broken":
            path.write_text("spec: [{code: 77, phrase: Gpu", encoding="utf-8")
        else:
            path.unlink()
        for _ in range(5):
            assert why(file) == "GPU too hot"
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "not usable" in record.getMessage()
    assert "\n" not in record.getMessage()
    path.write_text("spec: [{code: 77, phrase: GpuRepaired}]", encoding="utf-8")
    assert why(file) == "GPU repaired"


def test_without_a_path_our_table_speaks() -> None:
    assert ExitSpecFile("").current() is NO_SPEC
    assert NO_SPEC.explain(226, "") == exit_codes.BY_CODE[226]

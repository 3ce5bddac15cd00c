"""Modules come in few files, each of them once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from notifcenter import bundles
from notifcenter.bundles import ENTRIES, Bundles

OURS = settings.BASE_DIR / "static" / "notifcenter"
ELEMENTS = ("notif-toasts", "notif-inbox", "notif-preferences", "notif-job-events", "notif-page")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bundles, "ENTRIES", ("first.js", "second.js"))
    (tmp_path / "deep").mkdir()
    files = {
        "first.js": 'import { b as a } from "./deep/b.js";\nexport function first() {\n  return a;\n}\n',
        "second.js": 'import { b } from "./deep/b.js";\nimport { Own } from "./own.js";\n'
        'export { c as d } from "./c.js";\nlet a = new Own(b);\n',
        "own.js": "export class Own {}\n",
        "c.js": "export const c = 1;\n",
        "deep/b.js": "const x=2;export{x as b};\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_what_a_bundle_says(folder: Path) -> None:
    assert Bundles(folder).text("first.js").split("\n") == [
        "const { b } = (() => {",
        "const x=2;",
        "return { b: x };",
        "})();",
        "const { first } = (() => {",
        "const a = b;",
        "function first() {",
        "  return a;",
        "}",
        "",
        "return { first };",
        "})();",
        "export { b, first };",
        "",
    ]


def test_another_one_takes_what_is_in_the_first(folder: Path) -> None:
    text = Bundles(folder).text("second.js")
    assert text.startswith('import { b } from "./first.js";\n')
    assert text.endswith("\nreturn { d: c };\n})();\nexport { d };\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deep/b.js", 'export { b } from "../first.js";\n'),
        ("own.js", 'export {  } from "./second.js";\n'),
    ],
)
def test_a_module_of_a_bundle_leads_there(folder: Path, name: str, text: str) -> None:
    assert Bundles(folder).text(name) == text


def test_a_module_of_no_bundle_is_left_alone(folder: Path) -> None:
    (folder / "worker.js").write_text("")
    assert Bundles(folder).sources("worker.js") == []
    assert Bundles(folder).sources("deep/b.js") == [folder / "deep" / "b.js"]
    assert Bundles(folder).sources("first.js") == [folder / "deep" / "b.js", folder / "first.js"]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        (
            "own.js",
            "export default 1;\n",
            "own.js: only named imports and exports can be bundled, not 'export default 1;'",
        ),
        ("own.js", 'import * as all from "./c.js";\n', "only named imports"),
        ("own.js", "export const { a } = {};\n", "only named imports"),
        ("own.js", "", "second.js imports what no module exports: Own"),
        ("own.js", "export const c = 2;\n", "own.js and c.js both export c"),
        (
            "c.js",
            'import { d } from "./second.js";\nexport const c = d;\n',
            "second.js imports itself by way of second.js, c.js",
        ),
    ],
)
def test_what_cannot_be_bundled(folder: Path, name: str, text: str, error: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(ValueError, match=error.replace("*", r"\*")):
        Bundles(folder).text("second.js")


def test_all_of_ours_can_be_bundled() -> None:
    ours = Bundles(OURS)
    assert all(ours.text(name) for name in ENTRIES)


@pytest.mark.parametrize("element", ELEMENTS)
def test_an_element_s_bundle_exports_the_element_and_nothing_else(element: str) -> None:
    """`define.js` takes the first name."""
    name = "".join(part.title() for part in element.split("-"))
    assert Bundles(OURS).text(f"{element}.js").endswith(f"\nexport {{ {name} }};\n")


def test_whatever_imports_is_in_a_bundle() -> None:
    """A bundle offers only what it knows somebody wants."""
    bundled = Bundles(OURS)
    importing = [
        one.name
        for one in OURS.glob("*.js")
        if re.search("^import ", one.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert len(importing) > 20
    assert [name for name in importing if not bundled.sources(name)] == []


def test_whatever_is_loaded_by_itself_begins_a_bundle() -> None:
    scripts = [one.read_text(encoding="utf-8") for one in OURS.glob("*.js")]
    by_itself = {name for text in scripts for name in re.findall(r'\blater\("([^"]+)"\)', text)}
    assert len(by_itself) > 2
    assert by_itself <= set(ENTRIES)

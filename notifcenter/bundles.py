"""Our modules as few files: what is always loaded together is one, each module in a function of its own.

A file of many modules is a third smaller compressed than they are one by one, and there after one request. Nothing is
parsed as JavaScript: our modules keep to the forms of `import` and `export` that are known here, no two export the same
name, and whatever else is met is an error. A module has one instance, by whatever address it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

# In this order: a module is in the first of the bundles that need it. What is loaded by itself comes first.
ENTRIES = (
    "define.js",
    "bell-panel.js",
    "alerts.js",
    "push-digest.js",
    "notif-toasts.js",
    "notif-job-events.js",
    "inbox-view.js",
    "page-root.js",
    "messages.js",
    "notif-preferences.js",
    "notif-inbox.js",
    "notif-page.js",
    "define-page.js",
    "push.js",
)

_FROM = re.compile(r'^(import|export) *\{([^}]*)\} *from *"(\.[^"]+)";?\n?', re.MULTILINE)
_NAMED = re.compile(r"(?:^|(?<=;))export *\{([^}]*)\};?\n?", re.MULTILINE)
_DECLARED = re.compile(r"^export (?=(?:(?:async )?function|class|const) ([\w$]+))", re.MULTILINE)
_UNKNOWN = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class Module:
    """One of them. `name` is its path in the folder, as of `vendor/lit.js`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / name
        self.needs: list[str] = []  # other modules
        self.imports: list[str] = []  # by the names that those export
        self.exports: dict[str, str] = {}  # by name, what it is called inside
        text = self.path.read_text(encoding="utf-8")
        renamed = ""
        for kind, names, path in _FROM.findall(text):
            self.needs.append(normpath(join(dirname(name), path)))
            for old, new in _pairs(names):
                self.imports.append(old)
                if kind == "export":
                    self.exports[new] = old
                elif new != old:
                    renamed += f"const {new} = {old};\n"
        text = _FROM.sub("", text)
        self.exports |= {new: old for names in _NAMED.findall(text) for old, new in _pairs(names)}
        self.exports |= {one: one for one in _DECLARED.findall(text)}
        text = _DECLARED.sub("", _NAMED.sub("", text))
        if unknown := _UNKNOWN.search(text):
            raise ValueError(f"{name}: only named imports and exports can be bundled, not {unknown[0]!r}")
        given = _braces(new if new == old else f"{new}: {old}" for new, old in self.exports.items())
        self.wrapped = (
            f"const {_braces(self.exports)} = (() => {{\n{renamed}{text}\nreturn {given};\n}})();\n"
        )


class Bundles:
    """The modules of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._modules: dict[str, Module] = {}  # each after those that it needs
        self._owner: dict[str, str] = {}  # the bundle in which a module is
        for entry in ENTRIES:
            for name in self._needed(entry):
                self._owner[name] = entry
        exported: dict[str, str] = {}
        for name, module in self._modules.items():
            for one in module.exports:
                if exported.setdefault(one, name) != name:
                    raise ValueError(f"{exported[one]} and {name} both export {one}")
        self._home = {one: self._owner[name] for one, name in exported.items()}
        self._wanted = {one for entry in ENTRIES for one in self._modules[entry].exports}
        for name, module in self._modules.items():
            if unknown := [one for one in module.imports if one not in self._home]:
                raise ValueError(f"{name} imports what no module exports: {', '.join(unknown)}")
            self._wanted |= {one for one in module.imports if self._home[one] != self._owner[name]}

    def sources(self, name: str) -> list[Path]:
        """The files of which the answer to this name is made; none, when it is in no bundle."""
        parts = self._members(name) or [self._modules[one] for one in [name] if one in self._owner]
        return [one.path for one in parts]

    def text(self, name: str) -> str:
        """A bundle, or what leads to the one that has this module."""
        members = self._members(name)
        elsewhere: dict[str, dict[str, None]] = {}
        for one in (one for member in members for one in member.imports):
            if self._home[one] != name:
                elsewhere.setdefault(self._home[one], {})[one] = None
        imports = [
            f"import {_braces(names)} from {_address(home, name)};\n" for home, names in elsewhere.items()
        ]
        offered = members or [self._modules[name]]
        exports = _braces(one for module in offered for one in module.exports if one in self._wanted)
        if not members:
            return f"export {exports} from {_address(self._owner[name], name)};\n"
        return "".join([*imports, *(member.wrapped for member in members), f"export {exports};\n"])

    def _members(self, bundle: str) -> list[Module]:
        return [module for name, module in self._modules.items() if self._owner[name] == bundle]

    def _needed(self, name: str, above: tuple[str, ...] = ()) -> Iterator[str]:
        """A module and all that it imports, those first that others need."""
        if name in above:
            raise ValueError(f"{name} imports itself by way of {', '.join(above)}")
        if name in self._modules:
            return
        module = Module(self._folder, name)
        for one in module.needs:
            yield from self._needed(one, (*above, name))
        self._modules[name] = module
        yield name


def _pairs(names: str) -> Iterator[tuple[str, str]]:
    """Of `a, b as c`: (a, a), (b, c)."""
    for name in filter(None, (one.strip() for one in names.split(","))):
        old, _, new = name.partition(" as ")
        yield old, new or old


def _braces(names: Iterable[str]) -> str:
    return f"{{ {', '.join(names)} }}"


def _address(name: str, seen_from: str) -> str:
    path = relpath(name, dirname(seen_from) or ".")
    return f'"{path}"' if path.startswith(".") else f'"./{path}"'

"""The modules that a page names in its head are those that the browser will ask for."""

from __future__ import annotations

import re

from notifcenter.modules import STATIC, modules_of


def test_all_that_is_imported_is_named_once() -> None:
    named = modules_of("notifcenter/define.js")
    assert {"notifcenter/define.js", "notifcenter/notif-bell.js", "notifcenter/vendor/lit.js"} <= set(named)
    assert len(named) == len(set(named))
    imports = {
        re.sub(r".*/", "", name)
        for module in named
        if "vendor" not in module
        for name in re.findall(r'^[^/*]*\bfrom "([^"]+)"', (STATIC / module).read_text(), re.MULTILINE)
    }
    assert imports <= {re.sub(r".*/", "", module) for module in named}


def test_what_is_loaded_later_is_not_named() -> None:
    assert "notifcenter/bell-panel.js" not in modules_of("notifcenter/define.js")

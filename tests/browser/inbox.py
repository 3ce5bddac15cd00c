"""The inbox page in a browser: its rows, its folders, and when it is alive."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

UNREAD_ROW = re.compile("notice--unread")


def rows(page: Page) -> Locator:
    return page.locator("notif-inbox .notice[data-id]")


def row(page: Page, text: str) -> Locator:
    return rows(page).filter(has_text=text)


def line(page: Page, text: str) -> Locator:
    """What of a row, or of the line of a group, takes the focus and opens it."""
    return page.locator("notif-inbox .notice > details > summary").filter(has_text=text)


def box(page: Page, title: str) -> Locator:
    return page.get_by_role("checkbox", name=f"Select: {title}")


def folder(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Folders").get_by_role("link", name=name)


def bar(page: Page) -> Locator:
    return page.get_by_role("group", name="All that are shown")


def toast(page: Page, text: str) -> Locator:
    return page.locator("notif-toasts .toast").filter(has_text=text)


def undo(page: Page, text: str) -> None:
    toast(page, text).get_by_role("button", name="Undo").click()


def alive(page: Page) -> Page:
    """The page, once its script has taken over."""
    expect(page.get_by_role("button", name="Keys")).to_be_visible()
    return page

"""A headless Chromium (Debian's, through playwright) looking at a Dagster UI."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

# Without the background flags the browser calls home at every start.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """The path of the browser, if the machine has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def opened_page(*, width: int = 1400, height: int = 900) -> Iterator[Page]:
    """A fresh page in a fresh browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=_ARGUMENTS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(60_000)
        yield page
        browser.close()

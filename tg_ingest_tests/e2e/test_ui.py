"""The Dagster UI as an operator uses it, in a real browser."""

import os
import re
import time

import pytest
from browser import chromium, opened_page
from playwright.sync_api import expect

MISSING = "the browser tests need a chromium on the path (Debian: apt-get install chromium)"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not chromium() and not os.environ.get("TG_INGEST_REQUIRE_BROWSER"), reason=MISSING),
]


def visible(locator):
    return locator.locator("visible=true").last


def test_the_asset_graph_shows_the_asset_with_its_kinds_and_check(services):
    with opened_page() as page:
        page.goto(f"{services.dagster.url}/asset-groups")
        expect(visible(page.get_by_text("messages"))).to_be_visible()
        expect(visible(page.get_by_text("Postgres"))).to_be_visible()
        expect(visible(page.get_by_text("Asset checks"))).to_be_visible()


def events_of(page, partition_page):
    """How often a partition was materialised, as its page tells."""
    page.goto(partition_page)
    button = page.get_by_role("button", name="View all historical events")
    page.get_by_text("Metadata", exact=True).wait_for()
    return int(re.findall(r"\((\d+)\)", button.inner_text())[0])


def test_a_partition_is_materialised_by_clicking_and_its_metadata_appears(services):
    window = f"{services.settings.first_window:%Y-%m}"
    partitions = f"{services.dagster.url}/assets/telegram/messages?view=partitions"
    partition = f"{partitions}&partition=tiny_news%7C{window}"
    with opened_page() as page:
        before = events_of(page, partition)
        page.goto(partitions)
        page.get_by_role("button", name="Materialize…").click()
        visible(page.get_by_text("Select a partition or create one")).click()
        visible(page.get_by_placeholder("Filter partitions")).fill("tiny_n")
        visible(page.get_by_text("tiny_news")).click()
        page.get_by_text("Launch runs to materialize").click()
        windows = visible(page.get_by_placeholder("ex: "))
        windows.fill(window)
        windows.press("Enter")
        page.get_by_role("button", name="Launch 1 run").click()
        deadline = time.monotonic() + 120
        while events_of(page, partition) == before:
            assert time.monotonic() < deadline, "the partition was not materialised"
            page.wait_for_timeout(1000)
        for label in ("fetched", "inserted", "flood waits", "messages/s", "covered"):
            expect(visible(page.get_by_text(label, exact=True))).to_be_visible()

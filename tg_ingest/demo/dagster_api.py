"""The few calls to a running Dagster webserver that the demo makes, over its GraphQL interface."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tg_ingest.errors import TgIngestError

_BACKFILL = """
mutation ($partitions: [String!]!) {
  launchPartitionBackfill(backfillParams: {
    assetSelection: [{path: ["telegram", "messages"]}], partitionNames: $partitions
  }) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on PartitionKeysNotFoundError { message }
  }
}
"""
_PROGRESS = """
query ($id: String!, $tag: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status error { message } }
    ... on PythonError { message }
  }
  runsOrError(filter: {tags: [{key: "dagster/backfill", value: $tag}]}, limit: 1000) {
    ... on Runs { results { runId status tags { key value } } }
  }
}
"""
_NUMBERS = """
query ($id: ID!) {
  runOrError(runId: $id) { ... on Run { assetMaterializations { metadataEntries {
    label ... on IntMetadataEntry { intRepr } ... on FloatMetadataEntry { floatValue } } } } }
}
"""
_LOCATIONS = """
query { workspaceOrError { ... on Workspace { locationEntries {
  name locationOrLoadError { __typename ... on PythonError { message } } } } } }
"""
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


class DagsterApiError(TgIngestError):
    """The webserver refused a call; the message is its own."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """How far a backfill is: the daemon's own status, each run's status by run id, and the partitions of its runs.

    `ranges` are pairs of partition keys, first and last, as the daemon cut them.
    """

    status: str
    runs: dict[str, str]
    ranges: list[tuple[str, str]]

    @property
    def runs_ended(self) -> bool:
        """Whether no run will change any more. The daemon's own status follows up to half a minute later."""
        return set(self.runs.values()) <= ENDED

    @property
    def has_failed(self) -> bool:
        """Whether the backfill or any of its runs ended badly."""
        return self.status not in {"REQUESTED", "COMPLETED", "COMPLETED_SUCCESS"} or bool(
            set(self.runs.values()) & {"FAILURE", "CANCELED"}
        )


class DagsterApi:
    """A client of one webserver."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=60.0)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def wait_until_ready(self, *, within: float, check: Callable[[], None]) -> None:
        """Wait until the webserver answers and its code location is loaded; `check` raises when it never will."""
        deadline = time.monotonic() + within
        while not self._is_ready():
            check()
            if time.monotonic() > deadline:
                raise DagsterApiError(f"the Dagster webserver at {self.url} did not come up within {within:g} s")
            time.sleep(0.3)

    def launch_backfill(self, partitions: list[str]) -> str:
        """Ask the daemon to materialise these partitions of telegram/messages; returns the backfill's id."""
        answer = self._ask(_BACKFILL, partitions=partitions)["launchPartitionBackfill"]
        if answer["__typename"] != "LaunchBackfillSuccess":
            raise DagsterApiError(f"the backfill was refused: {answer.get('message', answer['__typename'])}")
        return answer["backfillId"]

    def backfill(self, backfill_id: str) -> Backfill:
        """How far the backfill is."""
        answer = self._ask(_PROGRESS, id=backfill_id, tag=backfill_id)
        status = answer["partitionBackfillOrError"].get("status")
        if status is None:
            raise DagsterApiError(answer["partitionBackfillOrError"].get("message", "the backfill is unknown"))
        runs = answer["runsOrError"]["results"]
        return Backfill(status, {run["runId"]: run["status"] for run in runs}, [_range(run["tags"]) for run in runs])

    def numbers(self, run_id: str) -> dict[str, float]:
        """The numbers that a run left on what it materialised; they are the same on each of its partitions."""
        materialised = self._ask(_NUMBERS, id=run_id)["runOrError"].get("assetMaterializations") or []
        entries = materialised[0]["metadataEntries"] if materialised else []
        values = {e["label"]: e.get("intRepr", e.get("floatValue")) for e in entries}
        return {label: float(value) for label, value in values.items() if value is not None}

    def _is_ready(self) -> bool:
        try:
            entries = self._ask(_LOCATIONS)["workspaceOrError"]["locationEntries"]
        except httpx.TransportError:
            return False
        for entry in entries:
            location = entry["locationOrLoadError"]
            if location and location["__typename"] == "PythonError":
                raise DagsterApiError(f"the code location {entry['name']} does not load: {location['message']}")
        return bool(entries) and all(entry["locationOrLoadError"] for entry in entries)

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        response = self._http.post("/graphql", json={"query": query, "variables": variables})
        answer = response.json()
        if answer.get("errors"):
            raise DagsterApiError(answer["errors"][0]["message"])
        return answer["data"]


def _range(tags: list[dict[str, str]]) -> tuple[str, str]:
    """The partitions of a run: a range of them, or one."""
    values = {tag["key"]: tag["value"] for tag in tags}
    one = values.get("dagster/partition", "")
    return values.get("dagster/asset_partition_range_start", one), values.get("dagster/asset_partition_range_end", one)

"""Local Telegrams for tests: each in a thread with an event loop of its own, spoken to over real sockets."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from telethon.crypto import rsa as telethon_rsa

from tg_ingest.emulator.run import fast_loop
from tg_ingest.emulator.server import Emulator, started
from tg_ingest.emulator.server_key import ServerKey
from tg_ingest.emulator.world import World
from tg_ingest.emulator.worlds import load

_START_TIMEOUT = 30.0


class EmulatorHandle:
    """A running emulator, seen from outside: where it listens, its admin side, and the world behind it."""

    def __init__(self, emulator: Emulator) -> None:
        self.host = emulator.host
        self.port = emulator.port
        self.admin_url = emulator.admin_url
        self.public_key = emulator.public_key
        self.world = emulator.service.world
        self.emulator = emulator
        self._http = httpx.Client(base_url=emulator.admin_url, timeout=30.0)

    def accounts(self) -> list[dict[str, Any]]:
        return self._get("/accounts")

    def channels(self) -> list[dict[str, Any]]:
        return self._get("/channels")

    def served(self) -> dict[str, Any]:
        return self._get("/served")

    def session(self, label: str) -> str:
        return next(account["session"] for account in self.accounts() if account["label"] == label)

    def access_hash(self, label: str, channel_id: int) -> int:
        return next(
            channel["access_hashes"][label] for channel in self.channels() if channel["channel_id"] == channel_id
        )

    def fault(self, kind: str, **fields: Any) -> dict[str, Any]:
        return self._post("/faults", {"kind": kind, **fields})

    def clear_faults(self) -> None:
        self._http.delete("/faults").raise_for_status()

    def truth(self, channel_id: int, *, lower: int = 1, upper: int | None = None) -> list[dict[str, Any]]:
        bounds = {"lower": lower} if upper is None else {"lower": lower, "upper": upper}
        answer = self._http.get(f"/truth/{channel_id}", params=bounds)
        answer.raise_for_status()
        return [json.loads(line) for line in answer.text.split("\n") if line]

    def post(self, channel_id: int, text: str) -> int:
        return self._post(f"/channels/{channel_id}/post", {"text": text})["message_id"]

    def edit(self, channel_id: int, message_id: int, text: str) -> None:
        self._post(f"/channels/{channel_id}/edit", {"message_id": message_id, "text": text})

    def delete(self, channel_id: int, message_ids: list[int]) -> None:
        self._post(f"/channels/{channel_id}/delete", {"message_ids": message_ids})

    def close(self) -> None:
        self._http.close()

    def _get(self, path: str) -> Any:
        answer = self._http.get(path)
        answer.raise_for_status()
        return answer.json()

    def _post(self, path: str, document: dict[str, Any]) -> Any:
        answer = self._http.post(path, json=document)
        assert answer.status_code == 200, answer.text
        return answer.json()


class StartEmulator(Protocol):
    """Starts a world by name, path or value; it stops with the test."""

    def __call__(
        self, world: str | Path | World, *, seed: int = 1, start: datetime = ..., gzip_answers: bool = False
    ) -> EmulatorHandle: ...


@contextlib.contextmanager
def running_emulator(world: World, *, server_key: ServerKey, gzip_answers: bool = False) -> Iterator[EmulatorHandle]:
    """Run one emulator in a thread of its own, so that a test may block its own loop or have none."""
    outcome: dict[str, Any] = {}
    is_up = threading.Event()

    async def main() -> None:
        stop = asyncio.Event()
        outcome["stop"] = (asyncio.get_running_loop(), stop)
        async with started(world, server_key=server_key, gzip_answers=gzip_answers) as emulator:
            outcome["emulator"] = emulator
            is_up.set()
            await stop.wait()

    def work() -> None:
        try:
            with asyncio.Runner(loop_factory=fast_loop()) as runner:
                runner.run(main())
        except BaseException as error:
            outcome["error"] = error
            is_up.set()
            raise

    thread = threading.Thread(target=work, name=f"emulator {world.name}", daemon=True)
    thread.start()
    assert is_up.wait(_START_TIMEOUT), "the emulator did not start"
    assert "error" not in outcome, outcome["error"]
    handle = EmulatorHandle(outcome["emulator"])
    try:
        yield handle
    finally:
        handle.close()
        loop, stop = outcome["stop"]
        loop.call_soon_threadsafe(stop.set)
        thread.join(_START_TIMEOUT)
        assert not thread.is_alive(), "the emulator did not stop"
    assert handle.emulator.service.ledger.internal_errors == []


@pytest.fixture(scope="session")
def emulator_key() -> ServerKey:
    """One RSA key for all emulators of a test run; Telethon is told once to trust it."""
    key = ServerKey.generate()
    telethon_rsa.add_key(key.public_pem, old=False)
    return key


@pytest.fixture
def start_emulator(emulator_key: ServerKey) -> Iterator[StartEmulator]:
    with contextlib.ExitStack() as stack:

        def start(
            world: str | Path | World,
            *,
            seed: int = 1,
            start: datetime = datetime(2024, 1, 1, tzinfo=UTC),
            gzip_answers: bool = False,
        ) -> EmulatorHandle:
            loaded = world if isinstance(world, World) else load(str(world), seed=seed, start=start)
            context = running_emulator(loaded, server_key=emulator_key, gzip_answers=gzip_answers)
            return stack.enter_context(context)

        yield start

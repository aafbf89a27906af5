"""The emulator as a process of its own: one JSON line when it is ready, a clean end at SIGTERM or SIGINT."""

import asyncio
import json
import signal
import sys
from datetime import datetime
from pathlib import Path

from tg_ingest.emulator.server import CannotServe, Emulator, started
from tg_ingest.emulator.world import World
from tg_ingest.emulator.worlds import load


async def serve(
    world: World,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    admin_port: int = 0,
    state: Path | None = None,
    gzip_answers: bool = False,
    allow_any_host: bool = False,
) -> None:
    """Run until SIGTERM or SIGINT; print one JSON line with host, port, admin URL, public key and world when ready."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with started(
        world,
        host=host,
        port=port,
        admin_port=admin_port,
        state=state,
        gzip_answers=gzip_answers,
        allow_any_host=allow_any_host,
    ) as emulator:
        sys.stdout.write(json.dumps(_ready_line(emulator)) + "\n")
        sys.stdout.flush()
        await stop.wait()


def run(
    world_name: str,
    *,
    seed: int,
    start: datetime,
    host: str = "127.0.0.1",
    port: int = 0,
    admin_port: int = 0,
    state: Path | None = None,
    gzip_answers: bool = False,
    allow_any_host: bool = False,
) -> None:
    """Load a world by name or path and serve it until SIGTERM or SIGINT. `start` dates the world's first post.

    Ends the process with one line on standard error when it cannot listen there. Raises `WorldError`.
    """
    world = load(world_name, seed=seed, start=start)
    try:
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            runner.run(
                serve(
                    world,
                    host=host,
                    port=port,
                    admin_port=admin_port,
                    state=state,
                    gzip_answers=gzip_answers,
                    allow_any_host=allow_any_host,
                )
            )
    except CannotServe as error:
        sys.exit(f"tg-ingest: {error}")


def fast_loop() -> type[asyncio.AbstractEventLoop] | None:
    """Return uvloop's event loop where it is installed, else None (asyncio's own)."""
    try:
        import uvloop  # noqa: PLC0415 - optional, and absent on some systems
    except ImportError:
        return None
    return uvloop.Loop


def _ready_line(emulator: Emulator) -> dict[str, str | int]:
    return {
        "host": emulator.host,
        "port": emulator.port,
        "admin": emulator.admin_url,
        "public_key": emulator.public_key,
        "world": emulator.service.world.name,
    }

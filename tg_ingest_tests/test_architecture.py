"""The house rules that a reader relies on: imports run one way, files stay small, names say something."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tg_ingest"
MODULES = sorted(PACKAGE.rglob("*.py"))
WINGS = {
    "errors": set(),
    "accounts": set(),
    "messages": {"errors"},
    "telegram": {"messages", "errors", "accounts"},
    "postgres": {"messages", "errors", "accounts"},
    "settings": {"errors"},
    "instance": {"errors", "settings"},
    "local_database": {"postgres", "settings", "errors"},
    "ingestion": {"telegram", "postgres", "messages", "errors", "accounts", "settings"},
    "defs": {"ingestion", "telegram", "postgres", "messages", "errors", "accounts", "settings", "instance"},
    "definitions": {"defs", "settings"},
    "local_run": {"definitions", "defs", "ingestion", "postgres", "settings", "instance", "errors"},
    "emulator": set(),
}
ONLY_IN = {"telethon": {"telegram", "emulator"}, "sqlalchemy": {"postgres"}, "psycopg2": {"postgres"}}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "core", "misc"}


def wing_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_imports_run_one_way():
    top = {"cli", "__main__", "__init__", "demo"}
    wrong = {
        f"{module.relative_to(PACKAGE)} imports {used}"
        for module in MODULES
        for used in {name.split(".")[1] for name in imports_of(module) if name.startswith("tg_ingest.")}
        if wing_of(module) not in top and used not in WINGS[wing_of(module)] | {wing_of(module)}
    }
    assert wrong == set()


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_stays_in_its_wing(library):
    users = {wing_of(m) for m in MODULES if any(name.split(".")[0] == library for name in imports_of(m))}
    assert users <= ONLY_IN[library]


def test_dagster_stays_in_the_dagster_layer():
    users = {wing_of(m) for m in MODULES if any(name.split(".")[0] == "dagster" for name in imports_of(m))}
    assert users <= {"defs", "definitions", "local_run"}


def test_settings_are_read_in_one_place():
    reading = re.compile(r'environ(\.get\(|\[)f?"TG_INGEST_|getenv|f"TG_INGEST_\{')
    assert {m.name for m in MODULES if reading.search(m.read_text())} == {"settings.py"}


def test_no_module_is_a_drawer_for_leftovers():
    assert not {m.stem for m in MODULES} & FORBIDDEN_NAMES


def test_files_and_functions_stay_small():
    long_files = {m.name for m in MODULES if len(m.read_text().splitlines()) > 320}
    long_functions = {
        f"{module.name}: {node.name}"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    }
    assert (long_files, long_functions - {"parse.py: _row_of"}) == (set(), set())  # a row has 54 columns

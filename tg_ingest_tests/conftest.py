"""Fixtures of all tests. Each fix_*.py brings up one real part; nothing here is a mock."""

from pathlib import Path

pytest_plugins = sorted(path.stem for path in Path(__file__).parent.glob("fix_*.py"))

"""The documentation tells the truth: its commands exist, its generated parts are those that the code would make."""

import re
import subprocess
import sys

import documentation

from tg_ingest.settings import Settings

README = documentation.README.read_text()
OTHERS = [documentation.ROOT / "CONTRIBUTING.md", documentation.DATA_MODEL]


def test_every_command_of_the_readme_exists():
    commands = set(re.findall(r"tg-ingest ([a-z]+(?: [a-z]+)?)", README))
    known = subprocess.run(
        [sys.executable, "-m", "tg_ingest", "--help"], check=True, capture_output=True, text=True
    ).stdout
    first_words = {command.split()[0] for command in commands}
    assert first_words >= {"demo", "db", "session", "channel", "run"}
    assert {word for word in first_words if not re.search(rf"^\W+{word} ", known, re.MULTILINE)} == set()


def test_every_make_target_of_the_docs_exists():
    targets = set(re.findall(r"^([a-z]+):", (documentation.ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|\$ )make ([a-z]+)", README + "".join(path.read_text() for path in OTHERS)))
    assert named - targets == set()


def test_every_variable_of_the_readme_is_a_setting():
    named = set(re.findall(r"TG_INGEST_[A-Z_]+", README))
    settings = Settings.from_environment({}).to_environment()
    assert named - set(settings) <= {"TG_INGEST_DATABASE_URL", "TG_INGEST_DAGSTER_DATABASE_URL"}


def test_every_link_of_the_docs_leads_somewhere():
    for path in [documentation.README, *OTHERS]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_data_model_is_the_schema():
    assert documentation.DATA_MODEL.read_text() == documentation.data_model()


def test_the_demo_output_of_the_readme_ends_with_a_proof():
    shown = documentation.DEMO_OUTPUT.search(README)
    assert shown
    assert "PROVEN: the database is the world." in shown.group()

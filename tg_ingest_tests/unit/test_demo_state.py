from dataclasses import fields

import pytest

from tg_ingest.demo.run import Outcome, reset_state
from tg_ingest.demo.services import alone, demo_settings
from tg_ingest.errors import ConfigurationError
from tg_ingest.settings import Settings


def settings_at(home) -> Settings:
    return Settings.from_environment({"TG_INGEST_HOME": str(home)})


def test_reset_leaves_a_folder_alone_that_no_demo_made(tmp_path):
    mine = tmp_path / "demo" / "my-slides.txt"
    mine.parent.mkdir()
    mine.write_text("precious")
    reset_state(settings_at(tmp_path))
    assert mine.read_text() == "precious"


def test_a_demo_does_not_move_into_a_folder_that_holds_something_else(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "my-slides.txt").touch()
    with pytest.raises(ConfigurationError, match="holds something else"):
        demo_settings(settings_at(tmp_path))


def test_a_second_demo_in_one_folder_is_refused_while_the_first_works(tmp_path):
    settings = demo_settings(settings_at(tmp_path))
    with alone(settings):
        with pytest.raises(ConfigurationError, match="a demo is at work in"), alone(settings):
            pass
        with pytest.raises(ConfigurationError, match="a demo is at work in"):
            reset_state(settings_at(tmp_path))
    reset_state(settings_at(tmp_path))
    assert not settings.home.exists()


def test_a_demo_of_nothing_proves_nothing():
    nothing = {field.name: 0 for field in fields(Outcome)}
    assert not Outcome(**nothing).holds
    assert Outcome(**nothing | {"messages": 3, "expected": 3}).holds

"""Sessions are sealed, read and refused; no error quotes one."""

import base64
import sqlite3
import stat

import pytest
from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession, StringSession

from tg_ingest.errors import ConfigurationError
from tg_ingest.telegram.credentials import key_id, load_key, read_session, seal, unseal

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def session(address="149.154.167.51"):
    made = StringSession()
    made.set_dc(2, address, 443)
    made.auth_key = AuthKey(bytes(range(256)))
    return made.save()


def test_a_session_comes_back_as_it_was():
    sealed = seal(session(), key=KEY, account_id=5)
    assert unseal(sealed, key=KEY, account_id=5) == session()
    assert session().encode() not in sealed
    assert sealed != seal(session(), key=KEY, account_id=5)


def test_another_key_is_named_and_refused():
    sealed = seal(session(), key=KEY, account_id=5)
    with pytest.raises(ConfigurationError, match=f"sealed with key {key_id(KEY)}, .* is {key_id(OTHER)}"):
        unseal(sealed, key=OTHER, account_id=5)


def test_a_session_of_another_account_or_a_changed_one_is_refused():
    sealed = seal(session(), key=KEY, account_id=5)
    with pytest.raises(ConfigurationError, match="account 6 was changed or moved"):
        unseal(sealed, key=KEY, account_id=6)
    with pytest.raises(ConfigurationError, match="account 5 was changed or moved"):
        unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), key=KEY, account_id=5)
    with pytest.raises(ConfigurationError, match="not one that this version sealed"):
        unseal(b"", key=KEY, account_id=5)


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "new" / "secret.key"
    key = load_key(None, path)
    assert len(key) == 32
    assert load_key(None, path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["secret.key"]


def test_a_key_file_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "secret.key"
    load_key(None, path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_key(None, path)


def test_a_given_key_wins_over_the_file(tmp_path):
    path = tmp_path / "secret.key"
    assert load_key(base64.b64encode(KEY).decode() + "\n", path) == KEY
    assert load_key(base64.urlsafe_b64encode(bytes([255] * 32)).decode(), path) == bytes([255] * 32)
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "short", "Zm9v", "!" * 44])
def test_a_malformed_key_is_refused_without_being_quoted(text, tmp_path):
    with pytest.raises(ConfigurationError, match="not 32 bytes in base64") as caught:
        load_key(text, tmp_path / "secret.key")
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_session_string_is_accepted(address):
    assert read_session(f" {session(address)}\n") == session(address)


@pytest.mark.parametrize("text", ["", "1", "hello", "1" + "A" * 352, session()[:-4], "2" + session()[1:], "x" * 5000])
def test_what_is_no_session_is_refused_without_being_quoted(text):
    with pytest.raises(ConfigurationError, match="not a Telethon session") as caught:
        read_session(text)
    assert len(str(caught.value)) < 120
    assert caught.value.__cause__ is None


def test_a_session_file_is_read_and_left_as_it_is(tmp_path):
    path = tmp_path / "old.session"
    made = SQLiteSession(str(path))
    made.set_dc(2, "149.154.167.51", 443)
    made.auth_key = AuthKey(bytes(range(256)))
    made.save()
    made.close()
    before = path.read_bytes()
    assert read_session(str(path)) == session()
    assert path.read_bytes() == before


def test_a_file_that_holds_no_login_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="no session file"):
        read_session(str(tmp_path / "missing.session"))
    (tmp_path / "text.session").write_text("hello")
    with pytest.raises(ConfigurationError, match="not a Telethon session file"):
        read_session(str(tmp_path / "text.session"))
    database = sqlite3.connect(tmp_path / "empty.session")
    database.execute("CREATE TABLE sessions (dc_id, server_address, port, auth_key)")
    database.close()
    with pytest.raises(ConfigurationError, match="holds no login"):
        read_session(str(tmp_path / "empty.session"))

from __future__ import annotations

from pathlib import Path

import pytest

from nadi.exceptions import SettingError
from nadi.storage.settings import Settings, read_settings


def test_without_anything_set_the_defaults_hold(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path) == Settings()


def test_the_environment_comes_before_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.nadi]\nhome = "/a"\nwait-for-store = 3\n')

    settings = read_settings({"NADI_HOME": "/b"}, tmp_path)

    assert settings.home == "/b"
    assert settings.wait_for_store == 3.0


def test_an_empty_variable_sets_nothing(tmp_path: Path) -> None:
    assert read_settings({"NADI_HOME": ""}, tmp_path).home == "~/.nadi"


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"NADI_WAIT_FOR_STORE": "soon"}, "NADI_WAIT_FOR_STORE sets wait_for_store to 'soon'"),
        ({"NADI_LOG_LEVEL": "LOUD"}, "NADI_LOG_LEVEL sets log_level to 'LOUD'; expected DEBUG, INFO"),
        ({"NADI_LOG_TO_CONSOLE": "perhaps"}, "NADI_LOG_TO_CONSOLE sets log_to_console to 'perhaps'"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_where_it_stands(
    tmp_path: Path, environ: dict[str, str], told: str
) -> None:
    with pytest.raises(SettingError, match=told):
        read_settings(environ, tmp_path)


def test_a_setting_that_does_not_exist_is_named_with_those_that_do(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.nadi]\nhoem = "/a"\n')

    with pytest.raises(SettingError, match=r"'hoem', which is no setting of Nadi. Known are: .*home"):
        read_settings({}, tmp_path)


def test_a_pyproject_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.nadi\n")

    with pytest.raises(SettingError, match=r"pyproject.toml is not valid TOML"):
        read_settings({}, tmp_path)


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'\n", "[tool.other]\nx = 1\n"])
def test_a_pyproject_that_does_not_speak_of_nadi_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)

    assert read_settings({}, tmp_path) == Settings()


def test_a_server_counts_before_a_database(tmp_path: Path) -> None:
    environ = {"NADI_DATABASE_URL": "sqlite:///runs.db", "NADI_API_URL": "http://host:4300"}

    assert read_settings(environ, tmp_path).store_url == "http://host:4300"
    assert read_settings({"NADI_DATABASE_URL": "sqlite:///runs.db"}, tmp_path).store_url == "sqlite:///runs.db"


def test_a_database_of_the_environment_counts_before_a_server_of_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.nadi]\napi-url = "https://runs.example.com"\n')

    settings = read_settings({"NADI_DATABASE_URL": "sqlite:///runs.db"}, tmp_path)

    assert settings.store_url == "sqlite:///runs.db"


def test_the_key_is_never_shown(tmp_path: Path) -> None:
    settings = read_settings({"NADI_API_KEY": "nadi_abc_secret"}, tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.nadi]\napi-key = ["nadi_abc_secret"]\n')

    with pytest.raises(SettingError) as raised:
        read_settings({}, tmp_path)

    assert "secret" not in repr(settings)
    assert "secret" not in str(raised.value)

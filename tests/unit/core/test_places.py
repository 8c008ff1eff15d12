"""Where settings and data are when nobody names a place, and what commands make of a place where nothing is."""

from pathlib import Path

import pytest

from chatbot.core import places
from chatbot.core.settings import ConfigurationError, Settings, load_settings
from chatbot.identity.cli_token import mint

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _unnamed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that is not the working folder."""
    root = tmp_path / "checkout"
    root.mkdir()
    monkeypatch.setattr(places, "checkout", lambda: root)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return root


def test_this_is_a_checkout() -> None:
    assert places.checkout() == ROOT


def test_called_elsewhere_the_checkouts_settings_and_data_are_used(root: Path) -> None:
    (root / ".env").write_text("ORCHESTRATOR_PORT=8010\nLOGS_DIR=var/log\nBACKUP_DIR=/srv/backups\n")
    settings = load_settings()
    assert (settings.orchestrator_port, settings.data_dir) == (8010, root / ".xin")
    assert (settings.folder("logs"), settings.backup_folder) == (root / "var/log", Path("/srv/backups"))


def test_a_platform_that_runs_here_goes_before(root: Path) -> None:
    here = Path.cwd()
    (here / ".xin").mkdir()
    (here / ".xin/secrets.json").write_text("{}")
    assert load_settings().data_dir == root / ".xin", "secrets alone are no platform"
    (here / ".xin/postgres").mkdir()
    assert load_settings().data_dir == here / ".xin"
    (root / ".env").write_text("ORCHESTRATOR_PORT=8010\n")
    (here / ".env").write_text("ORCHESTRATOR_PORT=8020\nLOGS_DIR=logs\n")
    settings = load_settings()
    assert (settings.orchestrator_port, settings.folder("logs")) == (8020, here / "logs")


def test_an_installed_package_uses_the_working_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "checkout", lambda: None)
    (root / ".env").write_text("ORCHESTRATOR_PORT=8010\n")
    settings = load_settings()
    assert (settings.orchestrator_port, settings.data_dir) == (8000, Path.cwd() / ".xin")


def test_a_token_is_not_of_a_platform_that_is_not_there(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"XIN_DATA_DIR: there is no platform in .*checkout/\.xin"):
        mint(load_settings())
    assert not (root / ".xin").exists()
    monkeypatch.setenv("ADMIN_JWT_SECRET", "a" * 40)
    monkeypatch.setenv("EMBED_JWT_SECRET", "b" * 40)
    assert mint(load_settings()), "it needs nothing of the data folder"
    assert not (root / ".xin").exists()
    monkeypatch.delenv("ADMIN_JWT_SECRET")
    monkeypatch.setenv("XIN_DATA_DIR", "named")
    assert mint(load_settings()), "whoever names a folder may begin with a token"
    assert (Path.cwd() / "named/secrets.json").is_file()

"""Bad configuration is refused at the start, and the sentence names the variable."""

from pathlib import Path

import pytest

from chatbot.core.settings import ConfigurationError, load_settings

NAMES = ("ADMIN_JWT_SECRET", "EMBED_JWT_SECRET", "GATEWAY_WEBHOOK_SECRET", "LOG_TOKEN", "XIN_ENCRYPTION_KEYS")
PRODUCTION = {"ENVIRONMENT": "production", **{name: f"{name}-7f3a9c51e2b84d60a5c1b7d9" for name in NAMES}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ORCHESTRATOR_PORT", "eighty"),
        ("ORCHESTRATOR_PORT", "70000"),
        ("DATABASE_URL", "mysql://nowhere"),
        ("REDIS_URL", "localhost:6379"),
        ("LOG_LEVEL", "LOUD"),
        ("ENVIRONMENT", "prod"),
        ("QDRANT_URL", "qdrant:6333"),
        ("STORAGE_ENDPOINT_URL", "http://minio:9000"),
        ("SMART_MODE_ENABLED", "perhaps"),
        ("UPLOAD_RETENTION_DAYS", "0"),
        ("ALLOWED_ORIGINS", "notaurl"),
        ("TRUSTED_PROXIES", "127.0.0.1,caddy"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("OTEL_EXPORTER_HEADERS", "a=b,authorization"),
        ("XIN_ADMIN_EMAIL", "admin"),
        ("XIN_NO_SUCH_THING", "1"),
    ],
)
def test_a_bad_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name):
        load_settings(env_file=None)


REFUSED = [(name, value) for name in PRODUCTION for value in ("", "dev-web", "short") if name != "ENVIRONMENT"]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_production_refuses_default_empty_and_short_secrets(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for key, good in PRODUCTION.items():
        monkeypatch.setenv(key, good)
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name):
        load_settings(env_file=None)


def test_production_starts_with_good_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, good in PRODUCTION.items():
        monkeypatch.setenv(key, good)
    assert load_settings(env_file=None).environment == "production"


def test_a_refused_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, good in PRODUCTION.items():
        monkeypatch.setenv(key, good)
    monkeypatch.setenv("LOG_TOKEN", "hunter2-secret")
    with pytest.raises(ConfigurationError) as refused:
        load_settings(env_file=None)
    assert "hunter2" not in str(refused.value)


def test_proxies_are_addresses_networks_or_any(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("127.0.0.1", "::1, 10.0.0.0/8,192.168.0.0/16", "*"):
        monkeypatch.setenv("TRUSTED_PROXIES", value)
        monkeypatch.setenv("OTEL_EXPORTER_HEADERS", "authorization=Basic a=,x=y,")
        assert load_settings(env_file=None).trusted_proxies == [each.strip() for each in value.split(",")]


def test_an_env_file_is_read_below_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "LOG_LEVEL=ERROR\nGATEWAY_PORT=9090\nALLOWED_ORIGINS=https://a.example.com, https://b.example.com\n"
    )
    monkeypatch.setenv("GATEWAY_PORT", "9191")
    settings = load_settings(env_file=file)
    assert settings.log_level == "ERROR"
    assert settings.gateway_port == 9191
    assert settings.allowed_origins == ["https://a.example.com", "https://b.example.com"]


def test_an_unknown_name_in_an_env_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("OPENAI_API_KEYS=typo\n")
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEYS"):
        load_settings(env_file=file)


def test_an_env_file_means_what_it_means_to_systemd(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# a comment\nBACKUP_PASSPHRASE=pa${HOME}ss & word-that-is-long#enough\nLOG_LEVEL='ERROR' # quoted\n"
    )
    settings = load_settings(env_file=file)
    assert settings.backup_passphrase is not None
    assert settings.backup_passphrase.get_secret_value() == "pa${HOME}ss & word-that-is-long#enough"
    file.write_text("BACKUP_PASSPHRASE=a-word-that-is-long #9 xyz\n")
    with pytest.raises(ConfigurationError, match="BACKUP_PASSPHRASE: in .env put the value in quotes"):
        load_settings(env_file=file)

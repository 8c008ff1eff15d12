"""Settings: the one place that reads the environment, over `.env`.

Built by `load_settings()` in a process's `main()`, never at import. A bad or unknown value stops the
start with one sentence that names the variable.
"""

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chatbot.core.places import DOTENV, ConfigurationError, read_env_file, usual_data_dir, usual_env_file

MIN_SECRET_LENGTH = 32
_MIN_DIFFERENT = 10
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
_ORIGIN = re.compile(r"\*|https?://[^/\s]+")
DEVELOPMENT_WEBHOOK_SECRET = "dev-web"  # noqa: S105 - refused outside development
_OWN_PREFIX = "XIN_"

Environment = Literal["development", "staging", "production"]


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


CommaList = Annotated[list[str], NoDecode, BeforeValidator(_comma_separated)]


class Settings(BaseSettings):
    """Every setting of every process, under the names that operators know."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    environment: Environment = "development"
    xin_data_dir: Path = Path(".xin")
    host: str = "127.0.0.1"
    orchestrator_port: int = Field(8000, ge=0, le=65535)
    gateway_port: int = Field(8080, ge=0, le=65535)
    public_url: str | None = None
    gateway_public_url: str | None = None
    turn_concurrency: int = Field(64, ge=1, le=256)
    delivery_concurrency: int = Field(32, ge=1, le=256)
    drain_delay_seconds: float = Field(0, ge=0, le=10)
    orchestrator_url: str | None = None

    database_url: SecretStr | None = None
    database_pool_size: int = Field(10, ge=1, le=200)
    migrate_only_compatible: bool = False
    redis_url: SecretStr | None = None
    qdrant_url: str | None = None
    qdrant_api_key: SecretStr | None = None

    storage_endpoint_url: str | None = None
    storage_access_key: SecretStr | None = None
    storage_secret_key: SecretStr | None = None
    storage_region: str = "us-east-1"
    storage_bucket: str = "xin"

    openai_api_key: SecretStr | None = None
    openai_base_url: str = "https://api.openai.com/v1"
    openai_model: str = "gpt-4o-mini"
    openai_fallback_model: str | None = None
    openai_embedding_model: str | None = None
    embedder: Literal["auto", "minilm", "openai", "fastembed", "none"] = "auto"
    fastembed_model: str = "intfloat/multilingual-e5-large"
    llm_input_price_per_million: float = Field(0.15, ge=0)
    llm_output_price_per_million: float = Field(0.60, ge=0)
    embedding_price_per_million: float = Field(0.02, ge=0)
    smart_mode_enabled: bool = True

    chat_limit_visitor: int = Field(60, ge=1)
    chat_limit_address: int = Field(600, ge=1)
    chat_limit_tenant: int = Field(60_000, ge=1)
    socket_limit_address: int = Field(1_000, ge=1)
    socket_limit_tenant: int = Field(20_000, ge=1)
    session_limit_address: int = Field(300, ge=1)
    session_limit_tenant: int = Field(6_000, ge=1)

    gateway_token: SecretStr | None = None
    allowed_origins: CommaList = []
    trusted_proxies: CommaList = ["127.0.0.1"]
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_token: SecretStr | None = None
    admin_jwt_secret: SecretStr | None = None
    admin_jwt_secret_previous: SecretStr | None = None
    embed_jwt_secret: SecretStr | None = None
    embed_jwt_secret_previous: SecretStr | None = None
    gateway_webhook_secret: SecretStr = SecretStr(DEVELOPMENT_WEBHOOK_SECRET)
    xin_encryption_keys: SecretStr | None = None
    xin_admin_email: str = "admin@example.com"
    restore_window_days: int = Field(30, ge=1, le=3650)
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = "Single sign-on"

    gateway_metrics_host: str = "0.0.0.0"  # noqa: S104 - scraped from outside the pod
    gateway_metrics_port: int = Field(9102, ge=0, le=65535)
    ingest_metrics_host: str = "0.0.0.0"  # noqa: S104
    ingest_metrics_port: int = Field(9103, ge=0, le=65535)
    bot_manager_metrics_host: str = "0.0.0.0"  # noqa: S104
    bot_manager_metrics_port: int = Field(9105, ge=0, le=65535)
    bots_per_manager: int = Field(500, ge=1, le=5000)
    automation_metrics_host: str = "0.0.0.0"  # noqa: S104
    automation_metrics_port: int = Field(9104, ge=0, le=65535)
    automation_concurrency: int = Field(16, ge=1, le=256)
    ingest_queue_name: str = "ingestion"
    ingest_concurrency: int = Field(2, ge=1, le=64)
    max_upload_bytes: int = Field(50 * 1024 * 1024, ge=1024)

    otel_exporter_endpoint: str | None = None
    otel_exporter_headers: str | None = None

    transcripts_dir: Path | None = None
    tickets_dir: Path | None = None
    uploads_dir: Path | None = None
    logs_dir: Path | None = None
    upload_retention_days: int = Field(30, ge=1)
    backup_dir: Path | None = None
    backup_bucket: str | None = None
    backup_passphrase: SecretStr | None = None
    backup_retention_days: int = Field(30, ge=1)
    xin_fetch_allow_hosts: CommaList = []

    _data_dir_is_named: bool = PrivateAttr(default=True)

    @model_validator(mode="after")
    def _refuse_unsafe_secrets(self) -> Self:
        """Default, empty or short secrets stop the start outside development."""
        if self.environment == "development":
            return self
        wrong = [name for name in _REQUIRED_SECRETS if not _long_enough(getattr(self, name))]
        wrong += [name for name in _OPTIONAL_SECRETS if getattr(self, name) and not _long_enough(getattr(self, name))]
        if wrong:
            names = ", ".join(name.upper() for name in wrong)
            raise ValueError(
                f"{names}: in {self.environment} each must be a random value of at least {MIN_SECRET_LENGTH} characters"
            )
        return self

    @model_validator(mode="after")
    def _refuse_one_secret_for_two_things(self) -> Self:
        """Whoever learns one secret must not learn another by it."""
        if self.environment == "development":
            return self
        seen: dict[str, str] = {}
        for name in (*_REQUIRED_SECRETS, *_OPTIONAL_SECRETS):
            secret: SecretStr | None = getattr(self, name)
            if secret and (other := seen.setdefault(secret.get_secret_value(), name)) != name:
                raise ValueError(f"{other.upper()}, {name.upper()}: must differ from one another")
        return self

    @model_validator(mode="after")
    def _storage_is_whole(self) -> Self:
        if self.storage_endpoint_url and not (self.storage_access_key and self.storage_secret_key):
            raise ValueError("STORAGE_ENDPOINT_URL: needs STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY")
        return self

    @model_validator(mode="after")
    def _urls_have_their_scheme(self) -> Self:
        if self.database_url and not self.database_url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("DATABASE_URL: must begin with postgresql://")
        if self.redis_url and not self.redis_url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("REDIS_URL: must begin with redis://, rediss:// or unix://")
        wrong = [origin for origin in self.allowed_origins if not _ORIGIN.fullmatch(origin)]
        if wrong:
            raise ValueError(f"ALLOWED_ORIGINS: {wrong[0]!r} is not an origin such as https://www.example.com")
        for name in _URLS:
            value = getattr(self, name)
            if value and not value.startswith(("http://", "https://")):
                raise ValueError(f"{name.upper()}: must begin with http:// or https://")
        return self

    @model_validator(mode="after")
    def _lists_hold_what_they_say(self) -> Self:
        """What is silently passed over later: a proxy that is none, a header without its value."""
        for proxy in self.trusted_proxies:
            if proxy != "*" and not _is_network(proxy):
                raise ValueError(f"TRUSTED_PROXIES: {proxy!r} is no address, no network such as 10.0.0.0/8, and not *")
        if any("=" not in part for part in (self.otel_exporter_headers or "=").split(",") if part.strip()):
            raise ValueError("OTEL_EXPORTER_HEADERS: must be key=value pairs, separated by commas")
        if not _MAIL.fullmatch(self.xin_admin_email):
            raise ValueError(f"XIN_ADMIN_EMAIL: {self.xin_admin_email!r} is no e-mail address")
        return self

    @model_validator(mode="after")
    def _oidc_is_whole(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("OIDC_ISSUER: needs OIDC_CLIENT_ID")
        if self.oidc_issuer and self.environment != "development" and not self.oidc_issuer.startswith("https://"):
            raise ValueError(f"OIDC_ISSUER: in {self.environment} it must begin with https://")
        return self

    @property
    def orchestrator_public_url(self) -> str:
        """The address of console and API as browsers see it, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.orchestrator_port}").rstrip("/")

    @property
    def gateway_url(self) -> str:
        """The public address of the channel gateway, without a slash at the end."""
        return (self.gateway_public_url or f"http://{self.host}:{self.gateway_port}").rstrip("/")

    @property
    def data_dir(self) -> Path:
        """The absolute data folder: database, files, exports, logs."""
        return self.xin_data_dir.expanduser().resolve()

    def require_data_dir(self) -> None:
        """Raise where a command would make a new, empty platform: none is there, and nobody named a place for one."""
        if not self._data_dir_is_named and not self.data_dir.exists():
            raise ConfigurationError(
                f"XIN_DATA_DIR: there is no platform in {self.data_dir}; name the data folder of yours, or start one "
                "(`xin run`)"
            )

    @property
    def backup_folder(self) -> Path:
        """The absolute folder of backups, by default below the data folder."""
        return (self.backup_dir or self.data_dir / "backups").expanduser().resolve()

    def folder(self, name: Literal["transcripts", "tickets", "uploads", "logs"]) -> Path:
        """Return the folder for exports or rotating files, by default below the data folder."""
        configured: Path | None = getattr(self, f"{name}_dir")
        return (configured or self.data_dir / name).expanduser().resolve()


_URLS = (
    "public_url",
    "gateway_public_url",
    "orchestrator_url",
    "qdrant_url",
    "storage_endpoint_url",
    "openai_base_url",
    "otel_exporter_endpoint",
    "oidc_issuer",
)
_REQUIRED_SECRETS = (
    "admin_jwt_secret",
    "embed_jwt_secret",
    "gateway_webhook_secret",
    "log_token",
    "xin_encryption_keys",
)
_OPTIONAL_SECRETS = (
    "gateway_token",
    "admin_jwt_secret_previous",
    "embed_jwt_secret_previous",
    "backup_passphrase",
)


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _long_enough(secret: SecretStr | None) -> bool:
    """Whether a secret is long, and not the same few characters over and over."""
    value = secret.get_secret_value() if secret else ""
    return len(value) >= MIN_SECRET_LENGTH and len(set(value)) >= _MIN_DIFFERENT


def load_settings(env_file: Path | None = DOTENV) -> Settings:
    """Read the environment over a file of settings, and return valid settings.

    Args:
        env_file: `.env` is that of the working folder, else the checkout's; None: no file is read.

    Raises:
        ConfigurationError: a value is bad, or a variable of ours is unknown; the message names it.
    """
    file = usual_env_file() if env_file == DOTENV else env_file
    from_file = read_env_file(file) if file else {}
    _refuse_unknown(from_file)
    own = set(Settings.model_fields)
    values = {k.lower(): v for k, v in from_file.items() if k.upper() not in os.environ and v}
    named = bool(os.environ.get("XIN_DATA_DIR") or values.get("xin_data_dir"))
    try:
        settings = Settings(**{k: v for k, v in values.items() if k in own})  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigurationError(_in_words(error)) from None
    if not named:
        settings = settings.model_copy(update={"xin_data_dir": usual_data_dir()})
        settings._data_dir_is_named = False  # noqa: SLF001 - only who reads the environment knows
    return settings


def _refuse_unknown(from_file: dict[str, str | None]) -> None:
    """Refuse an unknown name: in `.env` any, in the environment those with our prefix."""
    known = {name.upper() for name in Settings.model_fields}
    named = {*from_file, *(name for name in os.environ if name.startswith(_OWN_PREFIX))}
    unknown = sorted(name for name in named if name.upper() not in known)
    if unknown:
        raise ConfigurationError(f"unknown setting: {', '.join(unknown)} (see docs/SETTINGS.md for every name)")


def _in_words(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"][:1]).upper()
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{name}: {message}" if name else message)
    return "; ".join(lines)


__all__ = ["ConfigurationError", "Settings", "load_settings"]

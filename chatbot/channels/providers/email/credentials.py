"""What connects an e-mail address: where its mail comes in and where it goes out."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, SecretStr, model_validator

from chatbot.channels.contract import Credentials

Security = Literal["tls", "starttls", "none"]
Inbound = Literal["imap", "sendgrid", "mailgun", "postmark", "resend"]

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("must be a plain e-mail address such as support@example.com")
    return value.lower()


def _host(value: str) -> str:
    if value and not _HOST.fullmatch(value):
        raise ValueError("must be a host name or an IP address, without a port")
    return value.lower()


def _one_line(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("must not hold control characters")
    return value


def _secret_line(value: SecretStr) -> SecretStr:
    _one_line(value.get_secret_value())
    return value


Line = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
Host = Annotated[str, Field(max_length=253), AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65535)]
Secret = Annotated[SecretStr, Field(max_length=1_000), AfterValidator(_secret_line)]


def _with(*ways: Inbound, needed: bool = False) -> dict[str, JsonValue]:
    """Mark what only some ways in need: a form shows it with these; `needed`: and asks for it."""
    return {"only_with": {"inbound": list(ways)}, "needed": needed}


class EmailCredentials(Credentials):
    """An address, its way in and its way out."""

    address: Annotated[str, AfterValidator(_address)] = Field(description="The address that customers write to.")
    display_name: Line = Field("", description="The sender's name in answers, such as the brand.")
    inbound: Inbound = Field("imap", description="Where mail comes in: a mailbox, or a mail service's webhook.")
    plus_addressing: bool = Field(
        False,
        description="Let replies go to `address+token`, which finds the conversation even when a mail program drops "
        "the headers of replies. Only for mail servers that deliver such addresses.",
    )
    authserv_id: Host = Field(
        "",
        description="The name with which the server that receives mail for this address begins the header "
        "`Authentication-Results`, such as mx.example.com. A mail that it found genuine then finds its "
        "conversation by the subject, too. Only for servers that remove headers of this name which mails bring along.",
    )

    imap_host: Host = Field(
        "", description="Host of the mailbox, with `inbound: imap`.", json_schema_extra=_with("imap", needed=True)
    )
    imap_port: Port = Field(993, description="993 for `tls`, 143 for `starttls`.", json_schema_extra=_with("imap"))
    imap_security: Security = Field(
        "tls", description="`none` sends the password in clear: own networks only.", json_schema_extra=_with("imap")
    )
    imap_username: Line = Field(
        "", description="Login of the mailbox; the address when empty.", json_schema_extra=_with("imap")
    )
    imap_password: Secret | None = Field(
        None,
        description="Password (often an app password) of the mailbox.",
        json_schema_extra=_with("imap", needed=True),
    )
    imap_folder: Line = Field(
        "INBOX", min_length=1, description="Folder that is read; it is never changed.", json_schema_extra=_with("imap")
    )

    smtp_host: Host = Field(min_length=1, description="Host that takes our answers.")
    smtp_port: Port = Field(587, description="587 for `starttls`, 465 for `tls`.")
    smtp_security: Security = Field("starttls", description="`none` sends the password in clear: own networks only.")
    smtp_username: Line = Field("", description="Login for sending; the address when empty.")
    smtp_password: Secret | None = Field(None, description="Password for sending; without one nobody logs in.")
    ca_certificate: str = Field(
        "", max_length=100_000, description="PEM of a private certificate authority of these hosts, if they have one."
    )

    signing_key: Secret | None = Field(
        None, description="Mailgun: the HTTP webhook signing key.", json_schema_extra=_with("mailgun")
    )
    signing_secret: Secret | None = Field(
        None, description="Resend: the webhook's secret, `whsec_…`.", json_schema_extra=_with("resend")
    )
    api_key: Secret | None = Field(
        None, description="Resend: a key that may read received mail.", json_schema_extra=_with("resend")
    )
    public_key: str = Field(
        "",
        max_length=1_000,
        description="SendGrid: verification key of the signed event webhook.",
        json_schema_extra=_with("sendgrid"),
    )
    webhook_username: Line = Field(
        "",
        description="SendGrid, Postmark: user of HTTP basic authentication.",
        json_schema_extra=_with("sendgrid", "postmark"),
    )
    webhook_password: Secret | None = Field(
        None, description="SendGrid, Postmark: its password.", json_schema_extra=_with("sendgrid", "postmark")
    )
    api_url: str = Field(
        "https://api.resend.com",
        max_length=500,
        description="Resend: base address of its API.",
        json_schema_extra=_with("resend"),
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.inbound == "imap" and not (self.imap_host and self.imap_password):
            raise ValueError("imap_host and imap_password are needed with inbound: imap")
        return self

    @classmethod
    def way_of(cls, secret: str) -> list[str]:
        """A password goes to its own server, a key to the service's API; the others prove what comes in."""
        server = secret.removesuffix("_password")
        if server in ("imap", "smtp"):
            return [f"{server}_{part}" for part in ("host", "port", "security")]
        return ["api_url"] if secret == "api_key" else []  # noqa: S105 - a field's name

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.address.rpartition("@")[2]

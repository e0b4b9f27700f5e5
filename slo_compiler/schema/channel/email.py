"""An e-mail."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from slo_compiler.schema.base import invalid, shown
from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.texts import Line, SecretFile, Text
from slo_compiler.schema.url import is_port


def _address(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[^\s@,<>{}]+@[^\s@,<>{}]+", value):
        raise invalid("email-address", f"{shown(value)} is not an e-mail address")
    return value


def _host_port(value: object) -> object:
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if isinstance(value, str) and not (re.fullmatch(r"[^\s:/@]+", host) and is_port(port)):
        raise invalid("host-port", f"{shown(value)} is not host:port", "such as mail.example:587")
    return value


Address = Annotated[Text, BeforeValidator(_address)]


class Email(ChannelKind):
    """E-mail; server and sender come from the base configuration unless they are given here."""

    KIND: ClassVar = "email"
    FIELD: ClassVar = "email_configs"
    GLOBALS: ClassVar = {"smarthost": ("smtp_smarthost",), "from_": ("smtp_from",)}
    INLINE_SECRETS: ClassVar = {
        "auth_password": "auth_password_file",
        "auth_secret": "auth_password_file",
    }

    to: list[Address] = Field(min_length=1)
    from_: Address | None = Field(default=None, alias="from")
    smarthost: Annotated[Text, BeforeValidator(_host_port)] | None = None
    require_tls: bool | None = None
    auth_username: Line | None = None
    auth_password_file: SecretFile | None = None

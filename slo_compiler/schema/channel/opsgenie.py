"""An alert in Opsgenie."""

from __future__ import annotations

from typing import ClassVar, Literal

from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.texts import SecretFile
from slo_compiler.schema.url import Url


class Opsgenie(ChannelKind):
    """Opsgenie."""

    KIND: ClassVar = "opsgenie"
    FIELD: ClassVar = "opsgenie_configs"
    INLINE_SECRETS: ClassVar = {"api_key": "api_key_file"}

    api_key_file: SecretFile
    api_url: Url | None = None
    priority: Literal["P1", "P2", "P3", "P4", "P5"] | None = None

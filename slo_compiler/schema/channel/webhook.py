"""A POST of Alertmanager's own JSON."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from slo_compiler.schema.base import OneOf
from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.texts import SecretFile
from slo_compiler.schema.url import Url


class Webhook(ChannelKind, OneOf):
    """A webhook; put its URL into a file where the URL itself is a secret."""

    KIND: ClassVar = "webhook"
    FIELD: ClassVar = "webhook_configs"
    ONE_OF: ClassVar = ("url", "url_file")
    # 0.26 has the field, but crashes on it until 0.28 (alertmanager #3800).
    SINCE: ClassVar = {"url_file": "0.28"}

    url: Url | None = None
    url_file: SecretFile | None = None
    max_alerts: Annotated[int, Field(ge=0)] = 0

"""A message in a Slack channel."""

from __future__ import annotations

from typing import ClassVar

from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.texts import Line, SecretFile


class Slack(ChannelKind):
    """Slack; without `api_url_file` the global one of the base configuration is used."""

    KIND: ClassVar = "slack"
    FIELD: ClassVar = "slack_configs"
    GLOBALS: ClassVar = {"api_url_file": ("slack_api_url", "slack_api_url_file")}
    INLINE_SECRETS: ClassVar = {"api_url": "api_url_file"}

    channel: Line
    api_url_file: SecretFile | None = None

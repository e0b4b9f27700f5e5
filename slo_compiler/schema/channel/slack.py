"""A message in a Slack channel."""

from __future__ import annotations

from typing import ClassVar

from slo_compiler.schema.base import Line, SecretFile
from slo_compiler.schema.channel.base import ChannelKind


class Slack(ChannelKind):
    """Slack; without `api_url_file` the global one of the base configuration is used."""

    KIND: ClassVar = "slack"
    FIELD: ClassVar = "slack_configs"
    GLOBALS: ClassVar = {"api_url_file": ("slack_api_url", "slack_api_url_file")}
    INLINE_SECRETS: ClassVar = {"api_url": "api_url_file"}

    channel: Line
    api_url_file: SecretFile | None = None

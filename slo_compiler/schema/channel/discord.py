"""A message in a Discord channel."""

from __future__ import annotations

from typing import ClassVar

from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.texts import SecretFile


class Discord(ChannelKind):
    """Discord."""

    KIND: ClassVar = "discord"
    FIELD: ClassVar = "discord_configs"
    # 0.27 has the field, but reads it wrongly until 0.28 (alertmanager #3728).
    SINCE: ClassVar = {"": "0.28"}
    INLINE_SECRETS: ClassVar = {"webhook_url": "webhook_url_file"}

    webhook_url_file: SecretFile

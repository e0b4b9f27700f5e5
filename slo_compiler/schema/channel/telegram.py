"""A message in a Telegram chat."""

from __future__ import annotations

from typing import ClassVar

from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.texts import SecretFile
from slo_compiler.schema.url import Url


class Telegram(ChannelKind):
    """Telegram."""

    KIND: ClassVar = "telegram"
    FIELD: ClassVar = "telegram_configs"
    SINCE: ClassVar = {"": "0.26", "message_thread_id": "0.28"}
    INLINE_SECRETS: ClassVar = {"bot_token": "bot_token_file"}

    bot_token_file: SecretFile
    chat_id: int
    message_thread_id: int | None = None
    api_url: Url | None = None

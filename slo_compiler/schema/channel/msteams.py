"""A card in a Microsoft Teams channel, through a workflow."""

from __future__ import annotations

from typing import ClassVar

from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.texts import SecretFile


class MSTeams(ChannelKind):
    """Microsoft Teams."""

    KIND: ClassVar = "msteams"
    FIELD: ClassVar = "msteamsv2_configs"  # the older msteams_configs needs retired connectors
    SINCE: ClassVar = {"": "0.28"}
    INLINE_SECRETS: ClassVar = {"webhook_url": "webhook_url_file"}

    webhook_url_file: SecretFile

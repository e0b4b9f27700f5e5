"""An incident in PagerDuty, through the Events API v2."""

from __future__ import annotations

from typing import ClassVar

from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.texts import SecretFile


class PagerDuty(ChannelKind):
    """PagerDuty."""

    KIND: ClassVar = "pagerduty"
    FIELD: ClassVar = "pagerduty_configs"
    INLINE_SECRETS: ClassVar = {
        "routing_key": "routing_key_file",
        "service_key": "routing_key_file",
    }

    routing_key_file: SecretFile

"""The kinds of channel: one file each, and one line in this tuple."""

from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.channel.discord import Discord
from slo_compiler.schema.channel.email import Email
from slo_compiler.schema.channel.msteams import MSTeams
from slo_compiler.schema.channel.opsgenie import Opsgenie
from slo_compiler.schema.channel.pagerduty import PagerDuty
from slo_compiler.schema.channel.slack import Slack
from slo_compiler.schema.channel.telegram import Telegram
from slo_compiler.schema.channel.webhook import Webhook

CHANNEL_KINDS: tuple[type[ChannelKind], ...] = (
    Slack,
    PagerDuty,
    Email,
    Webhook,
    Opsgenie,
    MSTeams,
    Discord,
    Telegram,
)

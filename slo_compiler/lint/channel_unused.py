"""A channel hears of nothing.

No step of the escalation notifies it. Often a step was meant to, and its alerts go elsewhere.

Fails:

    channels:
      - {name: chat, webhook: {url: "http://chat.internal/"}}
      - {name: oncall, webhook: {url: "http://oncall.internal/"}}
    escalation:
      - {severity: page, notify: [chat]}
      - {severity: ticket, notify: [chat]}

Passes:

    channels:
      - {name: chat, webhook: {url: "http://chat.internal/"}}
      - {name: oncall, webhook: {url: "http://oncall.internal/"}}
    escalation:
      - {severity: page, notify: [oncall, chat]}
      - {severity: ticket, notify: [chat]}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.manifest.resolve import ResolvedTenant

ID = "channel-unused"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the channels that no step names."""
    named = [name for step in tenant.steps for name in step.spec.notify]
    known = {channel.spec.name for channel in tenant.channels}
    if not named or not known.issuperset(named):
        return  # no steps, or a misspelled name, are errors: this may be the channel that is meant
    for channel in tenant.channels:
        if channel.spec.name not in named:
            yield Finding(
                channel.position,
                f'no step notifies the channel "{channel.spec.name}"',
                "name it in a step of spec.escalation, or remove it",
            )

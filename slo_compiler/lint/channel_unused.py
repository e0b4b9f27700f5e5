"""A channel is never notified.

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
from slo_compiler.resolve.model import ResolvedTenant

ID = "channel-unused"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the channels that no step names."""
    channels = [c["name"] for c in tenant.document.data["spec"].get("channels", ())]
    named = [name for step in tenant.steps for name in step.spec.notify]
    if not named or not {*named} <= {*channels}:
        return  # no steps, or a misspelled name, are errors: this may be the channel that is meant
    for index, name in enumerate(channels):
        if name not in named:
            yield Finding(
                tenant.document.locate(("spec", "channels", index, "name")),
                f'no step notifies the channel "{name}"',
                "name it in a step of spec.escalation, or remove it",
            )

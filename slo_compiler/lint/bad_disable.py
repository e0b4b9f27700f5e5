"""A comment that is to switch a lint off cannot be understood, or may not do so.

It needs the lint's ID and, after `--`, the reason: whoever reads the manifest next must be able to
judge whether it is still right. It is on the finding's line or on the line above; beside an SLO's
name it is for that SLO; beside the key of a text of several lines, for all of them. Without a
reason, with an unknown ID, or for a lint that the project has locked, it does nothing.

    # slo-compiler: disable=<ID>[,<ID>] -- <reason>

Fails:

    channels:
      # slo-compiler: disable=channel-unused
      - {name: chat, webhook: {url: "http://chat.internal/"}}

Passes:

    channels:
      - {name: chat, webhook: {url: "http://chat.internal/"}}
      # slo-compiler: disable=channel-unused -- for the move in May
      - {name: spare, webhook: {url: "http://spare.internal/"}}
"""

from slo_compiler.diagnostics import Severity

ID = "bad-disable"
SEVERITY = Severity.WARNING

"""A switch suppresses no finding.

What it was for has been repaired, or it is at the wrong line. Left there, it would hide the
next finding of its kind. A switch of the project file is judged only where all manifests are read.

Fails:

    # slo-compiler: disable=channel-unused -- for the move in May
    channels:
      - {name: chat, webhook: {url: "http://chat.internal/"}}

Passes:

    channels:
      - {name: chat, webhook: {url: "http://chat.internal/"}}
      # slo-compiler: disable=channel-unused -- for the move in May
      - {name: spare, webhook: {url: "http://spare.internal/"}}
"""

from slo_compiler.diagnostics import Severity

ID = "unused-disable"
SEVERITY = Severity.WARNING

"""The owner is a placeholder.

`metadata.owner` is on `slo_info`, so that people find out who owns it. A placeholder looks as if
it had an owner.

Fails:

    metadata: {name: customer-b, owner: TODO}

Passes:

    metadata: {name: customer-b, owner: customer-b-sre}
"""

import re
from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant

ID = "missing-owner"
SEVERITY = Severity.WARNING

_PLACEHOLDER = re.compile(
    r"todo|tb[ad]|fixme|change ?me|none|null|nil|n/?a|nobody|un(known|defined|owned|assigned)"
    r"|owner|team|me|some(one|body)|x+|[?. ]*",
    re.IGNORECASE,
)


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give tenants whose owner is a word that names no one."""
    if _PLACEHOLDER.fullmatch(tenant.owner.replace("-", " ").strip(" <>()[]")):
        yield Finding(
            tenant.document.locate(("metadata", "owner")),
            f'"{tenant.owner}" is a placeholder: it names no team',
            "name the team that answers for these SLOs",
        )

"""The front ends: one file each, and one line in this tuple.

A front end reads one kind of document into documents of tenants, before they are validated. Each
value keeps its place, so that a finding about it is at the line that its author wrote.
"""

from slo_compiler.frontend import native
from slo_compiler.frontend.base import FrontEnd

FRONT_ENDS: tuple[FrontEnd, ...] = (native.FRONT_END,)

"""Put verified files in place: all or none of them, only what changed, only what is ours.

    exclusive ► compare ► write

All new files are first written beside their places, under names that no server's glob matches, and
flushed to disk; only then is each renamed over the old one, the lock file last. What the system
refuses on the way leaves the folder as it was. A run that is killed leaves whole files, old and
new, which the next run completes; what else it left is cleared by the next.

Decision: the lock file knows what each file was, so that one edited by hand is not overwritten in
silence. The new lock is staged first, and is the journal of a killed run: what it names was
written by us, too. A journal is removed only by a run that reaches its end.

Decision: a file is ours if it begins with our mark, whether or not the lock file names it. A killed
run has written files that no lock names yet, and Prometheus would evaluate them for good.
"""

from slo_compiler.write.changes import Changes, compare, diff
from slo_compiler.write.locking import exclusive
from slo_compiler.write.owned import MARK
from slo_compiler.write.place import write
from slo_compiler.write.proof import FileState, FoundFile, states
from slo_compiler.write.record import lock, recorded

__all__ = [
    "MARK",
    "Changes",
    "FileState",
    "FoundFile",
    "compare",
    "diff",
    "exclusive",
    "lock",
    "recorded",
    "states",
    "write",
]

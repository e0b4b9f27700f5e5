"""The files of a git revision, in a temporary folder; nothing of the repo itself changes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from slo_compiler import process


class RevisionError(Exception):
    """There is no such revision, or git cannot be run; the message says which."""


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """Give a folder's content as it is in a revision of its repo.

    Args:
        revision: a commit, branch, tag or whatever git takes for one.
        folder: a folder in the work tree of a repo.

    Raises:
        RevisionError: as above.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    commit = _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    inside = os.path.relpath(os.path.realpath(folder), os.path.realpath(top))
    with tempfile.TemporaryDirectory(prefix="slo-compiler-") as name:
        files = Path(name) / "files"
        files.mkdir()
        # An index of its own: that of the repo, and its work tree, stay as they are.
        index = {"GIT_INDEX_FILE": str(Path(name) / "index")}
        _git(Path(top), "read-tree", commit, environment=index)
        _git(Path(top), "checkout-index", "--all", f"--prefix={files}/", environment=index)
        yield files / inside


def is_in_repo(folder: Path) -> bool:
    """Whether a folder is in the work tree of a git repo."""
    try:
        _git(folder, "rev-parse", "--show-toplevel")
    except RevisionError:
        return False
    return True


def _git(
    folder: Path, *words: str, environment: dict[str, str] | None = None, whole: bool = False
) -> str:
    try:
        done = process.run(
            ["git", "-C", folder, *words],
            environment={**os.environ, "GIT_LITERAL_PATHSPECS": "1", **(environment or {})},
            merged=False,
        )
    except process.ProcessError as error:
        raise RevisionError(str(error)) from error
    if done.code:
        revision = words[-1].removesuffix("^{commit}")
        errors = done.stderr.strip().splitlines()
        raise RevisionError(errors[-1] if errors else f'no revision "{revision}"')
    return done.stdout if whole else done.stdout.strip()


def commit_of(folder: Path, digests: Mapping[str, str]) -> str | None:
    """Find the newest commit in which files have these contents; None if there is none.

    Args:
        folder: what the paths are relative to, in the work tree of a repo.
        digests: of each path, how the SHA-256 of its content begins.

    Raises:
        RevisionError: git cannot be run, or the folder is in no repo.
    """
    commits = _git(folder, "log", f"--max-count={_SEARCHED}", "--format=%H", "--", *digests)
    return next((c for c in commits.split() if _contains(folder, c, digests)), None)


def described(folder: Path, commit: str) -> str:
    """Return which commit it is: `1a2b3c4d of 2026-11-20`."""
    return _git(folder, "show", "--no-patch", "--format=%h of %cs", commit)


_SEARCHED = 500  # commits, of those that changed one of the files


def _contains(folder: Path, commit: str, digests: Mapping[str, str]) -> bool:
    for path, digest in digests.items():
        try:
            content = _git(folder, "show", f"{commit}:./{path}", whole=True)
        except RevisionError:  # the file is not there
            return False
        if not hashlib.sha256(content.encode()).hexdigest().startswith(digest):
            return False
    return True

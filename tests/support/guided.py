"""Let libFuzzer change texts, guided by the branches of the compiler that they reach (atheris).

`python -m guided TARGET FOLDER SECONDS` does so and leaves what it found in the folder;
`python -m guided TARGET FILE` runs what it found once more.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["slo_compiler"]):  # these import it
    import fuzz_properties as properties
    from cases import MANIFESTS
    from escapes import classes
    from fuzzing import (
        ATOMS,
        FILES,
        PROJECT_FILE,
        TENANT,
        TOKENS,
        Project,
        manifests,
        written_queries,
    )

    from slo_compiler import pipeline
    from slo_compiler.diagnostics import Report
    from slo_compiler.source import SourceFile
    from slo_compiler.unit import Environment, compile_unit

LONGEST = 4_096  # bytes of an input
HANGS = 60  # seconds that end an input, whatever its length
SECOND = 1.0  # of CPU time for each kilobyte: the branches are counted meanwhile
_WORD = re.compile(r"[\w$:./-]{2,40}|[^\w\s]{1,3}")


def query(data: bytes) -> bool:
    """A query, byte by byte."""
    return properties.query_is_refused_or_confined(_text(data))


def manifest(data: bytes) -> bool:
    """A manifest, byte by byte; with the other tenant's where it compiles by itself."""
    file = SourceFile(TENANT, TENANT, data)
    unit = compile_unit(_environment(), file)
    assert compile_unit(_environment(), file).diagnostics == unit.diagnostics
    project = Project(TENANT, FILES | {TENANT: _text(data)})
    return not unit.failed and properties.project_is_refused_or_confined(project)


@cache
def _environment() -> Environment:
    with properties.folder_of(FILES) as folder:
        return pipeline.read_shared(
            pipeline.read_project(folder / PROJECT_FILE, report := Report()), report
        ).environment


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


TARGETS: dict[str, Callable[[bytes], bool]] = {"query": query, "manifest": manifest}


def seeds(name: str) -> list[bytes]:
    """Give what a target begins with: texts of good will, and escapes."""
    every = [case for one in classes() for case in one.cases]
    cases = [path.read_text(encoding="utf-8") for path in sorted(MANIFESTS.glob("*.yaml"))]
    texts = [*manifests(), *cases, *(case.manifest for case in every)]
    if name == "query":
        texts = [*written_queries(), *(case.query for case in every if case.query)]
    return [text.encode("utf-8", "surrogatepass") for text in dict.fromkeys(texts)]


def dictionary(texts: Iterable[bytes]) -> str:
    """Give words for libFuzzer to put into a text: those of the seeds, and hostile ones."""
    found = Counter(word for text in texts for word in set(_WORD.findall(text.decode())))
    hostile = [str(word) for word in (*ATOMS, *TOKENS) if isinstance(word, str)]
    words = [word for word, count in found.most_common(600) if count > 1]
    printed = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in (*words, *hostile))
    return "".join(f'"{word}"\n' for word in dict.fromkeys(printed) if word)


def changed(texts: Iterable[bytes]) -> Callable[[bytes, int, int], bytes]:
    """Give a mutator of lines: a change of bytes hardly ever leaves a manifest YAML."""
    others = [text.split(b"\n") for text in texts]
    atoms = [json.dumps(atom).encode() for atom in ATOMS]

    def change(data: bytes, longest: int, number: int) -> bytes:
        draw = random.Random(number)  # noqa: S311  (no secret)
        lines, other = data.split(b"\n"), draw.choice(others)
        at, there = draw.randrange(len(lines)), draw.randrange(len(other))
        match draw.randrange(6):
            case 0:
                lines[at : at + draw.randrange(4)] = []
            case 1:
                lines[at:at] = other[there : there + draw.randrange(1, 8)]
            case 2:
                key, separator, _ = lines[at].partition(b": ")
                lines[at] = key + (separator or b": ") + draw.choice(atoms)
            case _:
                changed: bytes = atheris.Mutate(data, longest)
                return changed
        return b"\n".join(lines)[:longest]

    return change


class Run:
    """Runs a target on each input, and records what raises: each place once."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self.name, self.folder = name, folder
        self.counts, self.places = Counter[str](), set[str]()

    def __call__(self, data: bytes) -> None:
        """Run the target on one input."""
        before = time.process_time()
        try:
            self.counts["accepted"] += bool(TARGETS[self.name](data))
            spent, allowed = time.process_time() - before, SECOND * (1 + len(data) / 1_000)
            assert spent <= allowed, f"{spent:.1f} s of CPU time for {len(data):,} bytes"
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  (the parser's panic is no Exception)
            self._record(data, error)
        self.counts["executions"] += 1
        if self.counts["executions"] % 20 == 0:
            self._save()

    def _record(self, data: bytes, error: BaseException) -> None:
        *_, last = traceback.extract_tb(error.__traceback__)
        place = f"{type(error).__name__} {last.filename}:{last.lineno}"
        if place in self.places:
            return
        self.places.add(place)
        if self.folder:
            self.counts["findings"] += 1
            path = self.folder / "findings" / f"raised-{sha256(data).hexdigest()[:12]}"
            path.write_bytes(data)
            print(f"--- guided {self.name}: {path}")  # noqa: T201
            self._save()
        traceback.print_exception(error, limit=-6, file=sys.stdout)
        sys.stdout.flush()

    def _save(self) -> None:
        if self.folder:
            (self.folder / "counts.json").write_text(json.dumps(self.counts), encoding="utf-8")


def main(name: str, path: Path, seconds: str = "") -> None:
    """Run a target on one file, or from a folder's corpus for so many seconds."""
    if not seconds:
        Run(name)(path.read_bytes())
        return
    for folder in ("corpus", "seeds", "findings"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    texts = seeds(name)
    for number, text in enumerate(texts):
        (path / "seeds" / f"{number:04}").write_bytes(text)
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={HANGS}"]
    options += [f"-artifact_prefix={path / 'findings'}/", "-rss_limit_mb=4096"]
    (path / "words").write_text(dictionary(texts), encoding="utf-8")
    options += [f"-dict={path / 'words'}", str(path / "corpus"), str(path / "seeds")]
    lines = {"custom_mutator": changed(texts)} if name == "manifest" else {}
    atheris.Setup([sys.argv[0], *options], Run(name, path), **lines)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])

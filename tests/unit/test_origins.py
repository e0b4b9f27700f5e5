"""Digests and lines in the output are those of the manifests: the goldens mask both."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from cases import CASES, REPOS, VOCABULARY, WORDS, compiled
from loading import loaded

from slo_compiler import naming

ROOTS = {**REPOS, **dict.fromkeys(WORDS, VOCABULARY)}


@pytest.mark.parametrize("case", CASES)
def test_lock_of_each_case_has_the_digest_of_each_output(case: str) -> None:
    files = {artefact.path: artefact.text for artefact in compiled(case).artefacts}
    lock = json.loads(files.pop(naming.LOCK_FILE))
    assert lock["outputs"] == {
        path: hashlib.sha256(text.encode()).hexdigest() for path, text in files.items()
    }


@pytest.mark.parametrize("case", ROOTS)
def test_manifest_annotation_has_the_first_digits_of_the_files_digest(case: str) -> None:
    found = {
        tuple(origin)
        for artefact in compiled(case).artefacts
        for origin in re.findall(r"(\S+\.yaml) sha256:([0-9a-f]+)", artefact.text.replace('"', " "))
    }
    assert found
    for path, digest in found:
        whole = hashlib.sha256((ROOTS[case] / path).read_bytes()).hexdigest()
        assert (len(digest), whole[:12]) == (12, digest), path


@pytest.mark.parametrize("case", ROOTS)
def test_route_of_each_alert_names_the_line_on_which_its_slo_begins(case: str) -> None:
    (text,) = (a.text for a in compiled(case).artefacts if a.path == naming.ROUTES_FILE)
    routes = loaded(text)["routes"]
    alerts = [r for r in routes if r["labels"]["alertname"] == naming.ALERT_BURN]
    assert alerts
    for route in alerts:
        path, line = route["manifest"].rsplit(":", 1)
        lines = (ROOTS[case] / path).read_text(encoding="utf-8").splitlines()
        item = re.match(r"\s*- ", lines[int(line) - 1])
        assert item, route["manifest"]
        rest = "\n".join(lines[int(line) - 1 :])
        (block,) = re.findall(rf"\A{item[0]}.*(?:\n(?:{' ' * item.end()}.*)?)*", rest)
        assert {route["labels"]["slo"], "template"} & {*re.findall(r"[\w-]+", block)}, block

"""Reports for tests: of the cases, and of manifests with markup in all of their texts."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

MARKUP = "</script><img src=x onerror=alert(1)>"
VOID = {"meta", "link", "br", "input", "img", "hr"}
HOSTILE_PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec: {sources: [tenants/], alertmanager: {base: base.yml}}
"""
HOSTILE_BASE = f"""\
route: {{receiver: "{MARKUP}"}}
receivers: [{{name: "{MARKUP}"}}]
"""
HOSTILE_TENANT = f"""\
apiVersion: slo-compiler/v1
kind: Tenant
metadata:
  name: acme
  owner: "{MARKUP}"
  labels: {{note: "{MARKUP}"}}
spec:
  defaults: {{labels: {{more: "{MARKUP} `"}}}}
  channels:
    - {{name: oncall, slack: {{channel: "#{MARKUP}", api_url_file: /etc/slack}}}}
  escalation:
    - {{severity: page, notify: [oncall]}}
    - {{severity: ticket, notify: [oncall]}}
  exclusions:
    - name: patch
      weekdays: ["sunday"]
      times: ["02:00-04:00"]
      location: UTC
      from: 2026-01-01
      until: 2027-12-31
  slos:
    - name: availability
      service: checkout
      description: "{MARKUP} << 7 * 7 >> <% x %> ${{7 * 7}}"
      objective: 99.9
      labels: {{own: "{MARKUP}"}}
      sli:
        ratio:
          errors: 'http_requests_total{{job="{MARKUP}", code=~"5.."}}'
          total: 'http_requests_total{{job="{MARKUP}"}}'
      alerting:
        runbook: 'https://runbooks.example/{quote(MARKUP)}'
        labels: {{alert: "{MARKUP}"}}
        annotations: {{say: "{MARKUP}"}}
"""


def write_hostile(folder: Path) -> None:
    """Write a project with markup in each text that manifests may hold."""
    (folder / "tenants").mkdir()
    (folder / "slo-compiler.yaml").write_text(HOSTILE_PROJECT, encoding="utf-8")
    (folder / "base.yml").write_text(HOSTILE_BASE, encoding="utf-8")
    (folder / "tenants/acme.yaml").write_text(HOSTILE_TENANT, encoding="utf-8")


class Page(HTMLParser):
    """A page's elements; one that is not closed, or closed twice, is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {tag} {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    def all(self, attribute: str) -> list[str]:
        """Give the values of an attribute, in order."""
        return [str(attrs[attribute]) for _, attrs in self.elements if attribute in attrs]

    @property
    def scripts(self) -> list[str]:
        """Give the texts of the scripts: the data, then the program."""
        return self.texts["script"]

    @property
    def data(self) -> dict[str, Any]:
        """Give the data that the page draws."""
        found: dict[str, Any] = json.loads(self.scripts[0])
        return found

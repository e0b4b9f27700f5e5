"""Text of users that looks like the placeholders of shapes comes out as it went in."""

from __future__ import annotations

from slo_compiler import api

# The placeholders of render/shape.py and of promql/tree.py, as YAML's escapes.
MARKS = "".join(f"\\uE00{digit}" for digit in range(6)) + "0"
WRITTEN = "".join(map(chr, range(0xE000, 0xE006))) + "0"
TENANT = f"""\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: acme, owner: acme-sre}}
spec:
  defaults: {{period: 30d, objective: 99.9}}
  channels: [{{name: chat, webhook: {{url: "http://chat.internal/acme"}}}}]
  escalation:
    - {{severity: page, notify: [chat]}}
    - {{severity: ticket, notify: [chat]}}
  slos:
    - name: availability
      service: shop
      description: "Orders {MARKS} are taken"
      sli:
        ratio:
          errors: "http_requests_total{{job=\\"a{MARKS}\\", code=~\\"5..\\"}}"
          total: "http_requests_total{{job=\\"a{MARKS}\\"}}"
      alerting:
        runbook: "https://runbooks.example/{MARKS}"
        annotations: {{note: "{MARKS}"}}
"""


def test_text_with_placeholders_is_in_rules_and_proofs_as_it_was_written() -> None:
    found = api.compile_text(TENANT)
    assert [d.message for d in found.diagnostics if d.severity == "error"] == []
    rules = found.artefacts["prometheus/rules/acme.yml"]
    queries = [line for line in rules.splitlines() if "http_requests_total" in line]
    assert len(queries) > 1
    assert all(f'job="a{WRITTEN}"' in line for line in queries)
    assert f"Orders {WRITTEN} are taken" in rules
    assert f"https://runbooks.example/{WRITTEN}" in rules
    assert f'note: "{WRITTEN}"' in rules
    proofs = [text for path, text in found.artefacts.items() if "tests/" in path]
    series = f'job=\\"a{WRITTEN}\\"'
    assert any(series in text for text in proofs)

"""The report: one HTML file with all tenants, SLOs, alerts and routes of a project.

    facts (plain data) ► page (data and templates ► HTML)

Decision: Python does the arithmetic, once for all SLOs of the same objective and tiers; the browser
draws it. A drawing of each SLO in the file would make it five times as large. The catalogue itself
is a table in the HTML, which prints and which needs no script.
"""

from slo_compiler.catalogue.facts import ReportFacts, facts_of
from slo_compiler.catalogue.page import page

__all__ = ["ReportFacts", "facts_of", "page"]

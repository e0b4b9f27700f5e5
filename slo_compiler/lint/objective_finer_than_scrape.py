"""The budget of the whole period is less than one sample.

A gauge such as `probe_success` is counted by its samples, and time slices by the slice. Of 30 days
at 15 seconds 99.99999 allows 0.017 samples: one failed probe spends the budget sixty times. An
objective cannot be finer than what is measured. More targets under one SLO make more samples.

Fails:

    objective: 99.99999
    sli: {availability: {gauge: "probe_success{job=\\"checkout\\"}"}}

Passes:

    objective: 99.99
    sli: {availability: {gauge: "probe_success{job=\\"checkout\\"}"}}
"""

from collections.abc import Iterator
from fractions import Fraction

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.plan import burn
from slo_compiler.plan.traffic import rounded
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema.sli.availability import Availability
from slo_compiler.schema.sli.threshold import Threshold

ID = "objective-finer-than-scrape"
SEVERITY = Severity.WARNING

_SAMPLED = (Availability.KIND, Threshold.KIND)  # each sample is good or bad as a whole


def check(tenant: ResolvedTenant, context: Context) -> Iterator[Finding]:
    """Give the SLOs that are counted by samples or slices, of which the budget is less than one."""
    scrape = tenant.scrape or context.project.prometheus.scrape_interval
    for slo in tenant.slos:
        if slo.slices is not None:
            each, what = slo.slices.slice, "slice"
        elif slo.spec.sli.body.KIND in _SAMPLED:
            each, what = scrape, "sample"
        else:
            continue
        budget = burn.error_budget(slo.objective) * Fraction(slo.period.longest.ms, each.ms)
        if budget < 1:
            yield Finding(
                slo.at("objective") if slo.spec.objective else slo.at("name"),
                f"the budget of {slo.period} is {rounded(budget)} of a {what} of {each}: one that "
                "fails overspends it",
                f"lower the objective to {_finest(slo, Fraction(each.ms))} or less",
            )


def _finest(slo: ResolvedSLO, each: Fraction) -> str:
    """The highest objective of which one sample is the budget, rounded down, in percent."""
    share = 1 - each / slo.period.longest.ms
    places = 1
    while Fraction(int(share * 100 * 10**places), 10**places) < 100 * (2 * share - 1):
        places += 1
    return burn.literal(Fraction(int(share * 100 * 10**places), 10**places))

"""The results as JUnit XML, which CI systems show."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from slo_compiler.proofs.run.result import ProofResult


def junit(results: Sequence[ProofResult]) -> str:
    """Return the results as JUnit XML."""
    root = ET.Element("testsuites")
    for result in sorted(results, key=lambda r: (r.kind, r.name)):
        suite = ET.SubElement(
            root,
            "testsuite",
            name=f"{result.kind}: {result.name}",
            tests=str(len(result.tests)),
            failures=str(len({f.test for f in result.failures})),
            time=f"{result.seconds:.3f}",
        )
        for test in result.tests:
            case = ET.SubElement(suite, "testcase", name=test, classname=result.name)
            for failure in result.failures:
                if failure.test == test:
                    element = ET.SubElement(case, "failure", message=failure.message)
                    element.text = failure.origin
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"

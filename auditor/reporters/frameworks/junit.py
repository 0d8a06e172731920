"""Controls as JUnit's XML: a suite for each framework, a case for each control. What failed is a
failure; what was not assessed or is left to a person is skipped, and never a pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from auditor.frameworks.assessment import Assessed, ControlStatus, answered
from auditor.reporters.frameworks.view import View, looked, where
from auditor.reporters.junit import document, suite, xml_text


def render(view: View) -> str:
    """One XML document."""
    suites = [
        suite(answer.framework.id, [_case(one, view) for one in answer.controls])
        for answer in view.answers
    ]
    return document(suites)


def _case(one: Assessed, view: View) -> ET.Element:
    name = f"{one.name} {one.control.title}"
    case = ET.Element("testcase", classname=one.framework.id, name=xml_text(name))
    if one.status is ControlStatus.FAILED:
        failure = ET.SubElement(case, "failure", message=xml_text(one.control.title))
        failure.text = xml_text("\n".join(_findings(one, view)))
    elif one.status is not ControlStatus.PASSED:
        said = f"{one.status}: {'; '.join(one.why)}"
        ET.SubElement(case, "skipped", message=xml_text(said))
    if one.looks:
        evidence = [*map(looked, one.looks), *(f"partly: {part}" for part in one.partly)]
        ET.SubElement(case, "system-out").text = xml_text("\n".join(evidence))
    return case


def _findings(one: Assessed, view: View) -> Iterator[str]:
    for finding in one.findings:
        if not answered(finding):
            yield f"{where(view.told(finding))} {finding.ref}: {finding.message}".strip()

"""The report as JUnit's XML, which every CI server reads: a suite for each policy that was asked.

A finding is a test case that failed, one that somebody answers for is skipped, what could not be
seen is an error. A policy that was asked and found nothing is one case that passed; one that could
not be asked is never a pass. Form: https://github.com/testmoapp/junitxml, which is what Jenkins,
GitLab and Azure DevOps read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as ET

from auditor.model import Audit, Gap, Policy, Status
from auditor.reporters.lines import Told, told_of, unassessed
from auditor.reporters.view import View
from auditor.text import escaped

FAILING = frozenset((Status.OPEN,))


def render(audit: Audit, view: View) -> str:  # noqa: ARG001 - all reporters are called alike
    """The audit as one XML document."""
    suites = []
    unasked = unassessed(audit)
    by_policy: dict[str, list[Told]] = {}
    for told in told_of(audit):
        by_policy.setdefault(told.finding.policy.id, []).append(told)
    for policy in _asked(audit):
        cases = by_policy.get(policy.id, [])
        suites.append(suite(policy.id, [*_of_policy(policy, cases, unasked)]))
    gaps = [_gap(gap) for gap in audit.gaps]
    if gaps:
        suites.append(suite("what could not be seen", gaps))
    return document(suites)


def document(suites: Iterable[ET.Element]) -> str:
    """The suites as one XML document, with what they add up to."""
    root = ET.Element("testsuites", name="auditor")
    root.extend(suites)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(each.get(name, "0")) for each in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _asked(audit: Audit) -> Iterable[Policy]:
    known = {policy.id: policy for policy in audit.policies}
    return (known | {f.policy.id: f.policy for f in audit.findings}).values()


def _of_policy(policy: Policy, cases: list[Told], unasked: dict[str, str]) -> Iterator[ET.Element]:
    yield from map(_case, cases)
    if policy.id in unasked:
        case = ET.Element("testcase", classname=policy.id, name="not assessed")
        _child(case, "skipped", f"not assessed: {unasked[policy.id]}")
        yield case
    elif not cases:
        yield ET.Element("testcase", classname=policy.id, name=f"{policy.title}: no findings")


def suite(name: str, cases: list[ET.Element]) -> ET.Element:
    """The cases with what they add up to."""
    made = ET.Element("testsuite", name=name, tests=str(len(cases)))
    for told, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        made.set(told, str(sum(case.find(kind) is not None for case in cases)))
    made.extend(cases)
    return made


def _case(told: Told) -> ET.Element:
    finding = told.finding
    anchor = f" ({finding.anchor})" if finding.anchor else ""
    case = ET.Element(
        "testcase", classname=finding.policy.id, name=xml_text(f"{finding.ref}{anchor}")
    )
    if told.file:
        case.set("file", xml_text(told.file))
        case.set("line", str(told.line))
    if finding.status in FAILING:
        failure = _child(case, "failure", f"{finding.severity}: {finding.message}")
        failure.set("type", finding.severity.value)
        failure.text = xml_text("\n".join(_details(told)))
    else:
        _child(case, "skipped", f"{finding.status}: {finding.reason or finding.message}")
    return case


def _details(told: Told) -> Iterator[str]:
    yield f"{told.where} {told.finding.message}" if told.file else told.finding.message
    yield from (f"- {reason.message}" for reason in told.finding.evidence)
    if told.fix:
        yield told.fix


def _gap(gap: Gap) -> ET.Element:
    case = ET.Element("testcase", classname="gap", name=xml_text(gap.what))
    if gap.acknowledged:
        _child(case, "skipped", f"acknowledged: {gap.acknowledged}")
    else:
        _child(case, "error", gap.why).set("type", gap.severity.value)
    return case


def _child(case: ET.Element, kind: str, message: str) -> ET.Element:
    return ET.SubElement(case, kind, message=xml_text(message))


def xml_text(text: str) -> str:
    """The text without characters that XML has no way to write."""
    return "\n".join(map(escaped, text.split("\n")))

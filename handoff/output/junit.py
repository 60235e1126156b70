"""JUnit XML, which continuous integration shows as tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from handoff.output.printable import printable


@dataclass(frozen=True)
class JunitCase:
    """A test case.

    Attributes
    ----------
    group, name : str
        Class name and name of the case.
    failure : str
        Message of the failure; empty if the case passed.
    """

    group: str
    name: str
    failure: str = ""


def render_junit(suite: str, cases: Sequence[JunitCase]) -> bytes:
    """Return a test suite as a document. Control characters, which XML cannot have, are printed as escapes."""
    failures = str(sum(bool(case.failure) for case in cases))
    counts = {"tests": str(len(cases)), "failures": failures, "errors": "0"}
    root = ElementTree.Element("testsuites", counts)
    element = ElementTree.SubElement(root, "testsuite", {"name": printable(suite), **counts})
    for case in cases:
        entry = ElementTree.SubElement(element, "testcase", {"classname": printable(case.group), "name": printable(case.name)})
        if case.failure:
            ElementTree.SubElement(entry, "failure", {"message": printable(case.failure)})
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return document + b"\n"


__all__ = ["JunitCase", "render_junit"]

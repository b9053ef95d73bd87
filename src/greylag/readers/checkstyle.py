"""Reader of checkstyle XML, which linters of many languages write: PHP_CodeSniffer, php-cs-fixer, PHPStan."""

from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from greylag.model import Diagnostic, Severity
from greylag.readers._common import LARGEST, WORKSPACE, capped, locator, number, text, unreadable, word

_SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.INFO, "ignore": Severity.INFO}


def checkstyle_xml(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """The errors of all files; other output before and after the XML is passed over."""
    locate = locator(cwd, workspace)
    if len(data) > LARGEST:
        return (unreadable("checkstyle XML", f"{len(data)} bytes"),)
    begin, end = data.find(b"<checkstyle"), data.rfind(b">")
    try:
        root = fromstring(data[max(begin, 0) : end + 1], forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        return (unreadable("checkstyle XML", error),)
    return capped(
        Diagnostic(
            text(error.get("message")) or "no message",
            _SEVERITIES.get(error.get("severity", ""), Severity.ERROR),
            locate(file.get("name")),
            number(error.get("line")),
            number(error.get("column")),
            word(error.get("source")),
        )
        for file in root.iter("file")
        for error in file.iter("error")
    )

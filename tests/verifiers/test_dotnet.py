"""Solutions of .NET: what is found, how the tools are called, and reports in the form that is documented.

No tool of .NET made any of these reports; that it works with a real one is unproven.
"""

from greylag import readers
from greylag.model import Counts, Diagnostic, Phase, Severity
from greylag.testing.verifiers import detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.dotnet import DotNet

TESTS = '<Project><PackageReference Include="Microsoft.NET.Test.Sdk" /></Project>'
TRX = """<?xml version="1.0" encoding="utf-8"?>
<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
<Results>
<UnitTestResult testId="1" testName="Acme.CalcTests.Adds" outcome="Passed" />
<UnitTestResult testId="2" testName="Multiplies(a: 2)" outcome="Failed"><Output><ErrorInfo>
<Message>Assert.Equal() Failure</Message>
<StackTrace>   at Acme.CalcTests.Multiplies(Int32 a) in /workspace/tests/CalcTests.cs:line 12</StackTrace>
</ErrorInfo></Output></UnitTestResult>
<UnitTestResult testId="3" testName="Later" outcome="NotExecuted" />
</Results>
<TestDefinitions>
<UnitTest id="2"><TestMethod className="Acme.CalcTests" name="Multiplies" /></UnitTest>
</TestDefinitions>
</TestRun>"""


def test_the_outermost_solution_or_project_is_one() -> None:
    files = {"A.sln": "", "B.slnx": "", "src/a/a.csproj": "", "tests/t/t.csproj": TESTS}
    found = detect(DotNet(), files)
    assert [a.phase for a in found.values()] == [Phase.PREPARE, Phase.COMPILE, Phase.TEST]
    assert found["dotnet build"].reason == "B.slnx"
    assert found["dotnet test"].reason == "tests/t/t.csproj"
    found = detect(DotNet(), {"a/a.csproj": "", "b/B.sln": "", "b/c/c.fsproj": "", "samples/d/d.csproj": ""})
    assert {a.root for a in found.values()} == {"a", "b"}


def test_lock_files_are_kept_to() -> None:
    plan = detect(DotNet(), {"a.csproj": "", "packages.lock.json": ""})["dotnet restore"].plan
    assert isinstance(plan, Plan)
    assert plan.steps[0].arguments == ("restore", "./a.csproj", "--locked-mode")


def test_failed_tests_are_run_again_by_their_methods() -> None:
    plan = detect(DotNet(), {"a.csproj": TESTS})["dotnet test"].plan
    assert isinstance(plan, Plan)
    assert plan.steps[0].again
    failed = [Diagnostic("no", test=name) for name in ("Acme.CalcTests.Adds(a: 1)", "Acme.CalcTests.Adds(a: 2)")]
    assert plan.steps[0].again(failed)[-1] == "FullyQualifiedName~Acme.CalcTests.Adds"


def test_results_are_counted_and_located() -> None:
    counts, (failed,) = readers.trx(TRX.encode())
    assert (counts, counts.passed) == (Counts(2, 1, 1), ("Acme.CalcTests.Adds",))
    assert (failed.test, failed.path, failed.line) == ("Acme.CalcTests.Multiplies(a: 2)", "tests/CalcTests.cs", 12)
    assert failed.message == "Assert.Equal() Failure"
    assert readers.trx(b"<a")[1][0].rule == readers.UNREADABLE


def test_errors_of_the_build_have_their_place() -> None:
    log = (
        b"/workspace/src/Calc.cs(3,16): error CS0103: The name 'c' does not exist [/workspace/src/Calc.csproj]\n"
        b"/workspace/src/Calc.cs(5,7): warning CS0168: The variable 'x' is never used [/workspace/src/Calc.csproj]\n"
        b"/workspace/src/Calc.csproj : error NU1101: Unable to find package Nowhere.\n"
    )
    found = readers.msbuild_text(log)
    assert [(d.path, d.line, d.column, d.rule, d.severity) for d in found] == [
        ("src/Calc.cs", 3, 16, "CS0103", Severity.ERROR),
        ("src/Calc.cs", 5, 7, "CS0168", Severity.WARNING),
        ("src/Calc.csproj", None, None, "NU1101", Severity.ERROR),
    ]
    assert found[0].message == "The name 'c' does not exist"

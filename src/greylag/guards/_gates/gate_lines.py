"""Lines of build files that let a build pass where it would fail, or that are a check themselves."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from greylag.diffs import FileDiff, Line

VITEST = re.compile(  # settings of Vitest in Vite's own file, whose names nothing else there has
    r"\b(setupFiles|globalSetup|globals|environment|runner|passWithNoTests|dangerouslyIgnoreUnhandledErrors|allowOnly|retry"
    r"|testNamePattern|thresholds?|onUnhandledError|typecheck|browser|workspace|projects|snapshotSerializers|test)\s*[:(]"
)
VITEST_AND_VITE = re.compile(
    rf"{VITEST.pattern[:-8]}|include|exclude|alias|plugins|server|deps|root|dir|coverage)\s*[:(]"
)
VITEST_AND_ALIAS = re.compile(rf"{VITEST.pattern[:-8]}|alias)\s*[:(]")
LOOSENED = re.compile(  # lines that make a build pass where it failed
    r"(?:<|-D|^\s*)(?!(?:maven\.)?(?:deploy|install|gpg|sources?|javadoc|site|release|nexus|changelog|docs?)\b)[\w.-]{2,60}\.skip\b(?:>|\s*=)\s*true"
    r"|skip[-.]?tests?\b|\bskipITs?\b|maven\.test\.skip|\bmaven\.test\.failure\.ignore|testFailureIgnore|<skip>\s*true"
    r"|failOn\w*>\s*false|failOn\w+\s*[=:]\s*false|failsOnError>\s*false|failOnError>\s*false|haltOn\w+\s*=\s*\"?(?:no|false)"
    r"|ignoreFailures\s*(?:=|\.set\()\s*true|\bignoreTestFailures\b|abortOnError\s*(?:=\s*)?false|\ballWarningsAsErrors\s*=\s*false"
    r"|\bisEnabled\s*=\s*false|\benabled\s*=\s*false|(?:^|\s)-x\s+(?:test|check|lint)\b|--exclude-task"
    r"|\|\|\s*(?:true|:|exit\s+0)(?:\s|$)|\|\|\s*echo\b[^)`\n]{0,200}$|;\s*(?:exit\s+0|true|:)\s*$|--no-verify\b|--exit-zero\b|--passWithNoTests\b|--continue-on-error"
    r"|continue-on-error:\s*true"
    r"|--deselect\b|--testPathIgnorePatterns\b|\bgo\s+test\b[^\n;&|]{0,200}\s--?(?:skip|short)\b"
    r"|\bcargo\s+(?:nextest\s+run|test)\b[^\n;&|]{0,200}\s--skip\b|\bpytest\b[^\n;&|]{0,200}\s(?:--ignore\b|-k\s*[\"']?not\b)"
    r"|allow_failure:\s*true|--no-cov\b|--no-strict|--cov-fail-under[= ]0\b|\bset\s+\+e\b"
    r"|-javaagent\b|--patch-module\b|-Xbootclasspath|extensions\.autodetection|conditions\.deactivate|rerunFailingTests"
    r"|<(?:excludedGroups|groups)>|excludeTags\b|\bexcludeTestsMatching\b|failOnNoMatchingTests|\bnoTestsFound|-Dtest="
    r"|\b(?:cmdclass|data_files)\s*=|\b(?:PYTEST_ADDOPTS|PYTEST_PLUGINS|LD_PRELOAD)\s*[:=]|\bNODE_OPTIONS\b[^\n]{0,200}(?:--require|--import|--loader|-r\s|--test)"
    r"|\b(?:WILL_FAIL|(?:PASS|SKIP)_REGULAR_EXPRESSION|SKIP_RETURN_CODE)\b"
    r"|\bDISABLED\s+(?:TRUE|ON|1)\b|\bCTEST_CUSTOM_TESTS_IGNORE\b|\bshould_fail\s*:\s*true|^\.IGNORE\b|^\t[@+]*-[@+]*\s*\S"
    r"|\b(?:GNU)?MAKEFLAGS\s*[:+?]?=\s*(?:-?(?![-o])[a-z]*[intq][a-z]*(?:\s|$)|(?:[^\n]{0,100}\s)?(?:-(?!o)[a-z]*[intq][a-z]*(?:\s|$)"
    r"|--(?:ignore-err|just-p|dry-r|recon|touch|question)))|^\t[^\n#]{0,200}[^&>|]&\s*(?:wait\b[^\n]{0,50})?$"
    r"|--suppressions=|\bdetect_leaks=0|\bhalt_on_error=0|-fno-sanitize=|-fsanitize-(?:ignore|black)list\b|--error-exitcode=0"
    r"|--no-(?:frozen-)?lockfile\b|--no-package-lock\b|--no-immutable\b|\brm\b[^\n;&|]{0,100}(?:package-lock\.json|\.lock\b|-lock\.yaml)"
    r"|\bINSTA_FORCE_PASS\b|\bINSTA_UPDATE\b|--update-?snapshots?\b|failIfNo\w*>\s*false|\bfailIfNo\w*\s*=\s*false|-Xlint:-?none|-nowarn\b"
    r"|\bnowarn\s*=\s*\"?(?:true|on|yes)|\bsuppressWarnings\s*(?:=|\.set\()\s*true|showWarnings>\s*false|\bshowWarnings\s*=\s*false"
    r"|<nowarn>\s*true|\boptions\.warnings\s*=\s*false|\bisWarnings\s*=\s*false"
    r"|\bexclude\b[^\n]{0,200}(?:Tests?|IT|Spec)\b[.*'\"]|\b(?:maxRetries|max_retries|retries)\b\s*[=:(]+\s*[1-9]|-Wno-[a-z][\w-]*"
    r"|-Xep\w*:\w+:OFF\b|-XepDisable\w+|\bonlyIf\b|\bcargo\s+(?:nextest\s+run|test)\b[^\n;&|]{0,200}\s--(?:no-run|lib|bins|exclude)\b|^(?![^\n]*release)[^\n]*\b(?:D|define\\s)?NDEBUG\b"
    r"|<phase>\s*none\b|haltOn\w+>\s*false|\bTests\.Filter\b|--test_(?:tag_filters|filter)=|\btags\s*=\s*\[[^\]\n]{0,200}[\"']manual[\"']"
    r"|\btrap\b[^\n]{0,200}\bexit\s+0|TreatWarningsAsErrors>\s*false|<NoWarn>|<WarningLevel>\s*0|-Wno-error|<excludes?>|<minimum>\s*0?\.0*<",
    re.IGNORECASE,
)  # fmt: skip
TIDIES = re.compile(  # that these may fail lets nothing pass
    r"\s*(?:RUN\s+|-\s+(?:run:\s*)?)?[@+-]*\s*(?:sudo\s+)?(?:rm|rmdir|unlink|p?kill(?:all)?|umount|mkdir"
    r"|(?:docker|podman)(?:[ -]compose)?\s+(?:rm|stop|kill|down|rmi|volume\s+rm|network\s+(?:rm|create)))\b"
    r"[^;&|]{0,300}(?:\|\|\s*(?:true|:)\s*)?"
)
CHECKERS = re.compile(  # a build file's own checks; removing such a line removes a gate
    r"checkstyle|spotbugs|findbugs|\bpmd\b|jacoco|spotless|error-?prone|nullaway|enforcer|detekt|ktlint|animal-sniffer|pitest"
    r"|japicmp|revapi|forbiddenapis|archunit|surefire|failsafe|-Werror|\bcheck\s*\{|\btest\s*\{|useJUnitPlatform"
    r"|\bgo\s+vet\b|\bgolangci-lint\s+run\b|\bstaticcheck\b|\bgovulncheck\b|\bcargo\s+(?:clippy|fmt|deny|audit)\b|\bclang-tidy\b"
    r"|\bcppcheck\b|\b(?:ruff\s+(?:check|format)|mypy|pyright|flake8|pylint|bandit)\b(?!\s*[=:\]])|\b(?:eslint|tsc\s+--noEmit)\b|\s-race\b|-fsanitize\b"
    r"|\b(?:add_test|\w+_discover_tests)\s*\(|^\s*test\s*\(\s*'|<module>[\w./-]*test[\w./-]*|^\t@?\./\S{0,80}test\S{0,80}|\bcheck\.dependsOn\b|^\s*include\b[^\n]{0,100}test"
    r"|\bcargo\s+test\b[^\n;&|]{0,100}(?:--workspace|--all)\b"
    r"|-Xfatal-warnings\b|\bwarnings_as_errors\s*:\s*true|\bwarning\.mode\s*=\s*fail\b|<goal>\s*(?:check|verify|enforce|test)\b"
    r"|\s-W(?!no-|error)[a-z][\w-]*|\s-pedantic\b|\bset\s+-(?=\w*e)\w+"
    # With all its words, since verifiers take its options over.
    r"|\b(?:shellcheck|hadolint|yamllint|actionlint|kubeconform|helm lint)\b"
    r"(?!\s*(?:disable|ignore|source=|shell=|enable=))[^\n;&|#]{0,300}",
    re.IGNORECASE,
)  # fmt: skip
_DEMAND = re.compile(r"ratio|coverage|threshold|minimum|fail[-_]?under|min[-_]?(?:score|coverage)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])\d{1,9}(?:\.\d{1,9})?(?![\w.])")
_WIDEST = 2000  # characters of a line that are looked at


_LOCKED = re.compile(
    r"\bnpm\s+(?:ci|clean-install)\b|--frozen(?:-lockfile)?\b|--immutable\b|--locked\b|--require-hashes\b|--deployment\b"
    r"|\bcomposer\s+install\b|-mod=(?:readonly|vendor)\b"
)
_INSTALLS = re.compile(
    r"\b(?:npm|pnpm|yarn|bun|pip3?|uv|poetry|cargo|bundle|composer|go|deno)\b[^\n;&|]{0,100}\b(?:i|install|add|sync|build|test|update|run|get)\b"
)


def tidies(line: Line) -> bool:
    """Whether a line only puts things away, but for lock files and records of failures."""
    text = line.text[:_WIDEST]
    return TIDIES.fullmatch(text) is not None and not re.search(r"lock|snap|\.git\b", text)


def unlocked(file: FileDiff) -> bool:
    """Whether fewer commands than before keep to the lock file, and one that installs or builds has come."""
    removed, added = (
        sum(len(_LOCKED.findall(line.text[:_WIDEST])) for line in lines) for lines in (file.removed, file.added)
    )
    return added < removed and any(
        _INSTALLS.search(line.text[:_WIDEST]) and not _LOCKED.search(line.text[:_WIDEST]) for line in file.added
    )


_CHOSEN = re.compile(r"<include>[^<\n]{0,200}(?:\.java|\.class|Tests?|IT)\s*<|\bincludeTestsMatching\b|\bincludeTags\b")


def chosen(before: str, after: str) -> str:
    """What chooses some of the tests of Maven or Gradle, where all were run."""
    match = None if _CHOSEN.search(before) else _CHOSEN.search(after)
    return match[0].strip("<").strip() if match else ""


_SECURE = re.compile(
    r"\b(?:(runAsNonRoot|readOnlyRootFilesystem|encrypted|storage_encrypted|deletion_protection|prevent_destroy)\s*[:=]\s*true"
    r"|(privileged|allowPrivilegeEscalation|hostNetwork|hostPID|publicly_accessible|skip_final_snapshot)\s*[:=]\s*false)\b"
)


def less_secure(file: FileDiff) -> Iterator[str]:
    """Settings of Kubernetes and Terraform that protect, and are gone or the opposite now."""
    removed, added = (
        Counter(match[0] for line in lines for match in _SECURE.finditer(line.text[:_WIDEST]))
        for lines in (file.removed, file.added)
    )
    yield from (removed - added) if file.status == "modified" else ()


def lowered(file: FileDiff) -> Iterator[tuple[Line, str, str]]:
    """Lines with the least that is demanded, where it is less than on the line that they replace."""
    had: defaultdict[str, list[str]] = defaultdict(list)
    for line in file.removed:
        if _DEMAND.search(line.text[:_WIDEST]) and len(numbers := _NUMBER.findall(line.text[:_WIDEST])) == 1:
            had[_NUMBER.sub("#", line.text.strip())] += numbers
    for line in file.added:
        before = had.get(_NUMBER.sub("#", line.text.strip()))
        if before and float(now := _NUMBER.findall(line.text)[0]) < float(was := before.pop(0)):
            yield line, was, now

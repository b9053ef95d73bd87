"""What a path is, by its name alone: the kinds that a prompt's `allow` names, for the guards and the judge."""

from collections.abc import Mapping
from functools import lru_cache

from pathspec import GitIgnoreSpec

KINDS = (
    "agents", "build", "ci", "dependencies", "generated", "licence", "lint", "size", "suppressions", "tests",
    "vendored",
)  # fmt: skip
"""What `allow` may name. Secrets and paths out of scope are not in it: nothing allows them."""

AGENTS = """
CLAUDE.md CLAUDE.local.md AGENTS.md AGENT.md AGENTS.override.md GEMINI.md .claude/ .mcp.json .codex/ .cursor/
.cursorrules .cursorignore .windsurf/ .windsurfrules .clinerules .cline/ .roo/ .roomodes .continue/ .gemini/ .junie/
.kiro/ .amazonq/ .aider* .opencode/ opencode.json opencode.jsonc .goosehints .greylag.toml /.greylag/
.github/copilot* .github/instructions/ .github/prompts/ .github/chatmodes/ .github/agents/ .github/skills/
.vscode/tasks.json .vscode/settings.json .vscode/launch.json .vscode/mcp.json .vscode/extensions.json *.code-workspace
.idea/runConfigurations/ .devcontainer/ .devcontainer.json .envrc .gitattributes .gitmodules .gitconfig
"""

CI = """
.github/workflows/ .github/actions/ .github/dependabot.* .github/settings.* .github/rulesets/ .github/branch-protection*
.gitlab-ci*.y*ml *.gitlab-ci.y*ml .gitlab-ci/ .gitlab/ .circleci/ azure-pipelines*.y*ml .azure-pipelines/ .azuredevops/
Jenkinsfile* *.jenkinsfile .travis.yml bitbucket-pipelines.yml .buildkite/ .drone.y*ml .drone.star .woodpecker/
.woodpecker.y*ml appveyor.y*ml .appveyor.y*ml .teamcity/ cloudbuild.y*ml buildspec*.y*ml .semaphore/ .cirrus.* .forgejo/
.gitea/ .ci/ CODEOWNERS .mergify.yml .mergify/ renovate.json* .renovaterc* .zuul.y*ml zuul.d/ .prow* wercker.yml
.github/codeql/ dagger.json .builds/ .build.yml .tekton/ .pipelines/ .kokoro/ .vsts-ci.yml .ci.y*ml
ci/pipeline*.y*ml codefresh.y*ml .codefresh/ .evergreen* evergreen.y*ml bors.toml .github/merge_queue* .screwdriver/
screwdriver.yaml .buildbot/ .harness/ .werft/ .vela.y*ml .sourcehut/
"""

LINT = """
.pre-commit-config.y*ml prek.toml lefthook.y*ml .lefthook.y*ml .husky/ .githooks/ .overcommit.yml .lintstagedrc*
lint-staged.config.* commitlint.config.* .commitlintrc* .eslintrc* eslint.config.* .eslintignore .prettierrc*
prettier.config.* .prettierignore biome.json* .oxlintrc.json oxlint* tslint.json xo.config.* .xo-config* .stylelintrc*
stylelint.config.* .flake8 .pylintrc pylintrc ruff.toml .ruff.toml mypy.ini .mypy.ini pyrightconfig.json
.isort.cfg .bandit .style.yapf
.importlinter pycodestyle.cfg .pydocstyle* ty.toml .golangci.* clippy.toml .clippy.toml rustfmt.toml .rustfmt.toml
deny.toml checkstyle*.xml pmd*.xml *ruleset.xml spotbugs*.xml findbugs*.xml detekt*.y*ml .editorconfig
.rubocop*.y*ml phpstan*.neon* phpcs.xml* .php-cs-fixer* psalm.xml* .swiftlint.y*ml .swift-version .clang-tidy
.clang-format sonar-project.properties .sonarcloud.properties .hadolint.y*ml .shellcheckrc .yamllint* .markdownlint*
.semgrepignore .semgrep.y*ml .semgrep/ .gitleaks.toml .gitleaksignore .secrets.baseline .snyk .trivyignore*
.scalafix.conf .scalafmt.conf .credo.exs .tflint.hcl .ktlint* analysis_options.yaml .jshintrc .globalconfig
.codacy.y*ml .codeclimate.y*ml .deepsource.toml .sourcery.yaml .lgtm.yml .scrutinizer.yml .styleci.yml .hound.yml
qodana.y*ml .qlty/ .mega-linter.yml .jscpd.json .dependency-cruiser.* .spectral.y*ml .sqlfluff .ansible-lint .vale.ini
osv-scanner.toml .grype.y*ml trivy.y*ml .nsprc audit-ci.json* .cargo/audit.toml .safety-policy.y*ml .checkov.y*ml
.tfsec/ zizmor.y*ml .nancy-ignore dependency-check-suppression*.xml .dockle*
shellcheckrc .github/actionlint.y*ml buf.yaml buf.work.yaml .standard.yml .phpcs.xml* .formatter.exs
revive.toml staticcheck.conf knip.json* .knip.json* knip.ts .lychee.toml lychee.toml .ls-lint.y*ml api-extractor*.json
semgrep.y*ml trivy-secret.y*ml
"""

TEST_CONFIG = """
.coveragerc codecov.y*ml .codecov.y*ml .coveralls.yml pytest.ini .pytest.ini pytest.toml noxfile.py jest.config.*
jest.setup.* vitest.config.* vitest.workspace.* karma.conf.* .mocharc* .nycrc* .c8rc* playwright.config.*
cypress.config.* ava.config.* wdio.conf.* phpunit.xml* .rspec .testmondata junit-platform.properties testng*.xml
nextest.toml .simplecov .testcoverage.y*ml .taprc stryker.conf.* stryker.config.* .stryker* lighthouserc.*
.lighthouserc*
"""

LOCKS = """
package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb deno.lock poetry.lock uv.lock
Pipfile.lock pdm.lock pylock.toml pylock.*.toml Cargo.lock go.sum go.work.sum Gemfile.lock composer.lock
gradle.lockfile buildscript-gradle.lockfile packages.lock.json Package.resolved Podfile.lock Cartfile.resolved
mix.lock flake.lock conda-lock.yml pubspec.lock .terraform.lock.hcl MODULE.bazel.lock gems.locked
"""

MANIFESTS = """
pyproject.toml requirements*.txt requirements*.in requirements/*.txt requirements/*.in constraints*.txt setup.py
setup.cfg Pipfile environment.y*ml package.json pnpm-workspace.yaml bower.json deno.json* jsr.json go.mod go.work
Cargo.toml pom.xml build.gradle build.gradle.kts settings.gradle settings.gradle.kts *.versions.toml build.sbt Gemfile
*.gemspec composer.json *.csproj *.fsproj *.vbproj Directory.Packages.props packages.config Package.swift Podfile
Cartfile mix.exs pubspec.yaml flake.nix MODULE.bazel WORKSPACE .npmrc .yarnrc .yarnrc.yml pip.conf .pypirc uv.toml
bunfig.toml nuget.config .mvn/settings.xml gems.rb *.wrap
"""

BUILD = """
Makefile GNUmakefile makefile *.mk justfile Justfile Taskfile.y*ml Rakefile Earthfile Dockerfile* *.dockerfile
docker-compose*.y*ml compose*.y*ml Containerfile* CMakeLists.txt *.cmake meson.build meson_options.txt configure.ac
BUILD BUILD.bazel *.bzl .bazelrc tox.ini build.xml gradle.properties gradlew gradlew.bat gradle/wrapper/ mvnw mvnw.cmd
.mvn/ .cargo/config* rust-toolchain* .python-version .nvmrc .node-version .tool-versions turbo.json nx.json lerna.json
rush.json webpack.config.* rollup.config.* vite.config.* babel.config.* .babelrc* tsconfig*.json jsconfig*.json
Directory.Build.props Directory.Build.targets global.json build.rs setup.py *.sln *.slnx
"""

VENDORED = """
node_modules/ vendor/ third_party/ third-party/ thirdparty/ bower_components/ .venv/ venv/ site-packages/ Pods/
Carthage/ .yarn/releases/ .yarn/plugins/ .yarn/cache/ .gradle/ .bundle/
"""

GENERATED = """
*.pb.go *.pb.h *.pb.cc *.pb.gw.go *_pb2.py *_pb2.pyi *_pb2_grpc.py *_pb.js *_pb.d.ts *_grpc_pb.js *.g.dart
*.freezed.dart *.generated.* *.gen.go zz_generated* *.designer.cs *.Designer.cs *.g.cs *.min.js *.min.css *.bundle.js
*.js.map *.css.map __pycache__/ *.pyc *.pyo *.class *.o *.obj *.a *.so *.dylib *.dll *.exe *.jar *.war *.whl
*.egg *.egg-info/ *.wasm dist/
.pytest_cache/ .mypy_cache/ .ruff_cache/ .tox/ .nox/ htmlcov/ .coverage .nyc_output/ .next/ .nuxt/ .turbo/
.parcel-cache/ *.tsbuildinfo .DS_Store
"""

TESTS = """
test/ tests/ __tests__/ spec/ specs/ testing/ testdata/ test-d/ __snapshots__/ e2e/ src/test/ src/*Test/
*.test.* *.spec.* *.snap *.feature *.robot *.bats *.phpt
test.py tests.py test_*.py *_test.py *_tests.py conftest.py
test.*js test.*ts test.*sx spec.*js spec.*ts spec.*sx test[-_]*.*js test[-_]*.*ts test[-_]*.*sx *.test-d.ts *.test-d.*ts
*[-_]test.*js *[-_]test.*ts *[-_]test.*sx *[-_]spec.*js *[-_]spec.*ts *[-_]spec.*sx *Spec.js *.e2e.* *.e2e-spec.*
*.cy.*js *.cy.*ts *.cy.*sx
Test*.java *Test.java *Tests.java *TestCase.java *IT.java *ITCase.java *Spec.java *Specs.java
Test*.kt *Test.kt *Tests.kt *TestCase.kt *IT.kt *ITCase.kt *Spec.kt *Specs.kt
*Test.groovy *Tests.groovy *Spec.groovy *Specification.groovy *Test.scala *Tests.scala *Spec.scala *Suite.scala
*_test.go *_test.rs test.rs tests.rs test_*.rb *_test.rb *_spec.rb *Test.php *TestCase.php *Spec.php *Cest.php *Cept.php
*.Tests/ *.Test/ *.*Tests/ *Test.cs *Tests.cs *TestCase.cs *Spec.cs *Specs.cs *Test.fs *Tests.fs *Test.vb *Tests.vb
*Test.swift *Tests.swift *Spec.swift *_test.dart *_test.exs *_test.clj *_spec.lua *_tests.erl *_SUITE.erl *Spec.hs
test.c tests.c test.cc test.cpp tests.cpp test-*.c *-test.c
test_*.c *_test.c *_tests.c *_test.cc *_test.cpp *_test.cxx *_tests.cpp *_unittest.cc *_unittest.cpp /t/*.t
"""
"""What runners collect by default. Case is ignored: `IT*.java` would be every `Item.java`, so it is not in here."""

LICENCES = "LICENSE LICENSE.* LICENSE-* LICENCE LICENCE.* COPYING COPYING.* NOTICE NOTICE.*"

DOCS = "*.md *.rst *.adoc *.txt docs/ doc/ LICENSE* NOTICE* CHANGELOG* AUTHORS* CONTRIBUTORS*"

_ORDER: Mapping[str, str] = {
    "agents": AGENTS, "ci": CI, "lint": LINT, "test configuration": TEST_CONFIG, "vendored": VENDORED, "lock": LOCKS,
    "generated": GENERATED, "tests": TESTS, "dependencies": MANIFESTS, "build": BUILD, "docs": DOCS,
}  # fmt: skip
GUARDED = frozenset({"agents", "ci", "lint", "test configuration", "tests", "dependencies", "build"})
"""Classes that a judge must see in full."""


def _anywhere(pattern: str) -> str:
    """In git, a pattern with a slash within holds at the root only."""
    return f"**/{pattern}" if "/" in pattern.rstrip("/") and not pattern.startswith("/") else pattern


@lru_cache(maxsize=64)
def _spec(patterns: str) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(_anywhere(pattern) for pattern in patterns.lower().split())


def matches(path: str, patterns: str) -> bool:
    """Whether a path fits one of the patterns (as in gitignore, at any depth; case is ignored)."""
    return _spec(patterns).match_file(path.lower())


@lru_cache(maxsize=8192)
def classify(path: str) -> str:
    """The first class that fits: a key of the table above, or `source`."""
    return next((name for name, patterns in _ORDER.items() if matches(path, patterns)), "source")

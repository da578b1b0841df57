"""The documentation says what the code does: commands parse, files and tests that it names are there."""

import ast
import functools
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import tyro

from data_prep.errors import InputError
from mta.config import PRESETS, PROFILES, defaults
from mta.settings import configure, read_yaml
from mta.studies.plan import read_plan

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"python3? -m (?:mta\.|data_prep\b)")
_NAMED = re.compile(r"`((?:mta|data_prep|tests|benchmarks|examples|docs|notebooks)/[\w/.-]*)(?:::([\w.]+))?`")
_LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"")


def text_of(page: str | Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: Path, *languages: str) -> list[str]:
    return [body for language, body in _FENCE.findall(text_of(page)) if language in languages]


def commands() -> Iterator[Any]:
    """Every command line of ours in a block of shell lines: continued lines joined, comments left out."""
    for page in PAGES:
        for block in blocks(page, "bash", "sh", "console", ""):
            lines = block.replace("\\\n", " ").splitlines()
            found = [shlex.split(line, comments=True) for line in lines if _COMMAND.search(line)]
            yield from (pytest.param(words, id=f"{page.name}: {shlex.join(words)}") for words in found if words)


def mentions() -> Iterator[Any]:
    """Every command in running text, as in `python -m mta.evaluate RUN`."""
    for page in PAGES:
        prose = _FENCE.sub("", text_of(page))
        for code in sorted({" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)}):
            if _COMMAND.search(code):
                yield pytest.param(code, id=f"{page.name}: {code}")


class ParsedError(Exception):
    """The command was understood and would now run."""


def parsing(real: Callable[..., Any], command: Callable[..., Any], **options: Any) -> Any:
    @functools.wraps(command)
    def stub(*arguments: Any, **flags: Any) -> None:
        raise ParsedError

    return real(stub, **options)


def entry_of(module: str) -> Callable[..., None]:
    """`main` of a module, or of a package with commands."""
    name = f"{module}.__main__" if module in ("data_prep", "mta.explain") else module
    return import_module(name).main


def understand(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse `python -m MODULE arguments…` with the module's own parser, and run nothing."""
    module, *arguments = words[words.index("-m") + 1 :]
    if module == "mta.train" and "--help" not in arguments:
        import_module(module).parse(arguments)
        return
    monkeypatch.setattr(tyro, "cli", functools.partial(parsing, tyro.cli))
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    main = entry_of(module)
    with pytest.raises((ParsedError, SystemExit)) as stop:
        main() if module == "data_prep" else main(arguments)
    assert stop.type is ParsedError or stop.value.code == 0, f"{shlex.join(words)} is not understood"


@pytest.mark.parametrize("words", list(commands()))
def test_documented_commands_are_understood(words, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in {word for word in words if word.endswith(".yaml")}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("preset: mta\n", encoding="utf-8")
    understand(words, monkeypatch)


@pytest.mark.parametrize(
    "words",
    [
        ["python", "-m", "mta.train", "a.h5", "--out", "r", "--concept", "ncount"],
        ["python", "-m", "data_prep", "verify", "a.h5", "--fast"],
        ["python", "-m", "mta.evaluate"],
    ],
)
def test_a_wrong_command_would_be_found(words, monkeypatch, capsys):
    with pytest.raises((AssertionError, SystemExit)):
        understand(words, monkeypatch)


@cache
def help_of(module: str, command: str) -> str:
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [module, *filter(None, [command, "--help"])])
        main = entry_of(module)
        with contextlib.suppress(SystemExit):
            main() if module == "data_prep" else main([*filter(None, [command]), "--help"])
    return out.getvalue()


@pytest.mark.parametrize("code", list(mentions()))
def test_commands_in_running_text_exist_with_their_flags(code):
    module, *rest = code.split("-m ", 1)[1].replace("[", " ").replace("]", " ").split()
    commands = module in ("data_prep", "mta.explain")
    command = rest[0] if commands and rest and rest[0].isalpha() and rest[0].islower() else ""
    shown = help_of(module, command)
    assert "usage" in shown
    for flag in {word.split("=")[0] for word in rest if word.startswith("--")} - {"--version", "--help"}:
        assert re.search(rf"{flag}\b", shown), f"{module} {command} has no {flag}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_yaml_examples_are_settings(page, tmp_path):
    for number, block in enumerate(blocks(page, "yaml")):
        (tmp_path / f"{number}.yaml").write_text(block, encoding="utf-8")
        if block.startswith("data:"):  # a study
            assert read_plan(tmp_path / f"{number}.yaml").seeds
            continue
        values = read_yaml(tmp_path / f"{number}.yaml")
        config = configure({"store": "store.h5", "out": "run", **values})
        assert all(
            getattr(config, name) == (tuple(value) if isinstance(value, list) else value)
            for name, value in values.items()
        )


def test_there_is_a_yaml_example_and_a_wrong_one_is_refused(tmp_path):
    assert blocks(ROOT / "docs" / "training.md", "yaml")
    (tmp_path / "wrong.yaml").write_text("concept: [ncount]\n", encoding="utf-8")
    with pytest.raises(InputError, match="concepts"):
        read_yaml(tmp_path / "wrong.yaml")


@cache
def anchors_of(page: Path) -> frozenset[str]:
    """What `#…` may name on a page, by GitHub's rule."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text_of(page)), re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page):
    targets = [link or picture for link, picture in _LINK.findall(_FENCE.sub("", text_of(page)))]
    for target in targets:
        path, _, anchor = target.partition("#")
        if re.match(r"\w+:", target):
            continue
        assert (page.parent / path).exists(), target
        assert not anchor or anchor in anchors_of((page.parent / path if path else page).resolve()), target


@cache
def names_in(path: Path) -> frozenset[str]:
    """Functions, classes, `Class.method`, and top-level variables of a module."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_tests_and_functions_that_are_named_exist(page):
    wrong = []
    for path, name in _NAMED.findall(text_of(page)):
        there = (ROOT / path).exists()
        if not there or (name and name not in names_in(ROOT / path)):
            wrong.append(f"{path}::{name}" if name else path)
    assert wrong == []


def test_the_architecture_names_every_module_and_folder():
    """A reader finds a thing by its name: modules of `mta`, folders of both packages."""
    page = text_of("docs/architecture.md")
    found = [*(ROOT / "mta").glob("*.py"), *(ROOT / "mta").glob("*/__init__.py")]
    found += [*(ROOT / "data_prep").glob("*.py"), *(ROOT / "data_prep").glob("*/__init__.py")]
    names = [(path.parent if path.name == "__init__.py" else path).relative_to(ROOT).as_posix() for path in found]
    assert [name for name in names if name not in page] == []


def fidelity_rows() -> list[list[str]]:
    lines = text_of("docs/fidelity.md").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| B-")]


def test_fidelity_has_all_defects_in_order_each_decided_and_shown():
    rows = fidelity_rows()
    assert [row[0] for row in rows] == [f"B-{number:02d}" for number in range(1, 50)]
    for row in rows:
        assert len(row) == 5, row
        assert all(row), row
        assert _NAMED.search(row[4]) or "later" in row[4], f"{row[0]} names neither test nor code"


def test_every_preset_and_profile_is_explained_with_what_it_sets():
    page = text_of("docs/training.md")
    for preset in PRESETS:
        line = re.search(rf"^\| `{preset}` \|.*$", page, re.MULTILINE)
        assert line, f"no table row for the preset {preset}"
        for setting, value in defaults(preset, "paper").items():
            shown = " ".join(value) if isinstance(value, tuple) else str(value)
            assert f"`{setting}: {shown or 'none'}`" in line[0]
    for setting, value in PROFILES["original"].items():
        assert f"`{setting}: {value}`" in page

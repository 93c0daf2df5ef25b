"""The examples of docs/python.md, run as they stand."""

from __future__ import annotations

import doctest
import re
import sys
import types
from pathlib import Path

import pytest
from scripted import Node

PAGE = Path(__file__).parents[3] / "docs" / "python.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DALSEGNO_STORE", raising=False)
    # Where players are, the node of the page is this one.
    monkeypatch.setenv("LAVALINK_PASSWORD", node.password)
    text = PAGE.read_text().replace('"port": 2333', f'"port": {node.port}')
    # A module of its own, so that what it defines can be found there, as in a program.
    module = types.ModuleType("docs_python")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    known = module.__dict__
    count = 0
    for block in BLOCK.finditer(text):
        language, code = block.groups()
        line = text[: block.start()].count("\n") + 1
        if language == "python":
            # Blank lines before it, so that errors name the line of the page.
            exec(compile("\n" * line + code, str(PAGE), "exec", dont_inherit=True), known)
            count += 1
        elif language == "pycon":
            test = doctest.DocTestParser().get_doctest(code, known, "python.md", str(PAGE), line)
            told: list[str] = []
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            assert runner.run(test, out=told.append, clear_globs=False).failed == 0, "".join(told)
            known.update(test.globs)
            count += 1
    assert count > 5

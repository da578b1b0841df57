"""A page in headless Chromium: what it complains of, and what it does when it is used."""

import json
import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=4000")
_MARK = "tested-in-a-browser"


def browser() -> str:
    """Path of a Chromium; the test is skipped where there is none."""
    for path in filter(None, map(shutil.which, _NAMES)):
        return path
    pytest.skip(f"needs one of {', '.join(_NAMES)}")


def opened(page: Path, profile: Path, size: tuple[int, int] = (1200, 900), *flags: str) -> tuple[str, list[str]]:
    """The document of `page` once it has loaded, and the lines of its console."""
    words = [browser(), *_FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}", *flags]
    found = subprocess.run(
        [*words, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return found.stdout, [line for line in found.stderr.splitlines() if "CONSOLE" in line]


def asked(page: Path, script: str, profile: Path, size: tuple[int, int] = (1200, 900)) -> Any:
    """What the JavaScript function body `script` returns (as JSON), run in a copy of `page` after its own script.

    The copy allows this script by its hash, beside that of the page.
    """
    code = f"document.title = JSON.stringify((() => {{ {script} }})()); document.body.id = '{_MARK}';"
    allowed = b64encode(sha256(code.encode()).digest()).decode()
    text = page.read_text(encoding="utf-8")
    text = text.replace("script-src ", f"script-src 'sha256-{allowed}' ", 1)
    copy = profile.with_suffix(".html")
    copy.write_text(text.replace("</body>", f"<script>{code}</script></body>"), encoding="utf-8")
    document, _ = opened(copy, profile, size)
    assert _MARK in document, "the script did not run"
    return json.loads(unescape(re.search(r"<title>(.*?)</title>", document, re.S)[1]))

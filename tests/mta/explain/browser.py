"""A page in headless Chromium, driven by the DevTools protocol: pointer, keys, what it shows, what it complains of."""

import asyncio
import json
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from tornado.websocket import websocket_connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


class Page:
    """An open page; `errors` are exceptions and console messages of level error."""

    def __init__(self, loop, socket):
        self._loop, self._socket, self._count = loop, socket, 0
        self.errors = []

    def call(self, method, **params):
        return self._loop.run_until_complete(asyncio.wait_for(self._call(method, params), 30))

    async def _call(self, method, params):
        self._count += 1
        number = self._count
        await self._socket.write_message(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(await self._socket.read_message())
            if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                entry = message["params"].get("entry", {"level": "error"})
                self.errors += [message["params"]] if entry["level"] == "error" else []
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def ask(self, expression):
        """The value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def point(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)


@contextmanager
def opened(path):
    """The file `path` in a new browser."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1300,900"]
        command = [CHROMIUM, *flags, f"--user-data-dir={profile}", Path(path).resolve().as_uri()]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        loop = asyncio.new_event_loop()
        try:
            page = Page(loop, loop.run_until_complete(_connected(Path(profile))))
            page.call("Runtime.enable")
            page.call("Log.enable")
            page.ask("new Promise((ok) => document.readyState === 'complete' ? ok() : addEventListener('load', ok))")
            yield page
        finally:
            process.kill()
            process.wait()
            loop.close()


async def _connected(profile):
    for _ in range(150):
        place = profile / "DevToolsActivePort"
        if place.exists() and len(place.read_text().splitlines()) == 2:
            port = place.read_text().splitlines()[0]
            pages = [one for one in json.load(urlopen(f"http://127.0.0.1:{port}/json")) if one["type"] == "page"]
            if pages and pages[0]["url"].startswith("file:"):
                return await websocket_connect(pages[0]["webSocketDebuggerUrl"], max_message_size=2**26)
        await asyncio.sleep(0.1)
    raise TimeoutError("Chromium did not open the page")

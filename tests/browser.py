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

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0")
_DARK = "--blink-settings=preferredColorScheme=0"
_COMPLAINTS = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=f"needs one of {', '.join(_NAMES)}")


class Page:
    """An open page; `complaints` are all lines of its console, as JSON, and exceptions that nothing caught."""

    def __init__(self, loop, socket):
        self._loop, self._socket, self._count = loop, socket, 0
        self.complaints = []

    def call(self, method, **params):
        return self._loop.run_until_complete(asyncio.wait_for(self._call(method, params), 30))

    async def _call(self, method, params):
        self._count += 1
        number = self._count
        await self._socket.write_message(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(await self._socket.read_message())
            if message.get("method") in _COMPLAINTS:
                self.complaints.append(json.dumps(message["params"]))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def ask(self, expression):
        """The value of a JavaScript expression, which the page's own policy on scripts does not stop."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def point(self, element):
        """Move the pointer to the centre of the element that a JavaScript expression gives, once it is in view."""
        self.ask(f"{element}.scrollIntoView({{block: 'center'}})")
        box = self.ask(f"{element}.getBoundingClientRect().toJSON()")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def choose(self, element, index):
        """Take the option `index` of the <select> that a JavaScript expression gives."""
        self.ask(
            f"(() => {{ const e = {element}; e.selectedIndex = {index}; e.dispatchEvent(new Event('change')); }})()"
        )


@contextmanager
def opened(path, size=(1200, 900), dark=False):
    """The file `path` in a new browser with a window of `size`, for a reader who likes it `dark` or not."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}", *([_DARK] if dark else [])]
        process = subprocess.Popen([CHROMIUM, *_FLAGS, *flags], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        loop = asyncio.new_event_loop()
        try:
            page = Page(loop, loop.run_until_complete(_connected(Path(profile))))
            page.call("Runtime.enable")
            page.call("Log.enable")
            # Not by the command line: until the page is there, the empty one in its place answers, and is complete.
            page.call("Page.navigate", url=Path(path).resolve().as_uri())
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
            if pages:
                return await websocket_connect(pages[0]["webSocketDebuggerUrl"], max_message_size=2**26)
        await asyncio.sleep(0.1)
    raise TimeoutError("Chromium did not start")

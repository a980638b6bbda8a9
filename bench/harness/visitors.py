"""People on the app without browsers: a server of its own, and visitors who speak its websocket as a browser does."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

MIB = 2**20
#: Streamlit names the events of a component after it
_EVENTS = "$$STREAMLIT_INTERNAL_KEY_{}__events"
_LARGEST_MESSAGE, _PATIENCE = 256 * MIB, 300.0


class Server:
    """The app of a checkout on a port of its own, with folders of its own for runs and sessions."""

    def __init__(self, root: Path, runs: Path) -> None:
        """Start it, and wait until it answers; nobody has visited it then.

        Args:
            root: checkout with ``app.py``.
            runs: folder for what people make.
        """
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        words = [sys.executable, "-m", "streamlit", "run", str(root / "app.py"), "--server.headless", "true"]
        words += ["--server.port", str(self.port), "--server.fileWatcherType", "none"]
        path = {"PYTHONPATH": str(root), "SVGE_RUNS": str(runs), "SVGE_SESSIONS": str(runs / "sessions")}
        quiet = subprocess.DEVNULL
        self._started = subprocess.Popen(words, cwd=root, stdout=quiet, stderr=quiet, env={**os.environ, **path})
        self._process = psutil.Process(self._started.pid)
        address = f"http://127.0.0.1:{self.port}/_stcore/health"
        for _ in range(400):
            try:
                with urllib.request.urlopen(address, timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.25)
        self.stop()
        raise SystemExit("The app did not start within 100 seconds.")

    def seconds(self) -> float:
        """Processor seconds so far."""
        times = self._process.cpu_times()
        return times.user + times.system

    def mebibytes(self) -> float:
        """Memory of its own: what it shares with nobody, files that are only mapped left out."""
        return self._process.memory_full_info().uss / MIB

    def resident(self) -> float:
        """Resident memory, mapped files included."""
        return self._process.memory_info().rss / MIB

    def stop(self) -> None:
        """End it."""
        self._started.terminate()
        self._started.wait()


class Visitor:
    """One browser tab: it keeps the place of the map and of its fragment, and asks for reruns."""

    def __init__(self, port: int) -> None:
        """Connect; nothing is asked for yet."""
        self._open = ExitStack()
        self._socket: ClientConnection = self._open.enter_context(
            connect(
                f"ws://127.0.0.1:{port}/_stcore/stream",
                subprotocols=["streamlit"],  # type: ignore[list-item]
                max_size=_LARGEST_MESSAGE,
                open_timeout=_PATIENCE,
                ping_interval=None,
            )
        )
        self._query = ""
        self._cached: dict[str, ForwardMsg] = {}
        self._map, self._fragment, self._page = "", "", ""
        #: bytes so far, and the last heading of the panel
        self.received, self.shown = 0, ""

    def view(self, query: str) -> float:
        """Open a page by its address; seconds until its run is over."""
        self._query = query
        return self._ask(BackMsg())

    def click(self, x: float, y: float, row: int | None = None) -> float:
        """Click a point of the map, or empty space; seconds until the answer is there."""
        message, value = BackMsg(), {"index": row, "x": x, "y": y, "source": "pointer", "seq": time.time()}
        state = message.rerun_script.widget_states.widgets.add()
        state.id = _EVENTS.format(self._map)
        state.json_trigger_value = json.dumps([{"event": "click", "value": value}])
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.json_value = self._map, '{"status": "ready"}'  # as a browser does once it was clicked
        message.rerun_script.fragment_id = self._fragment
        return self._ask(message)

    def leave(self) -> None:
        """Close the tab."""
        self._open.close()

    def _ask(self, message: BackMsg) -> float:
        message.rerun_script.query_string = self._query
        message.rerun_script.page_script_hash = self._page
        message.rerun_script.cached_message_hashes.extend(self._cached)
        began = time.perf_counter()
        self._socket.send(message.SerializeToString())
        while True:
            data = self._socket.recv(timeout=_PATIENCE)
            self.received += len(data)
            answer = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
            kind = answer.WhichOneof("type")
            if kind == "ref_hash":
                answer = self._cached.get(answer.ref_hash, answer)
            elif answer.metadata.cacheable:
                self._cached[answer.hash] = answer
            if kind == "new_session":
                self._page = answer.new_session.page_script_hash
            elif kind == "page_info_changed":
                self._query = answer.page_info_changed.query_string
            elif kind == "delta":
                self._read(answer.delta)
            elif kind == "script_finished" and answer.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
            ):
                return time.perf_counter() - began

    def _read(self, delta: Any) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        if element.WhichOneof("type") == "exception":
            raise SystemExit(f"The page shows an error: {element.exception.message}")
        if element.WhichOneof("type") == "markdown" and element.markdown.body.startswith("##### "):
            self.shown = element.markdown.body.removeprefix("##### ")
        if element.WhichOneof("type") == "bidi_component" and "latent_map" in element.bidi_component.component_name:
            self._map, self._fragment = element.bidi_component.id, delta.fragment_id

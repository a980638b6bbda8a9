"""A browser that sends what it likes: messages of Streamlit's protocol straight to a server, and what comes back."""

import contextlib
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

from tests.support.waiting import PATIENCE
from ui.kept.browser import COOKIE

#: of protobuf
_MESSAGE = 11


class Forger:
    """One session of an app, driven by messages.

    Args:
        url: of the server.
        secret: the cookie that it brings along; empty for none.
        headers: of the handshake, beside the cookie.
    """

    def __init__(self, url: str, secret: str = "", headers: dict[str, str] | None = None) -> None:
        cookies = {"Cookie": f"{COOKIE}={secret}"} if secret else {}
        self.url = url
        self._stack = contextlib.ExitStack()
        self.socket = self._stack.enter_context(self._connect(url, {**cookies, **(headers or {})}))
        self.page, self.session = "", ""
        #: ids of everything that was ever drawn, by the key it was given or its label
        self.ids: dict[str, str] = {}
        self.texts: list[str] = []
        self.pages: dict[str, str] = {}

    def _connect(self, url: str, headers: dict[str, str]) -> Any:
        return connect(
            f"{url.replace('http', 'ws', 1)}/_stcore/stream",
            origin=url,  # type: ignore[arg-type]  # a text, by another name
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers=headers,
            max_size=None,
        )

    def close(self) -> None:
        self._stack.close()

    def run(self, *states: WidgetState, query: str = "", fragment: str = "") -> str:
        """Have the script run with these values of widgets; returns all that it says."""
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_script_hash = self.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.widget_states.widgets.extend(states)
        return self.send(message)

    def send(self, message: BackMsg) -> str:
        """Send anything; returns all that the script says until it has come to an end."""
        self.texts = []
        self.socket.send(message.SerializeToString())
        ended = False
        with contextlib.suppress(TimeoutError):
            while True:
                # a run that asks for another one ends, and the next begins at once
                self._take(answer := self._answer(0.2 if ended else PATIENCE))
                if answer.WhichOneof("type") == "script_finished":
                    ended = answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
                elif answer.WhichOneof("type") == "new_session":
                    ended = False
        assert ended, "the script did not come to an end"
        return "\n".join(self.texts).replace("\\", "")

    def open(self, title: str, query: str = "") -> str:
        """Go to a page of the navigation."""
        if not self.pages:
            self.run(query=query)
        self.page = self.pages[title]
        return self.run(query=query)

    def _answer(self, seconds: float) -> ForwardMsg:
        answer = ForwardMsg()
        answer.ParseFromString(self.socket.recv(timeout=seconds))  # type: ignore[arg-type]
        return answer

    def _take(self, answer: ForwardMsg) -> None:
        kind = answer.WhichOneof("type")
        if kind == "new_session":
            self.session = answer.new_session.initialize.session_id
            self.page = self.page or answer.new_session.page_script_hash
        elif kind == "navigation":
            self.pages = {page.page_name: page.page_script_hash for page in answer.navigation.app_pages}
        elif kind == "delta":
            for part in _parts(answer.delta):
                self._note(part)

    def _note(self, part: Any) -> None:
        fields = {field.name: value for field, value in part.ListFields()}
        if isinstance(id := fields.get("id"), str) and id.startswith("$$ID"):
            self.ids[id.split("-", 2)[2]] = id
            if isinstance(label := fields.get("label"), str):
                self.ids[label] = id
        self.texts += [value for name, value in fields.items() if isinstance(value, str) and name != "id"]
        self.texts += [str(each) for value in fields.values() if _is_texts(value) for each in value]


def _is_texts(value: Any) -> bool:
    return not isinstance(value, str | bytes | Message) and hasattr(value, "__len__")


def _parts(message: Message) -> Iterator[Message]:
    yield message
    for field, value in message.ListFields():
        if field.type == _MESSAGE:
            for each in value if field.is_repeated else [value]:
                if isinstance(each, Message):
                    yield from _parts(each)


def state(id: str, **value: Any) -> WidgetState:
    """The value of a widget as a browser sends it, such as ``trigger_value=True``."""
    return WidgetState(id=id, **value)


def texts(id: str, *values: str) -> WidgetState:
    """The choice of several texts."""
    made = WidgetState(id=id)
    made.string_array_value.data.extend(values)
    return made

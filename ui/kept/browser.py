"""Which browser this is: a secret in a cookie that the page sets and every visit brings along.

The cookie says nothing about a person, goes to this server only, and opens nothing but what the same browser made.
"""

import re
import secrets

import streamlit as st
from streamlit.components import v2 as components

COOKIE = "svge_browser"
_SECRET = re.compile(r"[A-Za-z0-9_-]{32}")
_component = components.component(
    "svge_browser",
    html="<span hidden></span>",
    js="""
export default function ({ data }) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.name}=${data.secret}; Path=/; Max-Age=${data.seconds}; SameSite=Strict${secure}`;
}
""",
)


def secret_of_browser() -> str | None:
    """What the browser brought along; None on its first visit, or where cookies are off."""
    found = st.context.cookies.get(COOKIE)
    return found if found is not None and _SECRET.fullmatch(found) else None


def new_secret() -> str:
    """32 characters that nobody can guess."""
    return secrets.token_urlsafe(24)


def hand_out(secret: str, days: int) -> None:
    """Have the browser bring a secret along from now on."""
    with st.container(key="browser-cookie"):
        _component(key="browser", data={"name": COOKIE, "secret": secret, "seconds": 86_400 * days})

"""SVGe Explorer: ``streamlit run app.py``. Page config, navigation and the sidebar; the pages are in ``pages/``."""

from pathlib import Path

import streamlit as st

from svge_core.errors import SvgeError
from svge_core.plugins import load_plugins
from ui.kept import keeping
from ui.kept.panel import session_sidebar
from ui.keyboard.component import keyboard
from ui.latent_map import own
from ui.paths import shared
from ui.shared import links, loaders, reruns
from ui.shared.sidebar import sidebar
from ui.shared.theme import plain
from ui.tour.component import tour
from ui.visitors import asking

ROOT = Path(__file__).resolve().parent
#: file, title, icon
PAGES = (
    ("map", "Map", ":material/scatter_plot:"),
    ("table", "Table", ":material/table_rows:"),
    ("interpolate", "Interpolate", ":material/timeline:"),
    ("compare", "Compare", ":material/compare:"),
    ("search", "Search", ":material/travel_explore:"),
    ("distribution", "Distribution", ":material/bar_chart:"),
    ("model", "Model", ":material/model_training:"),
    ("results", "Results", ":material/table_chart:"),
)

st.set_page_config(
    page_title="SVGe Explorer",
    page_icon=str(ROOT / "assets" / "icon.svg"),
    layout="wide",
    initial_sidebar_state=244,  # pixels: as few as the names of checkpoints need, the rest is the map's
)
st.logo(str(ROOT / "assets" / "logo.svg"), icon_image=str(ROOT / "assets" / "icon.svg"), size="large")
pages = [st.Page(f"pages/{name}.py", title=title, icon=icon, default=name == "map") for name, title, icon in PAGES]
chosen = st.navigation(pages, position="top")
if wanted := reruns.wanted_page():
    st.switch_page(f"pages/{wanted}.py", query_params=st.query_params.to_dict())
st.html(ROOT / "ui" / "shared" / "app.css")
own.begin()
unusable: list[str] = []
try:
    load_plugins(unusable.append)  # spaces and methods that the variable SVGE_PLUGINS or an installed package names
except SvgeError as error:
    unusable.append(str(error))
for line in unusable:
    st.error(plain(line), icon=":material/extension_off:")
if shared():
    try:
        asking.quota()
    except SvgeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()
keeping.come_back(loaders.checkpoint_folders())
for problem in links.follow_link(loaders.checkpoint_folders()):
    st.warning(plain(problem), icon=":material/link_off:")
sidebar(undo=chosen.title not in ("Map", "Table"))
session_sidebar()
keeping.listen()
keyboard()
if chosen.title not in ("Map", "Interpolate", "Compare"):  # these write more into the address
    links.write_space_link()
tour()
chosen.run()

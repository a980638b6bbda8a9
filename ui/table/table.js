// A window of the table of a space. Every text is set as text, never as HTML. Headers are buttons that sort; a press on a
// row, or Enter on it, shows the cell; arrow keys move between rows; ticks choose.

function element(name, text, parent, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

function head(data, table, send) {
  const line = element("tr", null, element("thead", null, table));
  const all = element("input", null, element("th", null, line, { scope: "col", className: "sp-tick" }), { type: "checkbox" });
  all.setAttribute("aria-label", "Tick all rows of this page");
  const ticks = data.rows.filter((row) => row.ticked).length;
  all.checked = ticks > 0 && ticks === data.rows.length;
  all.indeterminate = ticks > 0 && ticks < data.rows.length;
  all.disabled = data.rows.length === 0;
  all.addEventListener("change", () => send("tick", { rows: data.rows.map((row) => row.row), on: all.checked }));
  for (const column of data.columns) {
    const cell = element("th", null, line, { scope: "col", title: column.help ?? "" });
    cell.dataset.kind = column.kind;
    if (!column.sortable) {
      element("span", column.title, cell);
      if (column.small) element("small", column.small, cell);
      continue;
    }
    cell.setAttribute("aria-sort", column.sort || "none");
    const button = element("button", null, cell, { type: "button" });
    button.dataset.key = column.key;
    element("span", column.title, button);
    const arrow = column.sort === "ascending" ? "▲" : column.sort === "descending" ? "▼" : "";
    element("i", arrow, button).setAttribute("aria-hidden", "true");
    if (column.small) element("small", column.small, button);
    button.addEventListener("click", () => send("sort", { key: column.key }));
  }
}

function body(data, table, send) {
  const part = element("tbody", null, table);
  const lines = [];
  for (const row of data.rows) {
    const line = element("tr", null, part, { tabIndex: row.focus ? 0 : -1 });
    if (row.focus) line.setAttribute("aria-current", "true");
    const tick = element("input", null, element("td", null, line, { className: "sp-tick" }), { type: "checkbox", checked: row.ticked });
    tick.tabIndex = line.tabIndex;
    line.tick = tick;
    tick.setAttribute("aria-label", `Tick ${row.name}`);
    tick.addEventListener("change", () => send("tick", { rows: [row.row], on: tick.checked }));
    row.cells.forEach((text, place) => {
      const column = data.columns[place];
      const cell = element(place === 0 ? "th" : "td", text || "–", line, { className: column.wide ? "sp-wide" : "" });
      if (place === 0) cell.scope = "row";
      if (column.kind === "predicted") cell.dataset.kind = "predicted";
      if (column.wide) cell.title = text;
    });
    line.addEventListener("click", (event) => event.target.closest("input, .sp-tick") || send("focus", { row: row.row }));
    line.addEventListener("focusin", () => rove(lines, line));
    line.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const next = step && lines[lines.indexOf(line) + step];
      if (next) (event.target === tick ? next.tick : next).focus();
      else if (event.target !== line) return;
      else if (event.key === "Enter") send("focus", { row: row.row });
      else if (event.key === " ") tick.click();
      else return;
      event.preventDefault();
    });
    lines.push(line);
  }
  if (lines.length && !data.rows.some((row) => row.focus)) rove(lines, lines[0]);
}

// Tab stops at one row and its tick, and leads on from there: a hundred rows are no hundred stops.
function rove(lines, here) {
  for (const line of lines) line.tabIndex = line.tick.tabIndex = line === here ? 0 : -1;
}

// What has the keyboard, so that it has it again after the table was drawn anew: a header, or a row or its tick.
function placeOf(active) {
  if (!active) return null;
  if (active.dataset.key) return { key: active.dataset.key };
  const line = active.closest("tr");
  return line && { row: line.rowIndex, tick: active.tagName === "INPUT" };
}

function giveBack(host, table, place) {
  if (!place) return;
  if (place.key) return [...host.querySelectorAll("button")].find((button) => button.dataset.key === place.key)?.focus();
  const line = table.rows[place.row];
  (place.tick ? line?.querySelector("input") : line)?.focus({ preventScroll: true });
}

export default function ({ data, parentElement, setTriggerValue }) {
  const host = parentElement.querySelector(".sp");
  const shown = JSON.stringify(data);
  if (host.shown === shown) return; // what has the keyboard and how far it was scrolled stay
  const active = host.contains(host.getRootNode().activeElement) ? host.getRootNode().activeElement : null;
  const place = placeOf(active);
  const { scrollLeft, scrollTop } = host;
  const samePlace = host.window === data.window;
  host.shown = shown;
  host.window = data.window;
  host.replaceChildren();
  Object.assign(host, { tabIndex: 0, role: "region", ariaLabel: data.caption });
  const table = element("table", null, host);
  element("caption", data.caption, table);
  const send = (name, value) => setTriggerValue(name, value);
  head(data, table, send);
  body(data, table, send);
  host.scrollLeft = scrollLeft;
  host.scrollTop = samePlace ? scrollTop : 0;
  giveBack(host, table, place);
}

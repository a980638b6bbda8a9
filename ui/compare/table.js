// A table of scores. Every text is set as text, never as HTML. The meaning of a row shows beside its button: on hover, on
// focus, and on a tap, which gives focus; Escape hides it.

let tips = 0;

function element(name, text, parent, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

function explain(cell, row, tip) {
  const button = element("button", "?", cell, { type: "button" });
  button.setAttribute("aria-label", `What ${row.title}, ${row.kind}, is`);
  button.setAttribute("aria-describedby", tip.id);
  const show = () => {
    tip.textContent = row.meaning;
    tip.hidden = false;
    const at = button.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - width - 8))}px`;
    const below = at.bottom + 6;
    tip.style.top = `${below + height < window.innerHeight ? below : Math.max(8, at.top - height - 6)}px`;
  };
  const hide = () => (tip.hidden = true);
  for (const event of ["mouseenter", "focus", "click"]) button.addEventListener(event, show);
  for (const event of ["mouseleave", "blur"]) button.addEventListener(event, hide);
  button.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}

export default function ({ data, parentElement }) {
  const host = parentElement.querySelector(".ct");
  const shown = JSON.stringify(data);
  if (host.shown === shown) return; // what is focused and how far it was scrolled stay
  host.shown = shown;
  host.replaceChildren();
  Object.assign(host, { tabIndex: 0, role: "region", ariaLabel: data.caption });
  const tip = element("div", "", host, { className: "ct-tip", hidden: true, id: `ct-tip-${(tips += 1)}`, role: "tooltip" });
  const table = element("table", null, host);
  element("caption", data.caption, table);
  const head = element("tr", null, element("thead", null, table));
  for (const title of ["Score", ...data.columns]) element("th", title, head, { scope: "col" });
  const body = element("tbody", null, table);
  for (const row of data.rows) {
    const line = element("tr", null, body);
    line.dataset.kind = row.kind;
    const name = element("th", row.title, line, { scope: "row" });
    explain(name, row, tip);
    element("small", row.short, name);
    for (const value of row.values) {
      const kind = value.best ? "best" : value.known ? "" : "unknown";
      const cell = element("td", value.text, line, { className: kind });
      if (value.best) element("span", "best", cell);
    }
  }
}

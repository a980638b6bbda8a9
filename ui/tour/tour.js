// The tour. Where a person is in it, and that it was dismissed, only the browser knows.

const TOUR_KEY = "svge-tour", TOUR_DONE = "done";
const tours = new WeakMap();

class Tour {
  constructor(parent) {
    this.root = parent.querySelector(".to");
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation(); // of the tour, not of the map
      this.end();
    });
  }

  update({ data }) {
    this.steps = data.steps;
    if (this.at === undefined) {
      const kept = this.kept();
      this.at = kept === TOUR_DONE ? this.steps.length : Math.min(Number(kept) || 0, this.steps.length - 1);
    }
    this.show(false);
  }

  kept() {
    try {
      return localStorage.getItem(TOUR_KEY);
    } catch {
      return null; // storage is blocked: the tour can be dismissed until the page is left
    }
  }

  go(at) {
    this.at = at;
    try {
      localStorage.setItem(TOUR_KEY, at >= this.steps.length ? TOUR_DONE : String(at));
    } catch { /* as above */ }
    this.show(true);
  }

  end() {
    this.go(this.steps.length);
  }

  show(moved) {
    const step = this.steps[this.at], { root } = this;
    root.hidden = !step;
    document.documentElement.dataset.svgeTour = step ? "open" : TOUR_DONE; // the page gives it room, or none
    if (!step) return root.replaceChildren();
    if (!moved && root.dataset.step === String(this.at)) return;
    root.dataset.step = String(this.at);
    const part = (tag, name, words) => Object.assign(document.createElement(tag), { className: name, textContent: words });
    const words = part("div", "to-words", ""), acts = part("div", "to-acts", "");
    words.setAttribute("role", "status");
    words.append(part("span", "to-place", `${this.at + 1} of ${this.steps.length}`), part("b", "", step.title), step.text);
    const button = (name, label, action) => {
      const made = Object.assign(part("button", name, label), { type: "button", onclick: action });
      acts.append(made);
      return made;
    };
    for (const act of step.acts) button("to-act", act.words, () => this.act(act));
    if (this.at) button("", "Back", () => this.go(this.at - 1));
    const last = this.at === this.steps.length - 1;
    const next = button("", last ? "Done" : "Next", () => this.go(this.at + 1));
    if (!last) button("to-end", "Don’t show again", () => this.end());
    root.replaceChildren(words, acts);
    if (moved) next.focus({ preventScroll: true });
  }

  // The page is gone to as by a click in the navigation; where that is folded away, by its address.
  act({ page, press }) {
    const pressed = () => {
      const found = press && document.querySelector(`.st-key-${press} button`);
      found?.click();
      return !press || Boolean(found);
    };
    const here = window.location.pathname.replace(/\/$/, "").split("/").at(-1), there = page || "map";
    const links = [...document.querySelectorAll('[data-testid="stTopNavLink"], [data-testid="stSidebarNavLink"]')];
    const link = links.find(({ pathname }) => (pathname.replace(/\/$/, "").split("/").at(-1) || "map") === there);
    if (press ? pressed() : here === page) return;
    if (link) link.click();
    else window.location.assign(page ? `${page}` : "./");
    let tries = 100;
    const wait = () => !pressed() && tries-- > 0 && setTimeout(wait, 100);
    if (press) setTimeout(wait, 300);
  }
}

export default function (component) {
  const parent = component.parentElement;
  let tour = tours.get(parent);
  if (!tour) tours.set(parent, (tour = new Tour(parent)));
  tour.update(component);
  return () => tours.delete(parent);
}

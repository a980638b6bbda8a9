// Tab goes from a popover's button into what it shows, and out of it behind the button. Who works by keyboard and whose
// control was drawn anew, or taken away, is put back to it, or else to the place where it stood.

const REACHED = "a[href], button, input, select, textarea, summary, [tabindex]";
const OPENER = '[data-testid="stPopoverButton"][aria-expanded="true"]', OPENED = '[data-testid="stPopoverBody"]';
const PAUSE_MS = 120; // a control that is drawn anew comes back within this, as a rule

function reachable(part) {
  return [...part.querySelectorAll(REACHED)].filter((el) => el.tabIndex >= 0 && !el.disabled && el.getClientRects().length);
}

// Returns whether the key has done its work.
function tab(event) {
  const opener = document.querySelector(OPENER), opened = [...document.querySelectorAll(OPENED)].at(-1);
  const active = document.activeElement;
  if (!opener || !opened || (active !== opener && !opened.contains(active))) return false;
  const inside = reachable(opened), at = inside.indexOf(active);
  const target = active === opener && !event.shiftKey ? inside[0] : event.shiftKey && at === 0 ? opener : null;
  target?.focus();
  if (!event.shiftKey && at >= 0 && at === inside.length - 1) opener.focus(); // the browser goes on from there
  return Boolean(target);
}

function placeOf(key) {
  return document.getElementsByClassName(key)[0];
}

function keysAround(el) {
  const found = [];
  for (let at = el.closest('[class*="st-key-"]'); at; at = at.parentElement?.closest('[class*="st-key-"]')) {
    found.push([...at.classList].find((name) => name.startsWith("st-key-")));
  }
  return found;
}

class Keeper {
  constructor() {
    this.last = null; // what had the keyboard, and the keys of the containers around it
    document.addEventListener("keydown", (event) => {
      this.byKey = true;
      if (event.key === "Tab" && !event.altKey && !event.ctrlKey && !event.metaKey && tab(event)) event.preventDefault();
    }, true);
    document.addEventListener("pointerdown", () => { this.byKey = false; }, true);
    document.addEventListener("focusin", ({ target }) => this.note(target), true);
    document.addEventListener("focusout", ({ relatedTarget }) => relatedTarget || this.soon(), true);
    new window.MutationObserver(() => {
      const { last } = this;
      if (last && (last.el.disabled || !last.el.isConnected)) last.lost = true; // for a moment even
      this.soon();
    }).observe(document.body, {
      childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"],
    });
  }

  note(el) {
    if (el === this.standIn) return;
    this.release();
    const keys = keysAround(el), within = placeOf(keys[0]);
    const place = within ? reachable(within).filter((each) => each.tagName === el.tagName).indexOf(el) : -1;
    this.last = this.byKey ? { el, keys, place, page: window.location.pathname } : null;
  }

  // A place without a control, which has the keyboard for it.
  release() {
    if (this.lent) this.standIn.removeAttribute("tabindex");
    this.standIn = this.lent = null;
  }

  nowhere() {
    const active = document.activeElement;
    return this.last && this.byKey && (!active || active === document.body || active === this.standIn);
  }

  soon() {
    if (this.timer || !this.nowhere()) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.giveBack();
    }, PAUSE_MS);
  }

  giveBack() {
    const { last, standIn } = this, active = document.activeElement;
    if (!this.nowhere()) return;
    if (last.el.isConnected && !last.el.disabled) {
      if (last.lost || active === standIn) last.el.focus();
      return; // else it was let go of
    }
    const parts = last.keys.map(placeOf);
    const alike = parts[0] ? reachable(parts[0]).filter((el) => el.tagName === last.el.tagName) : [];
    if (alike.length) return alike[Math.min(Math.max(last.place, 0), alike.length - 1)].focus();
    const left = last.page !== window.location.pathname;
    const part = left ? document.querySelector('[data-testid="stMain"]') : parts.find(Boolean);
    if (!part || part === standIn) return;
    this.release();
    this.standIn = part;
    this.lent = !part.hasAttribute("tabindex");
    if (this.lent) part.setAttribute("tabindex", "-1");
    part.focus({ preventScroll: true });
  }
}

export default function () {
  window.svgeKeeper ??= new Keeper(); // the page outlives this module
}

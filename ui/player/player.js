// The player: what time it is, what that shows, and what a map is told to mark. The server hears only of stops.

const players = new WeakMap();
// What was played over each map. It outlives the page, which is left and comes back, and this module with it.
const played = (window.svgePlayed ??= new Map());
const TRAIL_LINE = 12; // the line joins so many of the last cells: all of them would hide the map
// Lies in the drawing: what changed has a halo there, or the accent's colour, and lights up and calms down.
function glow(accent) {
  return `<style>.halo,[stroke="${accent}"]{animation:glow 1s ease-out both}.halo path{animation:swell 1s ease-out both}`
    + `@keyframes glow{0%{opacity:0}30%{opacity:1;filter:drop-shadow(0 0 5px ${accent}) drop-shadow(0 0 2px ${accent})}`
    + "100%{opacity:1}}@keyframes swell{0%{stroke-width:1px}30%{stroke-width:15px}100%{stroke-width:10px}}</style>";
}

class Player {
  constructor(parent) {
    const root = parent.querySelector(".pl");
    this.ui = Object.fromEntries([...root.parentNode.querySelectorAll("[data-part]")].map((el) => [el.dataset.part, el]));
    this.time = 0;
    this.shows = 0; // numbered, because a browser that has shown an image does not begin its animation anew
    this.stop = new AbortController();
    const { ui } = this, on = (target, name, action) => target.addEventListener(name, action, { signal: this.stop.signal });
    on(ui.toggle, "click", () => (this.playing ? this.pause() : this.start()));
    on(ui.slider, "input", () => this.walk(Number(ui.slider.value)));
    on(ui.slider, "change", () => this.tell());
    on(window, "svge-map-ready", ({ detail }) => detail === this.data?.map && this.mark());
    this.observer = new ResizeObserver(() => this.data && this.draw());
    this.observer.observe(ui.curve);
  }

  get still() {
    return matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  get last() {
    return this.data.frames.length - 1;
  }

  get frame() {
    return Math.min(Math.floor(this.time + 1e-6), this.last);
  }

  update(component) {
    const before = this.data, { data } = component;
    this.component = component;
    this.data = data;
    this.style = this.readStyle();
    if (before?.identity !== data.identity || before?.pictures[0]?.svg !== data.pictures[0]?.svg) {
      this.pictures = data.pictures;
      this.drawn = undefined;
    }
    if (before?.identity !== data.identity) this.halt();
    if (before?.identity !== data.identity || (before.at !== data.at && !this.playing)) this.time = data.at;
    if (before?.identity !== data.identity || before.at !== data.at) this.told = data.at;
    this.ui.slider.max = String(this.last);
    this.legend();
    this.draw();
    const asked = data.play && data.play !== played.get(data.map);
    played.set(data.map, data.play);
    if (asked && !this.still) {
      this.time = 0;
      this.ui.root.scrollIntoView({ behavior: "smooth", block: "start" }); // the map is below
      this.start();
    }
  }

  start() {
    if (this.time >= this.last) this.time = 0;
    this.playing = true;
    this.before = performance.now();
    const step = (now) => {
      if (!this.playing) return;
      // the first frame may bear a time before the click
      const passed = (Math.max(0, now - this.before) / 1000) * Number(this.ui.speed.value) / this.data.pace;
      if (!this.still || passed >= 1) {
        // on a slow machine frames are shown late, and none is left out
        this.time = Math.min(this.last, this.still ? this.frame + 1 : Math.min(this.time + passed, this.frame + 1));
        this.before = now;
        this.draw();
      }
      if (this.time >= this.last) return this.pause();
      this.timer = requestAnimationFrame(step);
    };
    this.timer = requestAnimationFrame(step);
    this.draw();
  }

  halt() {
    this.playing = false;
    cancelAnimationFrame(this.timer);
  }

  pause() {
    this.halt();
    this.time = this.frame;
    this.draw();
    this.tell();
  }

  walk(frame) {
    this.halt();
    this.time = frame;
    this.draw();
  }

  // What the server knows already is not said again: it would run the page for nothing.
  tell() {
    if (this.frame === this.told) return;
    this.told = this.frame;
    this.component.setTriggerValue("stop", { frame: this.frame, seq: Date.now() });
  }

  draw() {
    const { ui, data, frame } = this, { words, picture } = data.frames[frame];
    ui.toggle.textContent = this.playing ? "❚❚ Pause" : this.time >= this.last ? "↻ Again" : "▶ Play";
    ui.toggle.removeAttribute("aria-label"); // its text says it from here on
    ui.slider.value = String(frame);
    ui.slider.setAttribute("aria-valuetext", words);
    ui.words.textContent = words;
    ui.root.dataset.frame = String(frame);
    ui.root.dataset.playing = String(Boolean(this.playing));
    ui.picture.hidden = picture === null;
    if (picture !== null && picture !== this.drawn) this.show(picture);
    ui.curve.setAttribute("aria-label", `${data.title}: ${words}`);
    drawCurve(ui.curve, data, this.time, this.style);
    this.mark();
  }

  show(picture) {
    const { drawing } = this.ui, { svg, changed } = this.pictures[picture];
    this.drawn = picture;
    const ending = changed && !this.still ? `${glow(this.data.accent)}<!-- ${++this.shows} --></svg>` : "</svg>";
    drawing.src = asImage(svg.replace("</svg>", ending));
    drawing.alt = this.data.frames[this.frame].words;
  }

  // ---- the marker on the map -------------------------------------------------------------------------------------

  mark() {
    const { data } = this, idle = !this.playing && this.time === data.at && !data.always;
    const frame = idle ? null : data.kind === "search" ? this.trail() : this.onPath();
    const at = { stop: this.frame, part: eased(this.time - this.frame) };
    window.dispatchEvent(new CustomEvent("svge-play", { detail: { map: data.map, frame, at } }));
  }

  onPath() {
    const { frames } = this.data, here = frames[this.frame], next = frames[this.frame + 1] ?? here;
    const ease = eased(this.time - this.frame);
    const place = { x: here.x + (next.x - here.x) * ease, y: here.y + (next.y - here.y) * ease };
    const label = here.words.split(":")[0];
    return { words: here.words, replaces: ["focus", "decoded", "neighbour"], lines: [],
      marks: [{ ...place, kind: "decoded", label, number: null }] };
  }

  trail() {
    const seen = this.data.frames.slice(0, this.frame + 1), at = seen.at(-1), known = seen.filter(({ x }) => x !== null);
    const { values } = this.data.curves[0], best = values[this.frame];
    const found = seen.findIndex((_, i) => values[i] === best);
    const marks = known.map(({ x, y }) => ({ x, y, kind: "trail", label: "", number: null }));
    const star = this.data.frames[found];
    if (star && star.x !== null) marks.push({ x: star.x, y: star.y, kind: "basket", label: "", number: null });
    if (at.x !== null) marks.push({ x: at.x, y: at.y, kind: "focus", label: at.label, number: null });
    const line = known.slice(-TRAIL_LINE).map(({ x, y }) => [x, y]);
    return { words: at.words, replaces: ["trail", "basket", "focus", "pending"], marks, lines: [{ kind: "trail", xy: line }] };
  }

  // ---- looks -----------------------------------------------------------------------------------------------------

  readStyle() {
    const style = getComputedStyle(this.ui.root), read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
    return { text: style.color, accent: read("--st-primary-color", "#ff4b4b"), font: read("--st-font", "sans-serif"),
      line: read("--st-border-color", "rgba(128, 128, 128, 0.3)") };
  }

  legend() {
    const title = document.createElement("span");
    title.textContent = this.data.title;
    this.ui.legend.replaceChildren(title, ...this.data.curves.filter(({ name }) => name).map(({ name, colour, kind }) => {
      const item = document.createElement("span"), swatch = document.createElement("i"), paint = colour || this.style.text;
      swatch.className = kind === "dots" ? "pl-dot" : kind === "predicted" ? "pl-predicted" : "";
      swatch.style[kind === "dots" ? "backgroundColor" : "borderColor"] = paint;
      item.append(swatch, name); // append(string) makes a text node: names are never read as HTML
      return item;
    }));
  }

  destroy() {
    this.halt();
    this.stop.abort();
    this.observer.disconnect();
    window.dispatchEvent(new CustomEvent("svge-play", { detail: { map: this.data.map, frame: null } }));
  }
}

function eased(part) {
  return part * part * (3 - 2 * part);
}

// As an image a drawing can neither run nor load anything.
function asImage(svg) {
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}

export default function (component) {
  const parent = component.parentElement;
  let player = players.get(parent);
  if (!player) players.set(parent, (player = new Player(parent)));
  player.update(component);
  return () => {
    players.delete(parent);
    player.destroy();
  };
}

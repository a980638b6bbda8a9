// The latent map as a component: what the server sends, what people do with pointer and keyboard, and what the server
// is told of it. The server owns points, colours and marks; the browser owns the camera (view.js).

const HIT_RADIUS = { mouse: 8, pen: 10, touch: 16 };
const KEY_HIT_RADIUS = 4; // shorter than an arrow step: a walk must not stick to a point
const KEY_STEP = 12, KEY_STEP_LARGE = 48, KEY_PAUSE_MS = 120;
const DRAG_THRESHOLD = 4, DOUBLE_CLICK_MS = 320, BUTTON_ZOOM = 1.8;
const LASSO_VERTICES = 200;
const instances = new WeakMap();

class LatentMap extends MapView {
  constructor(parent) {
    super(parent);
    this.pointers = new Map();
    this.stop = new AbortController();
    this.loads = { points: 0, colour: 0, background: 0 };
    this.listen();
    this.setStatus("loading");
    this.startGraphics();
  }

  // ---- what the server sends -------------------------------------------------------------------------------------

  update(component) {
    const before = this.data, data = component.data;
    this.component = component;
    this.data = data;
    this.root.style.height = `${data.height}px`;
    this.root.dataset.key = data.key;
    if (!this.renderer) return this.reportStatus();
    const themed = this.readTheme();
    Object.assign(this.scene, { marks: data.marks, lines: data.lines, lasso: data.lasso });
    if (this.scene.pending && data.seq >= this.scene.pending.seq) this.scene.pending = null;
    if (before.points?.url !== data.points.url || before.points?.digest !== data.points.digest) this.loadPoints();
    if (JSON.stringify(before.colour) !== JSON.stringify(data.colour)) this.loadColour();
    else if (before.dim !== data.dim) this.applyColour();
    if (JSON.stringify(before.background) !== JSON.stringify(data.background)) this.loadBackground();
    this.reportStatus();
    this.requestDraw(themed);
  }

  async loadPoints() {
    const { points } = this.data, turn = ++this.loads.points;
    this.index = this.labels = null;
    this.values = null;
    this.hover(null);
    if (!points.n) return this.say("There are no points to show.");
    this.say(`Loading ${count(points.n)} points…`);
    try {
      const xy = await fetchFloats(points.url, 2 * points.n);
      if (turn !== this.loads.points) return;
      this.index = new GridIndex(xy);
      this.renderer.setPoints(xy);
      this.camera = null;
      this.measureSize();
      this.restoreCamera();
      if (this.fetched) this.applyColour();
    } catch (error) {
      if (turn === this.loads.points) this.failed("the map", error);
    }
  }

  async loadColour() {
    const { colour, points } = this.data, turn = ++this.loads.colour;
    this.fetched = null;
    try {
      const values = await fetchFloats(colour.url, points.n);
      if (turn !== this.loads.colour) return;
      this.fetched = values;
      this.fetchedColour = colour;
      if (this.index) this.applyColour();
    } catch (error) {
      if (turn === this.loads.colour) this.failed(`the values of “${colour.title}”`, error);
    }
  }

  applyColour() {
    if (!this.fetched || !this.index) return;
    const { dim, points } = this.data;
    this.values = this.fetched;
    this.colour = this.fetchedColour;
    this.dimmed = dim ? unpackBits(dim, points.n) : null;
    this.upload();
    this.drawLegend();
    this.say("");
    this.setStatus("ready");
    Object.assign(this.root.dataset, { n: String(points.n), colour: this.colour.title });
    this.requestDraw(true);
  }

  upload() {
    const categorical = this.colour.categories.length > 0;
    this.renderer.setPalette(paletteBytes(this.colour), !categorical);
    this.renderer.setShades(shadesOf(this.values, this.colour, this.dimmed), categorical ? "data" : this.colour.onTop);
  }

  async loadBackground() {
    const { background } = this.data, turn = ++this.loads.background;
    this.background = null;
    if (!background) return;
    try {
      const bytes = new Uint8Array(await fetchBytes(background.url));
      if (turn !== this.loads.background) return;
      this.background = { ...background, bytes };
      this.greyImage = null;
      this.requestDraw(true);
    } catch (error) {
      console.warn("latent map: no background,", error.message); // decoration: the map works without it
    }
  }

  async loadLabels() {
    const url = this.data.points.labels;
    if (!url || this.labels) return;
    this.labels = { get: () => "" };
    try {
      const table = new LineTable(await fetchBytes(url));
      if (url !== this.data.points.labels) return;
      this.labels = table;
      if (this.hovered != null) this.showTip(this.hovered);
    } catch (error) {
      console.warn("latent map: no labels,", error.message); // the tooltip falls back to the point's number
    }
  }

  // ---- status and words ------------------------------------------------------------------------------------------

  setStatus(status) {
    this.root.dataset.status = status;
    this.root.setAttribute("aria-busy", String(status === "loading"));
    this.status = status;
    this.reportStatus();
  }

  // Never during mounting, when the answer could be lost; and only what the server does not know yet, because every
  // report costs a rerun of the page.
  reportStatus() {
    clearTimeout(this.statusTimer);
    this.statusTimer = setTimeout(() => {
      if (!this.component || this.status === "loading" || this.status === this.data.status) return;
      this.component.setStateValue("status", this.status);
    }, 30);
  }

  say(words, action) {
    this.ui.note.hidden = !words;
    this.ui.words.textContent = words;
    this.ui.retry.hidden = !action;
    this.retry = action;
  }

  failed(what, error) {
    console.warn(`latent map: could not load ${what}:`, error.message);
    this.setStatus("fetch-failed");
    this.say(`Could not load ${what} (${error.message}).`, () => {
      this.setStatus("loading");
      this.loadPoints();
      this.loadColour();
    });
  }

  startGraphics() {
    try {
      this.renderer = new PointRenderer(this.ui.points);
    } catch (error) {
      console.warn("latent map:", error.message);
      this.setStatus(canvasHasWebGL1() ? "no-webgl2" : "no-webgl");
      this.say("This browser cannot draw the map: WebGL2 is missing. A simpler chart takes its place.");
    }
  }

  // ---- events to the server --------------------------------------------------------------------------------------

  // The crosshair appears at once; the server's answer, which repeats this number, replaces it.
  choose(px, py, { exact = false, source = "pointer", radius = HIT_RADIUS.mouse, delay = 0 }) {
    if (!this.camera || !this.values) return;
    const index = exact ? -1 : this.pick(px, py, radius);
    const [x, y] = index >= 0 ? [this.index.xy[2 * index], this.index.xy[2 * index + 1]] : this.toData(px, py);
    const seq = Math.max(Date.now(), (this.lastSeq ?? 0) + 1);
    this.lastSeq = seq;
    this.scene.pending = { x, y, kind: "pending", label: "", number: null, seq };
    this.root.dataset.pending = `${x},${y}`; // at once, and not with the next frame: tests wait for it to go
    this.requestDraw(false);
    if (source === "key") this.announce(index, x, y);
    const event = { kind: index >= 0 ? "point" : "empty", index: index >= 0 ? index : null, x, y, source, seq };
    clearTimeout(this.keyTimer);
    if (delay) this.keyTimer = setTimeout(() => this.component.setTriggerValue("click", event), delay);
    else this.component.setTriggerValue("click", event);
  }

  // Where the server gives no lines, the point's number is its official index.
  pointName(index) {
    return this.labels?.get(index) || (this.data.points.labels ? `Point ${count(index)}` : `#${index}`);
  }

  // For screen readers: a walk on the canvas is silent otherwise.
  announce(index, x, y) {
    this.loadLabels();
    const point = this.pointName(index);
    this.ui.live.textContent = index >= 0 ? point : `Between the points, at ${x.toFixed(2)}, ${y.toFixed(2)}`;
  }

  finishLasso() {
    const outline = thinOutline(this.scene.drawing, LASSO_VERTICES);
    this.scene.drawing = null;
    if (outline.length < 3) return this.requestDraw(false);
    const polygon = outline.map(([px, py]) => this.toData(px, py));
    this.scene.lasso = polygon;
    this.component.setTriggerValue("lasso", { polygon });
    this.requestDraw(false);
  }

  clear() {
    clearTimeout(this.keyTimer);
    this.setLassoMode(false);
    Object.assign(this.scene, { pending: null, drawing: null, lasso: null });
    this.cursor = null;
    this.gesture = null;
    this.hover(null);
    this.component.setTriggerValue("clear", { seq: Date.now() });
    this.requestDraw(false);
  }

  setLassoMode(on) {
    this.lassoMode = on;
    this.root.dataset.mode = on ? "lasso" : "pan";
    this.ui.lasso.setAttribute("aria-pressed", String(on));
  }

  // ---- pointer and keyboard --------------------------------------------------------------------------------------

  listen() {
    const { ui, root } = this, on = (target, name, action, options = {}) =>
      target.addEventListener(name, action.bind(this), { signal: this.stop.signal, ...options });
    on(ui.over, "pointerdown", this.pointerDown);
    on(ui.over, "pointermove", this.pointerMove);
    on(ui.over, "pointerup", this.pointerUp);
    on(ui.over, "pointercancel", this.pointerCancel);
    on(ui.over, "pointerleave", () => this.hover(null));
    on(ui.over, "wheel", this.wheel, { passive: false });
    on(root, "keydown", this.keyDown);
    on(ui.zoomIn, "click", () => this.glideZoom(BUTTON_ZOOM));
    on(ui.zoomOut, "click", () => this.glideZoom(1 / BUTTON_ZOOM));
    on(ui.reset, "click", () => this.fit && this.glide(this.fit));
    on(ui.lasso, "click", () => this.setLassoMode(!this.lassoMode));
    on(ui.retry, "click", () => this.retry?.());
    on(ui.points, "webglcontextlost", (event) => {
      event.preventDefault(); // without this the browser never gives the context back
      this.setStatus("context-lost");
      this.say("The graphics card was taken away for a moment. The map returns by itself.");
    });
    on(ui.points, "webglcontextrestored", () => {
      this.renderer.build();
      this.say("");
      this.setStatus("ready");
      this.requestDraw(true);
    });
    on(window, "resize", () => this.measureSize()); // a change of the device pixel ratio alone resizes no element
    this.observer = new ResizeObserver(() => this.measureSize());
    this.observer.observe(ui.plane);
  }

  place(event) {
    const box = this.ui.over.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  pointerDown(event) {
    if (event.button !== 0 || !this.camera) return;
    this.ui.over.setPointerCapture(event.pointerId);
    cancelAnimationFrame(this.gliding);
    this.pointers.set(event.pointerId, this.place(event));
    const lasso = this.lassoMode || (event.shiftKey && event.pointerType === "mouse");
    this.gesture = this.pointers.size > 1 ? "pinch" : "press";
    this.press = { at: this.place(event), lasso };
    if (this.gesture === "pinch") this.scene.drawing = null;
  }

  pointerMove(event) {
    const at = this.place(event);
    if (!this.pointers.has(event.pointerId)) return this.hoverAt(at);
    const from = this.pointers.get(event.pointerId);
    if (this.gesture === "pinch") return this.pinch(event.pointerId, at);
    this.pointers.set(event.pointerId, at);
    if (this.gesture === "press" && distance(at, this.press.at) > DRAG_THRESHOLD) {
      this.gesture = this.press.lasso ? "lasso" : "pan";
      this.root.dataset.gesture = this.gesture;
      this.hover(null);
      if (this.gesture === "lasso") this.scene.drawing = [this.press.at];
      else return this.pan(this.press.at, at);
    }
    if (this.gesture === "pan") this.pan(from, at);
    if (this.gesture === "lasso" && distance(at, this.scene.drawing.at(-1)) > 2) {
      this.scene.drawing.push(at);
      this.requestDraw(false);
    }
  }

  pan(from, to) {
    const { camera } = this;
    const dx = (to[0] - from[0]) / camera.scale, dy = (to[1] - from[1]) / camera.scale;
    this.setCamera({ ...camera, x: camera.x - dx, y: camera.y + dy });
  }

  pinch(id, at) {
    const other = [...this.pointers].find(([key]) => key !== id)?.[1];
    const from = this.pointers.get(id);
    this.pointers.set(id, at);
    if (!other) return;
    const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    this.pan(middle(from, other), middle(at, other));
    this.zoomAbout(...middle(at, other), Math.max(distance(at, other), 1) / Math.max(distance(from, other), 1));
  }

  pointerUp(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { gesture } = this, at = this.place(event);
    if (this.pointers.size) return; // the last finger of a pinch ends it
    this.gesture = null;
    this.root.dataset.gesture = "";
    if (gesture === "lasso") this.finishLasso();
    if (gesture === "press") this.click(event, at);
  }

  pointerCancel(event) {
    this.pointers.delete(event.pointerId);
    this.gesture = this.scene.drawing = null;
    this.root.dataset.gesture = "";
    this.requestDraw(false);
  }

  // The first click of a double click is answered at once, because waiting to see whether a second follows would make
  // every click slow. The second one only zooms.
  click(event, at) {
    const last = this.lastClick, now = performance.now();
    if (last && now - last.time < DOUBLE_CLICK_MS && distance(at, last.at) < 6) {
      this.lastClick = null;
      return this.glideZoom(2.2, ...at);
    }
    this.lastClick = { time: now, at };
    this.cursor = null;
    const radius = HIT_RADIUS[event.pointerType] ?? HIT_RADIUS.mouse;
    this.choose(...at, { exact: event.altKey || event.shiftKey, radius });
  }

  hoverAt([px, py]) {
    if (!this.camera || !this.values) return;
    const index = this.pick(px, py, HIT_RADIUS.mouse);
    this.hover(index >= 0 ? index : null);
  }

  wheel(event) {
    event.preventDefault();
    cancelAnimationFrame(this.gliding);
    this.hover(null);
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.002; // a trackpad pinch arrives as a wheel with Ctrl held and small steps
    this.zoomAbout(...this.place(event), Math.exp(-clamp(event.deltaY * lines, -240, 240) * speed));
  }

  keyDown(event) {
    const onButton = event.composedPath()[0].closest?.("button");
    if (event.ctrlKey || event.metaKey || (onButton && (event.key === "Enter" || event.key === " "))) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const action = arrow ? () => this.walk(...arrow, event.shiftKey) : {
      "+": () => this.glideZoom(BUTTON_ZOOM), "=": () => this.glideZoom(BUTTON_ZOOM),
      "-": () => this.glideZoom(1 / BUTTON_ZOOM), "_": () => this.glideZoom(1 / BUTTON_ZOOM),
      0: () => this.fit && this.glide(this.fit), Escape: () => this.clear(),
      l: () => this.setLassoMode(!this.lassoMode), L: () => this.setLassoMode(!this.lassoMode),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has shortcuts of its own
    action();
  }

  // The walk keeps its own exact place: answers snap to points, and walking on from those would drift.
  walk(dx, dy, large) {
    if (!this.camera) return;
    const focus = this.scene.pending ?? this.scene.marks.find((m) => m.kind === "focus" || m.kind === "decoded");
    const [x, y] = this.cursor ?? (focus ? [focus.x, focus.y] : [this.camera.x, this.camera.y]);
    const step = large ? KEY_STEP_LARGE : KEY_STEP;
    const { x0, x1, y0, y1 } = this.index.bounds, margin = 0.1 * Math.max(x1 - x0, y1 - y0);
    const to = [x + (dx * step) / this.camera.scale, y - (dy * step) / this.camera.scale];
    this.cursor = [clamp(to[0], x0 - margin, x1 + margin), clamp(to[1], y0 - margin, y1 + margin)];
    this.keepInView(this.cursor);
    this.choose(...this.toScreen(...this.cursor), { source: "key", radius: KEY_HIT_RADIUS, delay: KEY_PAUSE_MS });
  }

  keepInView([x, y]) {
    const [px, py] = this.toScreen(x, y), { width, height } = this.size, edge = 24;
    const dx = px - clamp(px, edge, width - edge), dy = py - clamp(py, edge, height - edge);
    if (dx || dy) this.pan([dx, dy], [0, 0]);
  }

  destroy() {
    this.stop.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.gliding);
    for (const timer of [this.statusTimer, this.settleTimer, this.keyTimer]) clearTimeout(timer);
    this.renderer?.dispose();
  }
}

function distance([ax, ay], [bx, by]) {
  return Math.hypot(ax - bx, ay - by);
}

function canvasHasWebGL1() {
  return Boolean(document.createElement("canvas").getContext("webgl"));
}

// Streamlit calls this on mounting and again for every change of data or theme, always with the same parent.
export default function (component) {
  const parent = component.parentElement;
  let map = instances.get(parent);
  if (!map) instances.set(parent, (map = new LatentMap(parent)));
  map.update(component);
  return () => {
    instances.delete(parent);
    map.destroy();
  };
}

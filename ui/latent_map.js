// The latent map: camera, pointer and keyboard, legend, tooltip, messages. The server owns points, colours and marks;
// the browser owns the camera, so nothing the server sends can move the view.

const HIT_RADIUS = { mouse: 8, pen: 10, touch: 16 };
const KEY_HIT_RADIUS = 4; // shorter than an arrow step: a walk must not stick to a point
const KEY_STEP = 12, KEY_STEP_LARGE = 48, KEY_PAUSE_MS = 120;
const DRAG_THRESHOLD = 4, DOUBLE_CLICK_MS = 320, SETTLE_MS = 140;
const ZOOM_OUT_LIMIT = 0.5, ZOOM_IN_LIMIT = 4000, BUTTON_ZOOM = 1.8;
const LASSO_VERTICES = 200;
const STORAGE_PREFIX = "svge-map:";
const instances = new WeakMap();

class LatentMap {
  constructor(parent) {
    this.root = parent.querySelector(".lm");
    this.ui = Object.fromEntries([...this.root.querySelectorAll("[data-part]")].map((el) => [el.dataset.part, el]));
    this.scene = { marks: [], lines: [], lasso: null, drawing: null, hover: null, pending: null };
    this.pointers = new Map();
    this.stop = new AbortController();
    this.size = { width: 0, height: 0, ratio: 1 };
    this.data = {};
    this.loads = { points: 0, colour: 0, background: 0 };
    this.overlay = new Overlay(this.ui.over.getContext("2d"));
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

  // ---- graphics --------------------------------------------------------------------------------------------------

  startGraphics() {
    try {
      this.renderer = new PointRenderer(this.ui.points);
    } catch (error) {
      console.warn("latent map:", error.message);
      this.setStatus(canvasHasWebGL1() ? "no-webgl2" : "no-webgl");
      this.say("This browser cannot draw the map: WebGL2 is missing. A simpler chart takes its place.");
    }
  }

  readTheme() {
    const style = getComputedStyle(this.root), rgb = (css) => cssToRgb(css, this.ui.probe);
    const read = (name, otherwise) => rgb(style.getPropertyValue(name).trim() || otherwise);
    const text = read("--st-text-color", "#31333f"), background = read("--st-background-color", "#ffffff");
    const accent = read("--st-primary-color", "#ff4b4b");
    const grey = text.map((c, i) => Math.round(c * 0.45 + background[i] * 0.55));
    const css = (c) => `rgb(${c.join(",")})`;
    const before = JSON.stringify(this.colours);
    this.colours = { text: css(text), background: css(background), accent: css(accent), grey,
      font: style.getPropertyValue("--st-font").trim() || "sans-serif", textRgb: text, backgroundRgb: background };
    const changed = before !== JSON.stringify(this.colours);
    if (changed) this.greyImage = null;
    return changed;
  }

  measureSize() {
    const { clientWidth: width, clientHeight: height } = this.ui.plane, ratio = window.devicePixelRatio || 1;
    if (width === this.size.width && height === this.size.height && ratio === this.size.ratio) return;
    const relative = this.camera && this.fit ? this.camera.scale / this.fit.scale : null;
    this.size = { width, height, ratio };
    for (const canvas of [this.ui.back, this.ui.points, this.ui.over]) {
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    }
    if (!width || !height) return;
    this.fit = this.fitCamera();
    // The same place at the same relative zoom, so that a narrower window shows the same neighbourhood.
    if (relative && this.fit) this.setCamera({ ...this.camera, scale: this.fit.scale * relative }, false);
    this.requestDraw(true);
  }

  fitCamera() {
    if (!this.index) return null;
    const { x0, y0, x1, y1 } = this.index.bounds, { width, height } = this.size;
    const pad = Math.min(28, width / 14), tools = this.ui.tools.offsetWidth + 12; // no point starts under the buttons
    const scale = Math.min((width - 2 * pad - tools) / (x1 - x0 || 1), (height - 2 * pad) / (y1 - y0 || 1));
    return { x: (x0 + x1) / 2 + tools / 2 / scale, y: (y0 + y1) / 2, scale: Math.max(scale, 1e-9) };
  }

  restoreCamera() {
    this.fit = this.fitCamera();
    if (!this.fit) return;
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(STORAGE_PREFIX + this.data.points.digest));
    } catch { /* storage is blocked or holds something else: start from the whole map */ }
    const usable = kept && [kept.x, kept.y, kept.zoom].every(Number.isFinite);
    this.setCamera(usable ? { x: kept.x, y: kept.y, scale: this.fit.scale * kept.zoom } : this.fit, false);
  }

  setCamera(camera, remember = true) {
    const { x0, y0, x1, y1 } = this.index.bounds;
    const scale = clamp(camera.scale, this.fit.scale * ZOOM_OUT_LIMIT, this.fit.scale * ZOOM_IN_LIMIT);
    this.camera = { x: clamp(camera.x, x0, x1), y: clamp(camera.y, y0, y1), scale };
    this.root.dataset.camera = [this.camera.x, this.camera.y, scale].map((v) => v.toPrecision(9)).join(",");
    if (remember) {
      const kept = { x: this.camera.x, y: this.camera.y, zoom: scale / this.fit.scale };
      try {
        sessionStorage.setItem(STORAGE_PREFIX + this.data.points.digest, JSON.stringify(kept));
      } catch { /* storage is full or blocked: the view is kept until the page is left */ }
      this.moving = performance.now();
      clearTimeout(this.settleTimer);
      this.settleTimer = setTimeout(() => this.requestDraw(true), SETTLE_MS);
    }
    this.requestDraw(true);
  }

  toScreen(x, y) {
    const { width, height } = this.size, { camera } = this;
    return [width / 2 + (x - camera.x) * camera.scale, height / 2 - (y - camera.y) * camera.scale];
  }

  toData(px, py) {
    const { width, height } = this.size, { camera } = this;
    return [camera.x + (px - width / 2) / camera.scale, camera.y - (py - height / 2) / camera.scale];
  }

  zoomAbout(px, py, factor) {
    if (!this.camera) return;
    const [x, y] = this.toData(px, py), { width, height } = this.size;
    const scale = clamp(this.camera.scale * factor, this.fit.scale * ZOOM_OUT_LIMIT, this.fit.scale * ZOOM_IN_LIMIT);
    this.setCamera({ x: x - (px - width / 2) / scale, y: y + (py - height / 2) / scale, scale });
  }

  glide(target) {
    if (!this.camera) return;
    cancelAnimationFrame(this.gliding);
    const still = this.renderer?.slow || matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still) return this.setCamera(target);
    const from = this.camera, began = performance.now();
    const step = (now) => {
      const t = clamp((now - began) / 180, 0, 1), ease = t * (2 - t), mix = (a, b) => a + (b - a) * ease;
      const scale = t < 1 ? from.scale * (target.scale / from.scale) ** ease : target.scale;
      this.setCamera({ x: t < 1 ? mix(from.x, target.x) : target.x, y: t < 1 ? mix(from.y, target.y) : target.y, scale });
      if (t < 1) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  glideZoom(factor, px = this.size.width / 2, py = this.size.height / 2) {
    if (!this.camera) return;
    const [x, y] = this.toData(px, py), { width, height } = this.size;
    const scale = clamp(this.camera.scale * factor, this.fit.scale * ZOOM_OUT_LIMIT, this.fit.scale * ZOOM_IN_LIMIT);
    this.glide({ x: x - (px - width / 2) / scale, y: y + (py - height / 2) / scale, scale });
  }

  requestDraw(points) {
    this.pointsDirty ||= points;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.camera || !this.size.width) return;
    if (this.size.ratio !== (window.devicePixelRatio || 1)) this.measureSize();
    if (this.pointsDirty && this.values) {
      this.pointsDirty = false;
      this.drawBackground();
      this.drawPoints();
    }
    const view = { ...this.size, toScreen: (x, y) => this.toScreen(x, y) };
    this.overlay.draw(view, this.scene, this.colours);
    this.root.dataset.marks = String(this.scene.marks.length);
    this.root.dataset.pending = this.scene.pending ? `${this.scene.pending.x},${this.scene.pending.y}` : "";
  }

  drawPoints() {
    const { ratio } = this.size, moving = performance.now() - (this.moving ?? -Infinity) < SETTLE_MS - 10;
    const unit = (rgb) => rgb.map((c) => c / 255), { size, alpha } = this.pointStyle();
    const style = { size: Math.max(size * ratio, 1), alpha, rim: unit(this.colours.backgroundRgb),
      missing: [...unit(this.colours.grey), alpha * 0.55], dimmed: [...unit(this.colours.grey), alpha * 0.16] };
    if (this.renderer.draw(this.camera, ratio, style, moving) && !moving) this.requestDraw(true);
    this.root.dataset.frame = String(this.renderer.frames);
  }

  // Dots shrink and thin out with their number, and grow with the zoom more slowly than the space between them.
  pointStyle() {
    const { width, height } = this.size, zoom = this.camera.scale / this.fit.scale;
    const base = clamp(0.66 * Math.sqrt((width * height) / this.data.points.n), 1.5, 7);
    const size = Math.min(base * Math.max(zoom, 0.7) ** 0.42, 13);
    return { size, alpha: clamp(0.48 + 0.09 * size, 0.55, 0.92) };
  }

  drawBackground() {
    const canvas = this.ui.back, ctx = canvas.getContext("2d"), { ratio, width, height } = this.size;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    if (!this.background) return;
    this.greyImage ||= backgroundImage(this.background.bytes, this.background, this.colours.textRgb);
    const [x0, x1, y0, y1] = this.background.extent;
    const [left, top] = this.toScreen(x0, y1), [right, bottom] = this.toScreen(x1, y0);
    ctx.globalAlpha = 0.085;
    ctx.fillStyle = this.colours.text;
    ctx.fillRect(0, 0, width, height); // beyond the grid there is nothing known at all
    ctx.clearRect(left, top, right - left, bottom - top);
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(this.greyImage, left, top, right - left, bottom - top);
    ctx.globalAlpha = 1;
  }

  // ---- legend and tooltip ----------------------------------------------------------------------------------------

  drawLegend() {
    const { title, unit, low, high, palette, categories } = this.colour, { ui } = this;
    ui.title.textContent = unit ? `${title} (${unit})` : title;
    ui.scale.hidden = categories.length > 0;
    ui.names.hidden = !ui.scale.hidden;
    ui.low.textContent = formatNumber(low, high - low, 0);
    ui.high.textContent = formatNumber(high, high - low, 0);
    ui.bar.style.background = `linear-gradient(to right, ${palette.join(", ")})`;
    ui.names.replaceChildren(...categories.map((name, i) => {
      const item = document.createElement("li"), swatch = document.createElement("i");
      swatch.style.background = palette[i % palette.length];
      item.append(swatch, name); // append(string) makes a text node: names are never read as HTML
      return item;
    }));
    const missing = this.values.reduce((sum, value) => sum + !Number.isFinite(value), 0);
    ui.missing.hidden = !missing;
    ui.missingWords.textContent = missing ? `${count(missing)} without a value` : "";
    const dimmed = this.dimmed ? this.dimmed.reduce((sum, bit) => sum + bit, 0) : 0;
    this.root.dataset.dimmed = String(dimmed);
    const total = this.values.length;
    ui.count.textContent = dimmed ? `${count(total - dimmed)} of ${count(total)} points` : `${count(total)} points`;
  }

  hover(index) {
    if (index === this.hovered) return;
    this.hovered = index;
    this.scene.hover = null;
    this.root.dataset.hover = index ?? "";
    this.ui.tip.hidden = index == null;
    this.ui.needle.hidden = index == null;
    if (index != null) {
      this.loadLabels();
      this.showTip(index);
    }
    this.requestDraw(false);
  }

  showTip(index) {
    const { tip, tipLabel, tipValue, needle } = this.ui, { xy } = this.index, value = this.values[index];
    const { low, high, unit, title, categories } = this.colour;
    const at = this.toScreen(xy[2 * index], xy[2 * index + 1]), { width, height } = this.size;
    this.scene.hover = at;
    tipLabel.textContent = this.labels?.get(index) || `Point ${count(index)}`;
    const number = formatNumber(value, high - low);
    const words = categories.length ? categories[value] ?? "no value" : number;
    tipValue.textContent = `${title}: ${words}${unit && Number.isFinite(value) && !categories.length ? ` ${unit}` : ""}`;
    needle.hidden = categories.length > 0 || !Number.isFinite(value);
    needle.style.left = `${clamp((value - low) / (high - low), 0, 1) * 100}%`;
    const box = tip.getBoundingClientRect();
    const below = at[1] < box.height + 24;
    tip.style.left = `${clamp(at[0] - box.width / 2, 6, Math.max(6, width - box.width - 6))}px`;
    tip.style.top = `${clamp(below ? at[1] + 14 : at[1] - box.height - 14, 6, height - box.height - 6)}px`;
  }

  pick(px, py, radius) {
    const [x, y] = this.toData(px, py);
    return this.index.nearest(x, y, radius / this.camera.scale, (i) => Boolean(this.dimmed?.[i]));
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
    this.requestDraw(false);
    const event = { kind: index >= 0 ? "point" : "empty", index: index >= 0 ? index : null, x, y, source, seq };
    clearTimeout(this.keyTimer);
    if (delay) this.keyTimer = setTimeout(() => this.component.setTriggerValue("click", event), delay);
    else this.component.setTriggerValue("click", event);
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
    this.setCamera({ ...camera, x: camera.x - (to[0] - from[0]) / camera.scale, y: camera.y + (to[1] - from[1]) / camera.scale });
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
    // A trackpad pinch arrives as a wheel with Ctrl held and small steps.
    this.zoomAbout(...this.place(event), Math.exp(-clamp(event.deltaY * lines, -240, 240) * (event.ctrlKey ? 0.01 : 0.002)));
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

function count(n) {
  return n.toLocaleString("en-US");
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

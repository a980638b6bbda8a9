// The latent map as a component: what the server sends, and what it is told of what people do (input.js). The server
// owns points, colours and marks; the browser owns the camera (view.js).

const LASSO_VERTICES = 200;
const instances = new WeakMap();

class LatentMap extends MapMotion {
  constructor(parent) {
    super(parent);
    this.loads = { points: 0, colour: 0, background: 0, surface: 0, contours: 0 };
    this.legend = new Legend(this.ui, this.stop.signal, (range) => this.moveBrush(range), (range) => this.brushed(range));
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
    if (data.twin?.second) this.root.ariaLabel = this.root.ariaLabel.replace(/^Map/, "Second map"); // each has its name
    this.root.dataset.empty = data.pointsOnly ? "passed" : "decoded";
    if (!this.renderer) return this.reportStatus();
    const themed = this.readTheme();
    Object.assign(this.scene, { marks: data.marks, lines: data.lines, lasso: data.lasso, parts: data.lassoParts });
    this.scene.regions = data.regions;
    const { pending } = this.scene; // one without a number was never sent
    if (pending && !(data.seq < pending.seq)) this.scene.pending = null;
    if (before.points?.url !== data.points.url || before.points?.digest !== data.points.digest) this.loadPoints();
    if (JSON.stringify(before.colour) !== JSON.stringify(data.colour)) this.loadColour();
    else if (before.dim !== data.dim) this.applyColour();
    const changed = (name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(data[name] ?? null);
    if (changed("background")) this.loadBackground();
    if (changed("surface")) this.loadSurface();
    if (changed("contours")) this.loadContours();
    if (changed("brush")) this.setBrush(data.brush); // else a movement that goes on would jump back
    if (changed("twin") && this.values) this.nowReady();
    this.followFlight(data.flight);
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
    if (this.scale?.colour !== this.colour || this.scaled !== this.values) {
      this.scale = new ColourScale(this.values, this.colour);
      [this.scaled, this.surfaceImage] = [this.values, null];
    }
    this.dimmed = dim ? unpackBits(dim, points.n) : null;
    this.upload();
    this.drawLegend();
    this.say("");
    this.setStatus("ready");
    this.nowReady();
    Object.assign(this.root.dataset, { n: String(points.n), colour: this.colour.title });
    this.requestDraw(true);
  }

  upload() {
    const { values, scale, colour } = this, shades = shadesOf(values, scale, this.dimmed);
    this.renderer.setPalette(paletteBytes(colour), !colour.categories.length);
    this.renderer.setShades(shades, drawOrder(values, scale, shades));
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

  async loadSurface() {
    const { surface } = this.data, turn = ++this.loads.surface;
    this.surface = this.surfaceImage = null;
    this.ui.between.hidden = true;
    this.requestDraw(true);
    if (!surface) return;
    try {
      const values = await fetchFloats(surface.url, surface.width * surface.height);
      if (turn !== this.loads.surface) return;
      this.surface = { ...surface, values };
      this.ui.between.hidden = false;
      this.ui.betweenWords.textContent = surface.words;
      this.ui.betweenSwatch.style.background = `linear-gradient(to right, ${this.data.colour.palette.join(", ")})`;
      this.requestDraw(true);
    } catch (error) {
      console.warn("latent map: no surface,", error.message);
    }
  }

  async loadContours() {
    const { contours } = this.data, turn = ++this.loads.contours;
    this.scene.contours = null;
    this.requestDraw(false);
    if (!contours) return;
    try {
      const density = await fetchFloats(contours.url, contours.width * contours.height);
      if (turn !== this.loads.contours) return;
      this.scene.contours = contourPaths(density, contours);
      this.requestDraw(false);
    } catch (error) {
      console.warn("latent map: no contours,", error.message);
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
    if (this.data.pointsOnly && index < 0) return this.passOver(x, y, source);
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

  // Empty space of a map whose places cannot be decoded: a walk goes on over it.
  passOver(x, y, source) {
    if (source !== "key") return;
    clearTimeout(this.keyTimer);
    this.scene.pending = { x, y, kind: "pending", label: "", number: null };
    this.requestDraw(false);
    this.announce(-1, x, y);
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

  brushed(range) {
    const { low, high } = this.colour;
    // an end of the legend stands for all that lie beyond it
    const ends = range && [range[0] <= low ? null : range[0], range[1] >= high ? null : range[1]];
    this.component.setTriggerValue("brush", { range: ends, seq: Date.now() });
  }

  finishLasso() {
    const outline = thinOutline(this.scene.drawing, LASSO_VERTICES);
    this.scene.drawing = null;
    if (outline.length < 3) return this.requestDraw(false);
    const polygon = outline.map(([px, py]) => this.toData(px, py)), { scene } = this;
    const mode = scene.lasso ? this.press.mode : "new"; // there is nothing yet to add to or to remove from
    if (!scene.lasso && this.press.mode === "remove") return this.requestDraw(false);
    if (mode === "new") Object.assign(scene, { lasso: polygon, parts: [] });
    else scene.parts = [...scene.parts, { mode, xy: polygon }];
    this.component.setTriggerValue("lasso", { polygon, mode });
    this.requestDraw(false);
  }

  clear() {
    clearTimeout(this.keyTimer);
    this.setLassoMode(false);
    Object.assign(this.scene, { pending: null, drawing: null, lasso: null, parts: [] });
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
    this.ui.modes.hidden = !on;
    this.setLassoKind("new");
  }

  setLassoKind(kind) {
    this.lassoKind = kind;
    for (const button of this.ui.modes.children) button.setAttribute("aria-pressed", String(button.value === kind));
  }

  destroy() {
    this.stop.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.gliding);
    for (const timer of [this.statusTimer, this.settleTimer, this.keyTimer, this.hintTimer]) clearTimeout(timer);
    this.renderer?.dispose();
  }
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

// What people do on the map with pointer and keyboard, as calls of what a view (view.js) and the map (map.js) can do.

const HIT_RADIUS = { mouse: 8, pen: 10, touch: 16 };
const KEY_HIT_RADIUS = 4; // shorter than an arrow step: a walk must not stick to a point
const KEY_STEP = 12, KEY_STEP_LARGE = 48, KEY_PAUSE_MS = 120;
const DRAG_THRESHOLD = 4, DOUBLE_CLICK_MS = 320, BUTTON_ZOOM = 1.8, HINT_MS = 1600;

class MapInput extends MapView {
  constructor(parent) {
    super(parent);
    this.pointers = new Map();
    this.stop = new AbortController();
    this.listen();
  }

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
    on(root, "focusin", () => { ui.hint.hidden = true; });
    on(ui.zoomIn, "click", () => this.glideZoom(BUTTON_ZOOM));
    on(ui.zoomOut, "click", () => this.glideZoom(1 / BUTTON_ZOOM));
    on(ui.reset, "click", () => this.fit && this.glide(this.fit));
    on(ui.lasso, "click", () => this.setLassoMode(!this.lassoMode));
    for (const button of ui.modes.children) on(button, "click", () => this.setLassoKind(button.value));
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
    const key = event.shiftKey ? "add" : event.altKey ? "remove" : this.lassoKind; // Shift alone also begins a lasso
    this.press = { at: this.place(event), lasso, mode: this.lassoMode ? key : "new" };
    if (this.gesture === "pinch") this.scene.drawing = null;
  }

  pointerMove(event) {
    const at = this.place(event);
    if (!this.pointers.has(event.pointerId)) return this.hoverAt(at);
    const from = this.pointers.get(event.pointerId);
    if (this.gesture === "pinch") return this.pinch(event.pointerId, at);
    this.pointers.set(event.pointerId, at);
    if (this.gesture === "press" && distance(at, this.press.at) > DRAG_THRESHOLD) {
      if (!this.press.lasso && this.scrollsPage(event, at)) { this.gesture = "page"; return; }
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

  // The style map.css hands such a finger to the browser, which takes it only after some pixels.
  scrollsPage(event, [x, y]) {
    const [fromX, fromY] = this.press.at;
    if (event.pointerType !== "touch" || this.root.matches(":focus-within")) return false;
    return Math.abs(y - fromY) > Math.abs(x - fromX);
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

  // The page scrolls on unless the map was clicked or tabbed into: a wheel on its way down the page shall not stop here.
  // With Ctrl the browser would magnify the page; a trackpad's pinch arrives as that.
  wheel(event) {
    if (!event.ctrlKey && !this.root.matches(":focus-within")) return this.hint();
    event.preventDefault();
    cancelAnimationFrame(this.gliding);
    this.hover(null);
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.002; // a pinch comes in small steps
    this.zoomAbout(...this.place(event), Math.exp(-clamp(event.deltaY * lines, -240, 240) * speed));
  }

  hint() {
    this.ui.hint.hidden = false;
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => { this.ui.hint.hidden = true; }, HINT_MS);
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
}

function distance([ax, ay], [bx, by]) {
  return Math.hypot(ax - bx, ay - by);
}

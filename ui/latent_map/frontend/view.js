// What is seen: the camera, the size of the canvases, when to draw which of them, the legend and the tooltip.
// The camera belongs to the browser: nothing the server sends moves it.

// Beyond these there is nothing to see: a speck, or one point alone.
const ZOOM_OUT_LIMIT = 0.5, ZOOM_IN_LIMIT = 400;
const SETTLE_MS = 140; // after the last movement of the view, a sampled picture is completed
const STORAGE_PREFIX = "svge-map:";

class MapView {
  constructor(parent) {
    this.root = parent.querySelector(".lm");
    this.ui = Object.fromEntries([...this.root.querySelectorAll("[data-part]")].map((el) => [el.dataset.part, el]));
    this.scene = { marks: [], lines: [], lasso: null, parts: [], drawing: null, hover: null,
      pending: null, contours: null };
    this.size = { width: 0, height: 0, ratio: 1 };
    this.data = {};
    this.overlay = new Overlay(this.ui.over.getContext("2d"));
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
    if (changed) this.greyImage = this.surfaceImage = null;
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
    this.legend?.draw();
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
    this.ui.zoomIn.setAttribute("aria-disabled", String(scale >= this.fit.scale * ZOOM_IN_LIMIT));
    this.ui.zoomOut.setAttribute("aria-disabled", String(scale <= this.fit.scale * ZOOM_OUT_LIMIT));
    this.root.dataset.camera = [this.camera.x, this.camera.y, scale].map((v) => v.toPrecision(9)).join(",");
    if (remember) {
      const kept = { x: this.camera.x, y: this.camera.y, zoom: scale / this.fit.scale };
      try {
        sessionStorage.setItem(STORAGE_PREFIX + this.data.points.digest, JSON.stringify(kept));
      } catch { /* storage is full or blocked: the view is kept until the page is left */ }
      this.keepMoving();
    }
    this.requestDraw(true);
  }

  // While something moves a sample of the points may do; a while after its end they are all drawn.
  keepMoving() {
    this.moving = performance.now();
    clearTimeout(this.settleTimer);
    this.settleTimer = setTimeout(() => this.requestDraw(true, false), SETTLE_MS);
  }

  toScreen(x, y) {
    const { width, height } = this.size, { camera } = this;
    return [width / 2 + (x - camera.x) * camera.scale, height / 2 - (y - camera.y) * camera.scale];
  }

  toData(px, py) {
    const { width, height } = this.size, { camera } = this;
    return [camera.x + (px - width / 2) / camera.scale, camera.y - (py - height / 2) / camera.scale];
  }

  // The camera that shows the place under this pixel at the same pixel, but larger by the factor.
  zoomed(px, py, factor) {
    const [x, y] = this.toData(px, py), { width, height } = this.size;
    const scale = clamp(this.camera.scale * factor, this.fit.scale * ZOOM_OUT_LIMIT, this.fit.scale * ZOOM_IN_LIMIT);
    return { x: x - (px - width / 2) / scale, y: y + (py - height / 2) / scale, scale };
  }

  zoomAbout(px, py, factor) {
    if (this.camera) this.setCamera(this.zoomed(px, py, factor));
  }

  glide(target) {
    if (!this.camera) return;
    cancelAnimationFrame(this.gliding);
    const still = this.renderer?.slow || matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still) return this.setCamera(target);
    const from = this.camera, began = performance.now();
    const step = (now) => {
      const t = clamp((now - began) / 180, 0, 1), ease = t * (2 - t), mix = (a, b) => a + (b - a) * ease;
      const scale = from.scale * (target.scale / from.scale) ** ease;
      if (t >= 1) return this.setCamera(target);
      this.setCamera({ x: mix(from.x, target.x), y: mix(from.y, target.y), scale });
      this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  glideZoom(factor, px = this.size.width / 2, py = this.size.height / 2) {
    if (this.camera) this.glide(this.zoomed(px, py, factor));
  }

  // points: they are drawn anew; rest: so is what lies under and over them, which a brush leaves as it is.
  requestDraw(points, rest = true) {
    this.pointsDirty ||= points;
    this.restDirty ||= rest;
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
      if (this.restDirty) this.drawBackground();
      this.drawPoints();
    }
    if (!this.restDirty) return;
    this.restDirty = false;
    const view = { ...this.size, camera: this.camera, toScreen: (x, y) => this.toScreen(x, y) };
    const scene = this.sceneNow();
    this.overlay.draw(view, scene, this.colours);
    this.root.dataset.regions = this.overlay.named.join("|");
    this.root.dataset.marks = String(this.scene.marks.length);
    this.root.dataset.shown = String(scene.marks.length);
    this.root.dataset.pending = this.scene.pending ? `${this.scene.pending.x},${this.scene.pending.y}` : "";
  }

  drawPoints() {
    const { ratio } = this.size, moving = performance.now() - (this.moving ?? -Infinity) < SETTLE_MS - 10;
    const unit = (rgb) => rgb.map((c) => c / 255), { size, alpha } = this.pointStyle();
    const style = { size: Math.max(size * ratio, 1), alpha, rim: unit(this.colours.backgroundRgb),
      missing: [...unit(this.colours.grey), alpha * 0.55], dimmed: [...unit(this.colours.grey), alpha * 0.16] };
    const between = (order) => this.between(order);
    if (this.renderer.draw(this.camera, ratio, style, moving, between) && !moving) this.requestDraw(true, false);
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
    ctx.imageSmoothingQuality = "high";
    const placed = (image, [x0, x1, y0, y1]) => {
      const [left, top] = this.toScreen(x0, y1), [right, bottom] = this.toScreen(x1, y0);
      if (image) ctx.drawImage(image, left, top, right - left, bottom - top);
      else ctx.clearRect(left, top, right - left, bottom - top);
    };
    if (this.background) {
      this.greyImage ||= backgroundImage(this.background.bytes, this.background, this.colours.textRgb);
      ctx.globalAlpha = 0.085;
      ctx.fillStyle = this.colours.text;
      ctx.fillRect(0, 0, width, height); // beyond the grid there is nothing known at all
      placed(null, this.background.extent);
      placed(this.greyImage, this.background.extent);
    }
    if (this.surface) {
      this.surfaceImage ||= surfaceImage(this.surface.values, this.surface, this.scale, paletteBytes(this.colour));
      ctx.globalAlpha = 0.5;
      placed(this.surfaceImage, this.surface.extent);
    }
    ctx.globalAlpha = 1;
  }

  // ---- legend and tooltip ----------------------------------------------------------------------------------------

  drawLegend() {
    const { title, unit, low, high, palette, categories, lowClipped, highClipped } = this.colour, { ui } = this;
    ui.title.textContent = unit ? `${title} (${unit})` : title;
    ui.scale.hidden = categories.length > 0;
    ui.names.hidden = !ui.scale.hidden;
    ui.low.textContent = (lowClipped ? "≤ " : "") + formatNumber(low, high - low, 0);
    ui.high.textContent = (highClipped ? "≥ " : "") + formatNumber(high, high - low, 0);
    ui.how.hidden = this.colour.scale !== "ranks" || categories.length > 0;
    ui.names.replaceChildren(...categories.map((name, i) => {
      const item = document.createElement("li"), swatch = document.createElement("i");
      swatch.style.background = palette[i % palette.length];
      item.append(swatch, name); // append(string) makes a text node: names are never read as HTML
      return item;
    }));
    const missing = this.values.reduce((sum, value) => sum + !Number.isFinite(value), 0);
    ui.missing.hidden = !missing;
    ui.missingWords.textContent = missing ? `${count(missing)} without a value` : "";
    if (!categories.length) this.legend.show(this.scale, Boolean(this.data.brushable));
    this.countWords();
  }

  // How many keep their colour; all of the order of drawing that is not dimmed, where nothing is brushed.
  countWords() {
    const total = this.values.length, part = this.between(this.renderer.order);
    const kept = part ? part[1] - part[0] : total - (this.dimmed ? this.dimmed.reduce((sum, bit) => sum + bit, 0) : 0);
    this.root.dataset.dimmed = String(total - kept);
    this.ui.count.textContent = kept < total ? `${count(kept)} of ${count(total)} points` : `${count(total)} points`;
  }

  // ---- the brush on the legend -----------------------------------------------------------------------------------

  setBrush(range) {
    this.brush = range;
    this.root.dataset.brush = range ? range.join(",") : "";
    this.legend.set(range);
    if (this.values) this.countWords();
    this.requestDraw(true, false);
  }

  // A movement of the brush: nothing is sorted or sent, another part of the points keeps its colours.
  moveBrush(range) {
    this.hover(null);
    this.keepMoving();
    this.setBrush(range);
  }

  limits() { return this.brush && !this.colour.categories.length ? this.brush.map((v) => this.scale.rounded(v)) : null; }

  between(order) {
    const limits = this.limits();
    return limits && partBetween(order, this.values, this.renderer.shades, this.colour.onTop, limits);
  }

  isDimmed(i) {
    const limits = this.limits();
    return Boolean(this.dimmed?.[i]) || (limits !== null && !(this.values[i] >= limits[0] && this.values[i] <= limits[1]));
  }

  hover(index) {
    if (index === this.hovered) return;
    this.hovered = index;
    this.scene.hover = null;
    this.root.dataset.hover = index ?? "";
    if (this.data.twin) window.dispatchEvent(new CustomEvent("svge-hover", { detail: { map: this.data.key, index } }));
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
    tipLabel.textContent = this.pointName(index);
    const number = formatNumber(value, high - low);
    const words = categories.length ? categories[value] ?? "no value" : number;
    const ending = unit && Number.isFinite(value) && !categories.length ? ` ${unit}` : "";
    tipValue.textContent = `${title}: ${words}${ending}`;
    needle.hidden = categories.length > 0 || !Number.isFinite(value);
    if (!needle.hidden) needle.style.left = `${this.scale.linear(value) * 100}%`;
    const box = tip.getBoundingClientRect();
    const below = at[1] < box.height + 24;
    tip.style.left = `${clamp(at[0] - box.width / 2, 6, Math.max(6, width - box.width - 6))}px`;
    tip.style.top = `${clamp(below ? at[1] + 14 : at[1] - box.height - 14, 6, height - box.height - 6)}px`;
  }

  pick(px, py, radius) {
    const [x, y] = this.toData(px, py);
    return this.index.nearest(x, y, radius / this.camera.scale, (i) => this.isDimmed(i));
  }
}

function count(n) {
  return n.toLocaleString("en-US");
}

// The legend of a column of numbers: a histogram in the colours of the points. A brush on it keeps a range of values in
// full colour; its movement is drawn here and in gl.js, and only its release is told to the server.

const LEGEND_PARTS = 56, STRIP = 6, GRIP = 9;

class Legend {
  // moved(range) while the brush moves, which calls set(range); released(range) at its end. range: [low, high], null for
  // all values.
  constructor(ui, signal, moved, released) {
    Object.assign(this, { ui, moved, released, range: null });
    const on = (target, name, action) => target.addEventListener(name, action.bind(this), { signal });
    on(ui.bar, "pointerdown", this.down);
    on(ui.bar, "pointermove", this.move);
    on(ui.bar, "pointerup", this.up);
    on(ui.bar, "pointercancel", this.cancel);
    on(ui.bar, "dblclick", () => this.finish(null));
    on(ui.clearBrush, "click", () => this.finish(null));
    for (const [end, grip] of [[0, ui.from], [1, ui.to]]) on(grip, "keydown", (event) => this.key(event, end));
  }

  show(scale, brushable) {
    this.scale = scale;
    this.ui.bar.classList.toggle("lm-brushable", brushable);
    this.brushable = brushable;
    this.palette = paletteBytes(scale.colour);
    this.counts = scale.histogram(LEGEND_PARTS);
    this.draw();
  }

  set(range) {
    this.range = range;
    this.draw();
  }

  // ---- the picture -----------------------------------------------------------------------------------------------

  draw() {
    if (!this.scale) return;
    const { hist } = this.ui, ratio = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = hist;
    const [from, to] = this.shares();
    if (width && height) {
      [hist.width, hist.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      const ctx = hist.getContext("2d"), most = Math.max(1, ...this.counts), part = width / LEGEND_PARTS;
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.counts.forEach((count, i) => {
        const middle = (i + 0.5) / LEGEND_PARTS, inside = middle >= from && middle <= to;
        const tall = count && Math.max(1, (height - STRIP - 2) * (count / most)); // one cell can be seen, too
        ctx.fillStyle = this.tint(middle);
        ctx.globalAlpha = inside ? 1 : 0.2;
        ctx.fillRect(i * part, height - STRIP - 2 - tall, Math.max(1, part - 0.6), tall);
        ctx.fillRect(i * part, height - STRIP, part + 0.5, STRIP);
      });
    }
    for (const [grip, share, name] of [[this.ui.from, from, "lowest"], [this.ui.to, to, "highest"]]) {
      grip.style.left = `${100 * share}%`;
      const value = this.scale.valueAt(share), { low, high } = this.scale.colour;
      grip.setAttribute("aria-valuenow", String(Math.round(100 * share)));
      grip.setAttribute("aria-valuetext", `${name} ${formatNumber(value, high - low, 0)}`);
    }
    this.words();
  }

  tint(share) {
    const at = 4 * Math.round(clamp(this.scale.place(this.scale.valueAt(share)), 0, 1) * 255);
    return `rgb(${this.palette.slice(at, at + 3).join(",")})`;
  }

  words() {
    const { brushed, brushWords } = this.ui, { low, high } = this.scale.colour, spread = high - low;
    brushed.hidden = !this.range;
    if (!this.range) return;
    const [from, to] = this.shares(), number = (value) => formatNumber(value, spread, 0);
    brushWords.textContent = from <= 0 ? `up to ${number(this.range[1])}` : to >= 1 ? `from ${number(this.range[0])}`
      : `${number(this.range[0])} to ${number(this.range[1])}`;
  }

  // Both ends of the brush along the bar.
  shares() {
    return this.range ? this.range.map((value) => this.scale.linear(value)) : [0, 1];
  }

  // ---- the brush -------------------------------------------------------------------------------------------------

  share(event) {
    const box = this.ui.bar.getBoundingClientRect();
    return clamp((event.clientX - box.left) / box.width, 0, 1);
  }

  down(event) {
    if (!this.brushable || event.button !== 0) return;
    event.preventDefault(); // no text is selected
    this.ui.bar.setPointerCapture(event.pointerId);
    const at = this.share(event), [from, to] = this.shares(), reach = GRIP / this.ui.bar.clientWidth;
    const end = Math.abs(at - from) < Math.abs(at - to) ? 0 : 1, near = Math.abs(at - (end ? to : from)) < reach;
    const within = this.range && at > from && at < to;
    this.drag = { at, from, to, before: this.range, kind: near ? "end" : within ? "whole" : "new", end, far: false };
    (end ? this.ui.to : this.ui.from).focus({ preventScroll: true });
  }

  move(event) {
    if (!this.drag) return;
    const { at, from, to, kind, end } = this.drag, now = this.share(event);
    this.drag.far ||= Math.abs(now - at) * this.ui.bar.clientWidth > 2;
    if (!this.drag.far) return;
    if (kind === "new") return this.drawTo(Math.min(at, now), Math.max(at, now));
    if (kind === "end") return this.drawTo(...(end ? [from, now] : [now, to]).sort((a, b) => a - b));
    const by = clamp(now - at, -from, 1 - to);
    this.drawTo(from + by, to + by);
  }

  up() {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    if (drag.far) this.finish(this.range);
    else if (drag.kind === "new" && drag.before) this.finish(null); // a click beside the brush removes it
  }

  cancel() {
    if (this.drag) this.moved(this.drag.before);
    this.drag = null;
  }

  key(event, end) {
    const step = event.shiftKey ? 0.1 : 0.01, [from, to] = this.shares(), now = end ? to : from;
    const target = { ArrowLeft: now - step, ArrowDown: now - step, ArrowRight: now + step, ArrowUp: now + step,
      PageDown: now - 0.1, PageUp: now + 0.1, Home: 0, End: 1 }[event.key];
    if (!this.brushable || (target === undefined && (event.key !== "Escape" || !this.range))) return;
    event.preventDefault();
    event.stopPropagation(); // the map walks with the same keys
    if (target === undefined) return this.finish(null);
    this.drawTo(...(end ? [from, clamp(target, from, 1)] : [clamp(target, 0, to), to]));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.released(this.range), 350); // while keys are pressed nothing is sent
  }

  drawTo(from, to) {
    const open = from <= 0 && to >= 1;
    this.moved(open ? null : [this.rounded(from), this.rounded(to)]);
  }

  // Ends as people write them: to about a thousandth of the legend.
  rounded(share) {
    const { low, high } = this.scale.colour, digits = 3 - Math.floor(Math.log10(high - low));
    const value = this.scale.valueAt(share);
    if (share <= 0 || share >= 1 || !(digits >= 0 && digits <= 12)) return value;
    return clamp(Number(value.toFixed(digits)), low, high);
  }

  finish(range) {
    clearTimeout(this.timer);
    this.moved(range);
    this.released(range);
  }
}

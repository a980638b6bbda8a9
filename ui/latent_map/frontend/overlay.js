// Marks, lines and the lasso, on a 2D canvas of their own: moving a mark never redraws the points.
// Every shape is first stroked in the background colour, so that it stays visible on any palette, dark or light.

const TAU = 2 * Math.PI;
const MARK_ORDER = ["trail", "path", "neighbour", "basket", "start", "end", "decoded", "focus", "pending"];
const POINTED_AT = new Set(["focus", "decoded", "pending"]); // out of view, an arrow at the edge says where it is
const FOLLOWS_FOCUS = new Set(["focus", "decoded", "neighbour"]); // stale while a click waits for its answer

class Overlay {
  constructor(context) {
    this.context = context;
  }

  // view: {width, height, ratio, camera, toScreen(x, y) -> [px, py]}; scene: {marks, lines, lasso, drawing, hover,
  // pending, contours, parts, twin}
  draw(view, scene, colours) {
    const ctx = this.context;
    [this.view, this.colours] = [view, colours];
    this.taken = [];
    ctx.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    ctx.clearRect(0, 0, view.width, view.height);
    ctx.lineJoin = ctx.lineCap = "round";
    if (scene.contours) {
      this.contours = contourLayer(this.contours, scene.contours, view, colours);
      ctx.drawImage(this.contours.canvas, 0, 0, view.width, view.height);
    }
    for (const line of scene.lines) this.line(line);
    const parts = scene.lasso ? [{ mode: "add", xy: scene.lasso }, ...scene.parts] : [];
    for (const { mode, xy } of parts) this.outline(xy.map(([x, y]) => view.toScreen(x, y)), mode);
    if (scene.drawing) this.outline(scene.drawing, "drawn");
    if (scene.hover) this.ring(scene.hover, 7, colours.text, 1.5);
    if (scene.twin) this.ring(view.toScreen(...scene.twin), 8, colours.accent, 2.5);
    const marks = scene.pending ? [...scene.marks, scene.pending] : scene.marks;
    const sorted = [...marks].sort((a, b) => MARK_ORDER.indexOf(a.kind) - MARK_ORDER.indexOf(b.kind));
    for (const mark of sorted) {
      ctx.globalAlpha = scene.pending && FOLLOWS_FOCUS.has(mark.kind) ? 0.3 : 1;
      this.mark(mark);
    }
    ctx.globalAlpha = 1;
    this.named = drawRegions(this, scene.regions ?? []);
  }

  line({ xy, kind }) {
    if (xy.length < 2) return;
    const points = xy.map(([x, y]) => this.view.toScreen(x, y));
    const strong = kind === "path";
    this.strokeHaloed(() => trace(this.context, points, false), strong ? this.colours.accent : this.colours.text,
      strong ? 2.5 : 1.25, strong ? 1 : 0.65);
  }

  // kind: "drawn" while it is drawn, then "add" or "remove".
  outline(points, kind) {
    const ctx = this.context, closed = kind !== "drawn", removed = kind === "remove";
    if (points.length < 2) return;
    trace(ctx, points, true);
    ctx.globalAlpha = removed ? 0.2 : 0.1;
    ctx.fillStyle = removed ? this.colours.background : this.colours.accent;
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.setLineDash(kind === "add" ? [] : [5, 4]);
    this.strokeHaloed(() => trace(ctx, points, closed), this.colours.accent, 1.5);
    ctx.setLineDash([]);
  }

  mark(mark) {
    const at = this.view.toScreen(mark.x, mark.y);
    const { width, height } = this.view, margin = POINTED_AT.has(mark.kind) ? 0 : 40;
    if (at[0] < -margin || at[1] < -margin || at[0] > width + margin || at[1] > height + margin) {
      if (POINTED_AT.has(mark.kind)) this.arrow(at);
      return;
    }
    const { accent, text } = this.colours;
    switch (mark.kind) {
      case "focus": this.crosshair(at, false); break;
      case "pending": this.crosshair(at, true); break;
      case "decoded": this.diamond(at); break;
      case "start": this.badge(at, 10, accent, shortLabel(mark, "A")); break;
      case "end": this.badge(at, 10, accent, shortLabel(mark, "B")); break;
      case "basket": this.badge(at, 8.5, text, mark.number == null ? "★" : String(mark.number)); break;
      case "neighbour": this.ring(at, 6, text, 1.5); break;
      case "path": this.dot(at, 4, this.colours.background, accent); break;
      default: this.dot(at, 3.5, text, this.colours.background);
    }
    const short = (mark.kind === "start" || mark.kind === "end") && shortLabel(mark, "") === mark.label;
    const number = mark.number != null && mark.kind !== "basket" ? String(mark.number) : "";
    const words = short ? number : [number, mark.label].filter(Boolean).join(" ");
    if (words) this.label(words, at, mark.kind === "focus" || mark.kind === "pending" ? 17 : 12);
  }

  crosshair([x, y], pending) {
    const ctx = this.context;
    this.strokeHaloed(() => {
      ctx.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        ctx.moveTo(x + dx * 9.5, y + dy * 9.5);
        ctx.lineTo(x + dx * 17, y + dy * 17);
      }
    }, this.colours.accent, 2);
    if (pending) ctx.setLineDash([3, 3.5]);
    this.ring([x, y], 9.5, this.colours.accent, 2);
    ctx.setLineDash([]);
  }

  arrow([x, y]) {
    const ctx = this.context, { width, height } = this.view;
    const angle = Math.atan2(y - height / 2, x - width / 2);
    const tip = [clamp(x, 10, width - 10), clamp(y, 10, height - 10)];
    const corner = (turn) => [tip[0] + 17 * Math.cos(angle + turn), tip[1] + 17 * Math.sin(angle + turn)];
    const path = () => trace(ctx, [tip, corner(Math.PI - 0.33), corner(Math.PI + 0.33)], true);
    this.strokeHaloed(path, this.colours.accent, 2);
    ctx.fillStyle = this.colours.accent;
    ctx.fill();
  }

  diamond([x, y]) {
    const ctx = this.context, path = () => trace(ctx, [[x, y - 9], [x + 9, y], [x, y + 9], [x - 9, y]], true);
    path();
    ctx.fillStyle = this.colours.background;
    ctx.fill();
    this.strokeHaloed(path, this.colours.accent, 2.25);
    this.dot([x, y], 2.5, this.colours.accent, this.colours.accent);
  }

  ring([x, y], radius, colour, width) {
    this.strokeHaloed(() => circle(this.context, x, y, radius), colour, width);
  }

  dot([x, y], radius, fill, edge) {
    const ctx = this.context;
    circle(ctx, x, y, radius);
    ctx.fillStyle = fill;
    ctx.fill();
    ctx.strokeStyle = edge;
    ctx.lineWidth = 1.75;
    ctx.stroke();
  }

  badge(at, radius, fill, words) {
    const ctx = this.context;
    this.dot(at, radius, fill, this.colours.background);
    ctx.fillStyle = readableOn(fill);
    ctx.font = `700 ${words.length > 2 ? 9 : 11}px ${this.colours.font}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(words, at[0], at[1] + 0.5);
  }

  // Beside its mark, on the side with room; left out where it would cover a label already drawn.
  label(words, [x, y], gap) {
    const ctx = this.context;
    ctx.font = `600 12px ${this.colours.font}`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    const width = ctx.measureText(words).width;
    const left = x + gap + width > this.view.width - 4 ? x - gap - width : x + gap;
    const box = [left - 2, y - 8, left + width + 2, y + 8];
    const covers = (other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3];
    if (this.taken.some(covers)) return;
    this.taken.push(box);
    ctx.strokeStyle = this.colours.background;
    ctx.lineWidth = 4;
    ctx.strokeText(words, left, y);
    ctx.fillStyle = this.colours.text;
    ctx.fillText(words, left, y);
  }

  strokeHaloed(path, colour, width, alpha = 1) {
    const ctx = this.context, before = ctx.globalAlpha, dash = ctx.getLineDash();
    ctx.setLineDash([]);
    ctx.globalAlpha = before * 0.85;
    ctx.strokeStyle = this.colours.background;
    ctx.lineWidth = width + 3;
    path();
    ctx.stroke();
    ctx.setLineDash(dash);
    ctx.globalAlpha = before * alpha;
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.stroke();
    ctx.globalAlpha = before;
  }
}

function trace(ctx, points, closed) {
  ctx.beginPath();
  points.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  if (closed) ctx.closePath();
}

function circle(ctx, x, y, radius) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, TAU);
}

function shortLabel(mark, otherwise) {
  return mark.label && mark.label.length <= 2 ? mark.label : otherwise;
}

// The theme's colours come as CSS text of any kind; the browser itself turns them into numbers.
function cssToRgb(css, probe) {
  probe.style.color = css;
  const parts = getComputedStyle(probe).color.match(/[\d.]+/g) || [128, 128, 128];
  return parts.slice(0, 3).map(Number);
}

function readableOn(css) {
  const [r, g, b] = css.match(/[\d.]+/g).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b > 150 ? "#111" : "#fff";
}

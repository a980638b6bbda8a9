// A small chart that grows: axes over all frames, lines up to the moment that is shown.

const CURVE_LEFT = 46, CURVE_BOTTOM = 18, CURVE_TOP = 8, CURVE_RIGHT = 8;

function curveEnds(curves) {
  const values = curves.flatMap(({ values }) => values).filter((value) => value !== null);
  if (!values.length) return null;
  const low = Math.min(...values), high = Math.max(...values), pad = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - pad, high + pad];
}

// Searches begin low: on an axis from there, what happens at the top would be one flat line. The first tenth may lie
// below the axis.
function searchEnds(curves) {
  const values = curves.flatMap(({ values, kind }) => (kind === "dots" ? [] : values)).filter((v) => v !== null);
  values.sort((a, b) => a - b);
  const falls = curves[0].values[0] > curves[0].values.at(-1), cut = Math.floor(values.length / 10);
  return curveEnds([{ values: falls ? values.slice(0, values.length - cut) : values.slice(cut) }]);
}

function drawCurve(canvas, { curves, kind }, t, style) {
  const ratio = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return;
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const ctx = canvas.getContext("2d"), ends = kind === "search" ? searchEnds(curves) : curveEnds(curves);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (!ends) return;
  const last = Math.max(...curves.map(({ values }) => values.length)) - 1, [low, high] = ends;
  const right = width - CURVE_RIGHT, bottom = height - CURVE_BOTTOM;
  const x = (i) => CURVE_LEFT + ((right - CURVE_LEFT) * i) / Math.max(last, 1);
  const y = (v) => bottom - ((bottom - CURVE_TOP) * (v - low)) / (high - low);
  ctx.font = `11px ${style.font}`;
  ctx.fillStyle = style.text;
  ctx.strokeStyle = style.line;
  ctx.lineWidth = 1;
  const digits = Math.max(0, Math.min(4, 1 - Math.floor(Math.log10(high - low))));
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const share of [0.08, 0.5, 0.92]) {
    const value = low + share * (high - low), at = Math.round(y(value)) + 0.5;
    ctx.fillText(value.toFixed(digits), CURVE_LEFT - 6, at);
    ctx.beginPath();
    ctx.moveTo(CURVE_LEFT, at);
    ctx.lineTo(right, at);
    ctx.stroke();
  }
  ctx.textBaseline = "top";
  for (const [i, align] of [[0, "left"], [last, "right"]]) {
    ctx.textAlign = align;
    ctx.fillText(String(kind === "search" ? i + 1 : i), x(i), bottom + 4);
  }
  ctx.save();
  ctx.beginPath();
  ctx.rect(CURVE_LEFT - 4, 0, width - CURVE_LEFT + 4, bottom + 4); // what lies below the axis is not drawn over its words
  ctx.clip();
  for (const curve of curves) drawOne(ctx, curve, t, x, y, style);
  ctx.restore();
}

function drawOne(ctx, { values, kind, colour }, t, x, y, style) {
  const shown = Math.floor(t), paint = colour || style.text;
  [ctx.strokeStyle, ctx.fillStyle] = [paint, paint];
  ctx.lineWidth = colour && kind !== "dots" ? 1.75 : 2.5;
  ctx.setLineDash(kind === "predicted" ? [4, 4] : []);
  if (kind === "dots") {
    values.slice(0, shown + 1).forEach((value, i) => {
      if (value === null) return;
      ctx.beginPath();
      ctx.arc(x(i), y(value), 2, 0, 2 * Math.PI);
      ctx.fill();
    });
    return;
  }
  ctx.beginPath();
  let before = null, head = null;
  for (let i = 0; i <= Math.min(shown, values.length - 1); i++) {
    const value = values[i];
    if (value === null) before = null;
    else {
      if (before === null) ctx.moveTo(x(i), y(value));
      else {
        if (kind === "steps") ctx.lineTo(x(i), y(before));
        ctx.lineTo(x(i), y(value));
      }
      [before, head] = [value, [x(i), y(value)]];
    }
  }
  const next = values[shown + 1], part = t - shown;
  if (before !== null && part > 0 && typeof next === "number") {
    head = [x(t), kind === "steps" ? y(before) : y(before + (next - before) * part)];
    ctx.lineTo(...head);
  }
  ctx.stroke();
  ctx.setLineDash([]);
  if (!head) return;
  ctx.beginPath();
  ctx.arc(...head, 3.5, 0, 2 * Math.PI);
  ctx.fill();
}

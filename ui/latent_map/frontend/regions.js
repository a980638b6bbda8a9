// Names of regions over the points, largest first: none over another text, out of view, in a region too small to be
// told from others, or where one region is nearly all there is to see.
const SMALLEST_REACH = 9, LARGEST_SHARE = 0.6;

function drawRegions({ context: ctx, view, colours, taken }, regions) {
  ctx.font = `500 12px ${colours.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  const named = [];
  for (const { x, y, reach, name } of regions) {
    const [px, py] = view.toScreen(x, y), wide = reach * view.camera.scale, half = ctx.measureText(name).width / 2 + 5;
    if (wide < SMALLEST_REACH || wide > LARGEST_SHARE * Math.min(view.width, view.height)) continue;
    const left = clamp(px, half, view.width - half), box = [left - half, py - 10, left + half, py + 10];
    if (Math.abs(left - px) > half || box[1] < 0 || box[3] > view.height) continue;
    if (taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) continue;
    taken.push(box);
    named.push(name);
    ctx.globalAlpha = 0.82;
    ctx.fillStyle = colours.background;
    ctx.beginPath();
    ctx.roundRect(box[0], box[1], 2 * half, 20, 6);
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.fillStyle = colours.text;
    ctx.fillText(name, left, py + 0.5);
  }
  return named;
}

// What lies under and over the points besides marks: sparse zones, the surface between the points, density contours.

// The sparse zones: a small grid of greyness, stretched smoothly under the points.
function backgroundImage(bytes, { width, height }, [r, g, b]) {
  return gridImage(width, height, (at) => [r, g, b, bytes[at]]);
}

// Interpolated values in the colours of the points; clear where there is none.
function surfaceImage(values, { width, height }, scale, palette) {
  return gridImage(width, height, (at) => {
    if (!Number.isFinite(values[at])) return [0, 0, 0, 0];
    const colour = 4 * Math.round(clamp(scale.place(values[at]), 0, 1) * 255);
    return [palette[colour], palette[colour + 1], palette[colour + 2], 255];
  });
}

function gridImage(width, height, pixel) {
  const image = new ImageData(width, height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      // grid rows run upwards, pixels down
      image.data.set(pixel((height - 1 - row) * width + column), 4 * (row * width + column));
    }
  }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// Lines of equal height through a grid, as pairs of ends in grid coordinates: where a side of a square of four values
// is crossed, and by the mean in the middle where all four sides are (marching squares).
function isolines(values, width, height, level) {
  const ends = [];
  const crossing = (x0, y0, x1, y1) => {
    const a = values[y0 * width + x0], b = values[y1 * width + x1];
    if (a >= level === b >= level) return null;
    const share = (level - a) / (b - a);
    return [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
  };
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const sides = [crossing(x, y, x + 1, y), crossing(x + 1, y, x + 1, y + 1), crossing(x, y + 1, x + 1, y + 1),
        crossing(x, y, x, y + 1)]; // below, right, above, left
      const crossed = sides.filter(Boolean);
      if (crossed.length === 2) ends.push(...crossed);
      if (crossed.length < 4) continue;
      const at = y * width + x, mean = (values[at] + values[at + 1] + values[at + width] + values[at + width + 1]) / 4;
      const [below, right, above, left] = sides, joined = (mean >= level) === (values[at] >= level);
      ends.push(...(joined ? [below, right, above, left] : [below, left, above, right]));
    }
  }
  return ends;
}

// All lines as one path in map coordinates, per level.
function contourPaths(values, { width, height, extent: [x0, x1, y0, y1], levels }) {
  const place = ([x, y]) => [x0 + (x / (width - 1)) * (x1 - x0), y0 + (y / (height - 1)) * (y1 - y0)];
  return levels.map((level) => {
    const path = new Path2D(), ends = isolines(values, width, height, level);
    for (let i = 0; i < ends.length; i += 2) {
      path.moveTo(...place(ends[i]));
      path.lineTo(...place(ends[i + 1]));
    }
    return path;
  });
}

// The contours as a picture, drawn anew when the view has changed: a hover must not stroke thousands of lines again.
function contourLayer(kept, paths, view, colours) {
  const { width, height, ratio, camera } = view, key = JSON.stringify([width, height, ratio, camera, colours]);
  if (kept?.key === key && kept.paths === paths) return kept;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  drawContours(canvas.getContext("2d"), paths, camera, view, colours);
  return { key, paths, canvas };
}

// Thicker towards the densest places; on a halo, so that they are seen on points of any colour.
function drawContours(ctx, paths, camera, { width, height, ratio }, colours) {
  const k = camera.scale * ratio;
  ctx.save();
  ctx.setTransform(k, 0, 0, -k, (ratio * width) / 2 - camera.x * k, (ratio * height) / 2 + camera.y * k);
  paths.forEach((path, i) => {
    const thick = 0.8 + 0.25 * i;
    for (const [style, alpha, more] of [[colours.background, 0.55, 1.6], [colours.text, 0.7, 0]]) {
      [ctx.strokeStyle, ctx.globalAlpha, ctx.lineWidth] = [style, alpha, (thick + more) / camera.scale];
      ctx.stroke(path);
    }
  });
  ctx.restore();
}

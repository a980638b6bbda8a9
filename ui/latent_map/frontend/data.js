// What the map holds in memory: fetched arrays, label lines, the index that answers "which point is here?".
// These files are joined into one module by component.py, so nothing here is exported.

const CACHE_LIMIT_BYTES = 192 * 1024 * 1024;
const byteCache = new Map(); // url -> promise of bytes, oldest first; outlives a page switch

function fetchBytes(url) {
  const known = byteCache.get(url);
  if (known) {
    byteCache.delete(url); // re-inserted below, so that the least recently used is first
    byteCache.set(url, known);
    return known;
  }
  const job = fetch(new URL(url, document.baseURI), { credentials: "same-origin" }).then(async (reply) => {
    if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
    return reply.arrayBuffer();
  });
  byteCache.set(url, job);
  job.then(dropOldBytes, () => byteCache.delete(url)); // a failure is forgotten, so that trying again fetches again
  return job;
}

async function dropOldBytes() {
  const entries = await Promise.allSettled([...byteCache].map(async ([url, job]) => [url, (await job).byteLength]));
  let total = 0;
  for (const entry of entries.reverse()) {
    if (entry.status !== "fulfilled") continue;
    total += entry.value[1];
    if (total > CACHE_LIMIT_BYTES) byteCache.delete(entry.value[0]);
  }
}

async function fetchFloats(url, expected) {
  const bytes = await fetchBytes(url), floats = url.endsWith(".f64") ? new Float64Array(bytes) : new Float32Array(bytes);
  if (floats.length !== expected) throw new Error(`expected ${expected} numbers, got ${floats.length}`);
  return floats;
}

// Lines of a UTF-8 text, decoded one at a time: 423,624 strings would cost far more memory than their bytes.
class LineTable {
  constructor(buffer) {
    this.bytes = new Uint8Array(buffer);
    const starts = [0];
    for (let at = this.bytes.indexOf(10); at !== -1; at = this.bytes.indexOf(10, at + 1)) starts.push(at + 1);
    starts.push(this.bytes.length + 1);
    this.starts = Uint32Array.from(starts);
    this.decoder = new TextDecoder();
  }

  get(line) {
    if (line < 0 || line + 1 >= this.starts.length) return "";
    return this.decoder.decode(this.bytes.subarray(this.starts[line], this.starts[line + 1] - 1));
  }
}

// Points sorted into square bins, two per bin on average, so that a hit test reads only the bins near the pointer.
class GridIndex {
  constructor(xy) {
    this.xy = xy;
    this.bounds = boundsOf(xy);
    const { x0, y0, x1, y1 } = this.bounds;
    const width = x1 - x0 || 1, height = y1 - y0 || 1;
    this.cell = Math.max(Math.sqrt((width * height * 2) / Math.max(1, xy.length / 2)), Math.max(width, height) / 4096);
    this.columns = Math.floor(width / this.cell) + 1;
    this.rows = Math.floor(height / this.cell) + 1;
    this.fill();
  }

  fill() {
    const n = this.xy.length / 2, cellOf = new Int32Array(n);
    this.first = new Uint32Array(this.columns * this.rows + 1);
    for (let i = 0; i < n; i++) {
      const x = this.xy[2 * i], y = this.xy[2 * i + 1];
      const cell = Number.isFinite(x + y) ? this.row(y) * this.columns + this.column(x) : -1;
      cellOf[i] = cell;
      if (cell >= 0) this.first[cell + 1]++;
    }
    for (let c = 0; c < this.columns * this.rows; c++) this.first[c + 1] += this.first[c];
    const next = this.first.slice();
    this.items = new Uint32Array(this.first[this.columns * this.rows]);
    for (let i = 0; i < n; i++) if (cellOf[i] >= 0) this.items[next[cellOf[i]]++] = i;
  }

  column(x) { return clamp(Math.floor((x - this.bounds.x0) / this.cell), 0, this.columns - 1); }
  row(y) { return clamp(Math.floor((y - this.bounds.y0) / this.cell), 0, this.rows - 1); }

  // Nearest point within the radius, or -1. A dimmed point is taken only where no other is within reach.
  nearest(x, y, radius, isDimmed) {
    let best = -1, bestDistance = Infinity, bestDimmed = true;
    const c1 = this.column(x + radius), r1 = this.row(y + radius);
    for (let r = this.row(y - radius); r <= r1; r++) {
      for (let c = this.column(x - radius); c <= c1; c++) {
        const cell = r * this.columns + c;
        for (let k = this.first[cell]; k < this.first[cell + 1]; k++) {
          const i = this.items[k];
          const distance = Math.hypot(this.xy[2 * i] - x, this.xy[2 * i + 1] - y);
          if (distance > radius) continue;
          const dimmed = isDimmed(i);
          if (dimmed === bestDimmed ? distance >= bestDistance : dimmed) continue;
          [best, bestDistance, bestDimmed] = [i, distance, dimmed];
        }
      }
    }
    return best;
  }
}

function boundsOf(xy) {
  let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
  for (let i = 0; i < xy.length; i += 2) {
    const x = xy[i], y = xy[i + 1];
    if (!Number.isFinite(x + y)) continue;
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  return x0 <= x1 ? { x0, y0, x1, y1 } : { x0: -1, y0: -1, x1: 1, y1: 1 };
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

// One bit per point, most significant first, as numpy.packbits writes them.
function unpackBits(base64, n) {
  const packed = atob(base64), bits = new Uint8Array(n);
  for (let i = 0; i < n; i++) bits[i] = (packed.charCodeAt(i >> 3) >> (7 - (i & 7))) & 1;
  return bits;
}

// Decimals follow the spread of the colour scale: 93.91 and 94.37 must not both read 94.
function formatNumber(value, spread, fewest = 2) {
  if (!Number.isFinite(value)) return "no value";
  const magnitude = Math.max(Math.abs(value), Number.MIN_VALUE);
  if (magnitude >= 1e7 || (value !== 0 && magnitude < 1e-4)) return value.toExponential(2);
  const decimals = clamp(Math.ceil(-Math.log10(spread || magnitude)) + 2, 0, 6);
  const digits = { maximumFractionDigits: decimals, minimumFractionDigits: Math.min(decimals, fewest) };
  return value.toLocaleString("en-US", digits);
}

// Douglas-Peucker would keep the shape best; an even thinning is enough for a hand-drawn outline and cannot fail.
function thinOutline(outline, limit) {
  if (outline.length <= limit) return outline;
  return Array.from({ length: limit }, (_, i) => outline[Math.floor((i * outline.length) / limit)]);
}

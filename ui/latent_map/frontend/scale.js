// Where a value stands along the palette, 0 to 1: by its size, or by its rank among all values of the column.

class ColourScale {
  constructor(values, colour) {
    this.colour = colour;
    this.single = values instanceof Float32Array; // then a limit is rounded as the values were, before it is compared
    if (!colour.categories.length) this.rank(values);
  }

  // Sorted distinct values, how many points lie below each, and the place of each along the palette.
  rank(values) {
    const known = values.filter(Number.isFinite).sort(); // numbers in typed arrays sort as numbers
    let distinct = 0;
    const below = new Uint32Array(known.length + 1);
    for (let i = 0; i < known.length; i++) {
      if (i && known[i] === known[distinct - 1]) continue;
      below[distinct] = i;
      known[distinct++] = known[i];
    }
    below[distinct] = known.length;
    [this.distinct, this.below] = [known.subarray(0, distinct), below.subarray(0, distinct + 1)];
    this.numbers = Uint32Array.from(values, (value) => lowerBound(this.distinct, value)); // which each point has
    this.places = Float64Array.from(this.distinct, (value) => this.linear(value));
    if (this.colour.scale === "ranks") this.equalise();
  }

  // Equal values share the middle of their ranks; so do all that lie beyond one end of the legend. The lowest take the
  // first colour and the highest the last.
  equalise() {
    const { distinct, below, places } = this, n = below[distinct.length];
    const first = Math.max(0, upperBound(distinct, this.rounded(this.colour.low)) - 1);
    const last = Math.min(distinct.length - 1, lowerBound(distinct, this.rounded(this.colour.high)));
    const middle = (from, to) => (below[from] + below[to + 1] - 1) / 2;
    const start = middle(0, first), end = middle(last, distinct.length - 1);
    for (let i = 0; i < distinct.length; i++) {
      const rank = i <= first ? start : i >= last ? end : middle(i, i);
      places[i] = end > start ? (rank - start) / (end - start) : n ? 0.5 : 0;
    }
  }

  rounded(value) { return this.single ? Math.fround(value) : value; }

  linear(value) {
    const { low, high } = this.colour; // halves, because the whole difference may be infinite
    return clamp((value / 2 - low / 2) / (high / 2 - low / 2), 0, 1);
  }

  // The value at a place of the legend, whose axis is linear also where the colours follow ranks.
  valueAt(share) { return this.colour.low * (1 - share) + this.colour.high * share; }

  // Any value, also one that no point has: between those of its neighbours.
  place(value) {
    const { categories, scale } = this.colour;
    if (categories.length) return (value + 0.5) / categories.length; // the middle of its texel
    if (scale !== "ranks" || !this.distinct.length) return this.linear(value);
    const { distinct, places } = this, above = lowerBound(distinct, value);
    if (above === 0 || above === distinct.length) return places[clamp(above, 0, distinct.length - 1)];
    if (distinct[above] === value) return places[above];
    const share = (value - distinct[above - 1]) / (distinct[above] - distinct[above - 1]);
    return places[above - 1] + share * (places[above] - places[above - 1]);
  }

  // Points with a value in each of so many parts of the legend; what lies beyond an end is in its last part.
  histogram(parts) {
    const counts = new Uint32Array(parts);
    this.distinct.forEach((value, i) => {
      counts[Math.min(parts - 1, Math.floor(this.linear(value) * parts))] += this.below[i + 1] - this.below[i];
    });
    return counts;
  }
}

// First place whose value is at least this one.
function lowerBound(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// First place whose value is more than this one.
function upperBound(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hexToRgb(hex) {
  const number = parseInt(hex.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

function paletteBytes(colour) {
  const stops = colour.palette.map(hexToRgb);
  const length = colour.categories.length || 256, bytes = new Uint8Array(length * 4);
  for (let i = 0; i < length; i++) {
    const place = colour.categories.length ? i % stops.length : (i / (length - 1)) * (stops.length - 1);
    const below = Math.min(Math.floor(place), stops.length - 1), above = Math.min(below + 1, stops.length - 1);
    const mix = place - below;
    for (let c = 0; c < 3; c++) bytes[4 * i + c] = Math.round(stops[below][c] * (1 - mix) + stops[above][c] * mix);
    bytes[4 * i + 3] = 255;
  }
  return bytes;
}

// Draws the points with WebGL2. Colour, missing values and dimming share one 16-bit number per point, the shade:
// 0 dimmed, 1 no value, 2..65535 a place along the palette. Changing colour re-sends two bytes a point, no more.

const DIMMED = 0, NO_VALUE = 1, FIRST_SHADE = 2, LAST_SHADE = 65535;
const SLOW_FRAME_MS = 28; // above this, dragging draws a sample of the points and the rest follows when it stops
const SAMPLE_POINTS = 30000;

const VERTEX_SHADER = `#version 300 es
layout(location = 0) in vec2 a_xy;
layout(location = 1) in float a_shade;
uniform vec2 u_centre, u_scale;
uniform float u_size, u_alpha, u_faded;
uniform vec4 u_missing, u_dimmed;
uniform sampler2D u_palette;
flat out vec4 v_colour;
void main() {
  gl_Position = vec4((a_xy - u_centre) * u_scale, 0.0, 1.0);
  bool dimmed = a_shade < 0.5 || u_faded > 0.5;
  gl_PointSize = dimmed || a_shade < 1.5 ? max(u_size * 0.8, 1.0) : u_size;
  if (dimmed) v_colour = u_dimmed;
  else if (a_shade < 1.5) v_colour = u_missing;
  else v_colour = vec4(textureLod(u_palette, vec2((a_shade - 2.0) / 65533.0, 0.5), 0.0).rgb, u_alpha);
}`;

const FRAGMENT_SHADER = `#version 300 es
precision highp float;
flat in vec4 v_colour;
uniform float u_size;
uniform vec3 u_rim;
out vec4 o_colour;
void main() {
  float alpha = v_colour.a;
  vec3 colour = v_colour.rgb;
  if (u_size > 2.5) { // a dot this small is a pixel or two: rounding it costs time and shows nothing
    float r = length(gl_PointCoord * 2.0 - 1.0);
    float soft = 2.0 / u_size;
    alpha *= 1.0 - smoothstep(1.0 - soft, 1.0, r);
    // From about seven pixels on, a faint rim parts neighbours that touch.
    float rim = smoothstep(6.0, 9.0, u_size) * smoothstep(1.0 - 2.0 * soft, 1.0 - soft, r);
    colour = mix(colour, u_rim, rim * 0.6);
  }
  o_colour = vec4(colour * alpha, alpha);
}`;

class PointRenderer {
  constructor(canvas) {
    this.canvas = canvas;
    const options = { antialias: false, alpha: true, depth: false, premultipliedAlpha: true };
    this.gl = canvas.getContext("webgl2", options);
    if (!this.gl) throw new Error("no-webgl2");
    this.frames = 0;
    this.slow = false;
    this.build();
  }

  // Everything the graphics context owns; called again after the context was lost and came back.
  build() {
    const gl = this.gl;
    this.program = linkProgram(gl);
    this.at = {};
    for (const name of ["centre", "scale", "size", "alpha", "faded", "missing", "dimmed", "palette", "rim"]) {
      this.at[name] = gl.getUniformLocation(this.program, `u_${name}`);
    }
    this.vertices = gl.createVertexArray();
    gl.bindVertexArray(this.vertices);
    this.xyBuffer = this.attribute(0, 2, gl.FLOAT, false);
    this.shadeBuffer = this.attribute(1, 1, gl.UNSIGNED_SHORT, false);
    this.orderBuffer = gl.createBuffer();
    this.sampleBuffer = gl.createBuffer();
    this.palette = gl.createTexture();
    this.measured = 0;
    if (this.xy) this.setPoints(this.xy);
    if (this.paletteBytes) this.setPalette(this.paletteBytes, this.smooth);
    if (this.shades) this.setShades(this.shades, this.order);
  }

  attribute(location, size, type, normalised) {
    const gl = this.gl, buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, size, type, normalised, 0, 0);
    return buffer;
  }

  setPoints(xy) {
    const gl = this.gl;
    this.xy = xy;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.xyBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, xy, gl.STATIC_DRAW);
  }

  setPalette(bytes, smooth) {
    const gl = this.gl;
    [this.paletteBytes, this.smooth] = [bytes, smooth];
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, bytes.length / 4, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    const set = (name, value) => gl.texParameteri(gl.TEXTURE_2D, name, value), filter = smooth ? gl.LINEAR : gl.NEAREST;
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) set(name, filter);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) set(name, gl.CLAMP_TO_EDGE);
  }

  setShades(shades, order) {
    const gl = this.gl, sample = sampleOf(order);
    Object.assign(this, { shades, order, sample });
    gl.bindVertexArray(this.vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.shadeBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, shades, gl.STATIC_DRAW);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.sampleBuffer);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, sample, gl.STATIC_DRAW);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.orderBuffer);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.STATIC_DRAW);
  }

  // style: {size, alpha, missing, dimmed, rim} in device pixels and 0..1 colours. moving: the view is being dragged.
  // between(order): the part of an order of drawing that keeps its colours, null for all; the rest fades.
  draw(camera, ratio, style, moving, between) {
    const gl = this.gl, { width, height } = this.canvas;
    if (gl.isContextLost() || !this.order?.length) return;
    const sampled = (moving && this.slow) || this.measured === 0;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.useProgram(this.program);
    gl.bindVertexArray(this.vertices);
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.uniform2f(this.at.centre, camera.x, camera.y);
    gl.uniform2f(this.at.scale, (2 * camera.scale * ratio) / width, (2 * camera.scale * ratio) / height);
    gl.uniform1f(this.at.size, style.size);
    gl.uniform1f(this.at.alpha, style.alpha);
    gl.uniform4fv(this.at.missing, style.missing);
    gl.uniform4fv(this.at.dimmed, style.dimmed);
    gl.uniform3fv(this.at.rim, style.rim);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, sampled ? this.sampleBuffer : this.orderBuffer);
    const began = performance.now();
    const order = sampled ? this.sample : this.order, part = between(order);
    if (!part) this.drawPart(0, order.length, false);
    else {
      this.drawPart(0, part[0], true);
      this.drawPart(part[1], order.length, true);
      this.drawPart(...part, false);
    }
    this.frames++;
    return this.measure(sampled, began);
  }

  drawPart(first, end, faded) {
    const { gl } = this;
    gl.uniform1f(this.at.faded, Number(faded));
    if (end > first) gl.drawElements(gl.POINTS, end - first, gl.UNSIGNED_INT, 4 * first);
  }

  // The first frame (a sample, which also waits for the shaders to compile) and the first whole frame are waited for:
  // that one measurement decides whether dragging may draw everything. Returns true when a whole frame should follow.
  measure(sampled, began) {
    if (this.measured > 1) return sampled;
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
    if (this.measured === 1 && !sampled) this.slow = performance.now() - began > SLOW_FRAME_MS;
    this.measured++;
    return sampled;
  }

  dispose() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext(); // browsers allow few contexts: hand this one back now
  }
}

function linkProgram(gl) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, FRAGMENT_SHADER]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`shader: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}

// Dimmed first, then points without a value, then by value with the end people look for ("high" or "low") on top, so
// that it is never hidden at random. The price: a crowded place looks as good as its best point. Categories have no
// such order and keep that of the data, else the last category would cover the others.
function drawOrder(values, scale, shades) {
  const { categories, onTop } = scale.colour, kinds = categories.length ? 1 : scale.distinct.length;
  const first = new Uint32Array(kinds + 3), rank = new Uint32Array(values.length), order = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const place = shades[i] < FIRST_SHADE || categories.length ? 0 : scale.numbers[i];
    rank[i] = shades[i] < FIRST_SHADE ? shades[i] : FIRST_SHADE + (onTop === "low" ? kinds - 1 - place : place);
    first[rank[i] + 1]++;
  }
  for (let r = 0; r + 1 < first.length; r++) first[r + 1] += first[r];
  for (let i = 0; i < order.length; i++) order[first[rank[i]]++] = i;
  return order;
}

// First and end of the points in an order of drawing that are not dimmed and have a value of the range.
function partBetween(order, values, shades, onTop, [low, high]) {
  const firstWhere = (test) => {
    let from = 0, to = order.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (test(order[middle])) to = middle;
      else from = middle + 1;
    }
    return from;
  };
  const coloured = (i) => shades[i] >= FIRST_SHADE;
  return onTop === "low"
    ? [firstWhere((i) => coloured(i) && values[i] <= high), firstWhere((i) => coloured(i) && values[i] < low)]
    : [firstWhere((i) => coloured(i) && values[i] >= low), firstWhere((i) => coloured(i) && values[i] > high)];
}

function sampleOf(order) {
  const every = Math.ceil(order.length / SAMPLE_POINTS);
  if (every <= 1) return order;
  // Hashed, because the rows of an enumerated space are not in random order.
  return order.filter((i) => ((Math.imul(i, 2654435761) >>> 8) % every) === 0);
}

// values -> shades.
function shadesOf(values, scale, dimmed) {
  const shades = new Uint16Array(values.length), span = LAST_SHADE - FIRST_SHADE;
  const known = scale.distinct && Uint16Array.from(scale.places, (place) => FIRST_SHADE + Math.round(place * span));
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (dimmed && dimmed[i]) shades[i] = DIMMED;
    else if (!Number.isFinite(value)) shades[i] = NO_VALUE;
    else shades[i] = known ? known[scale.numbers[i]] : FIRST_SHADE + Math.round(clamp(scale.place(value), 0, 1) * span);
  }
  return shades;
}

// Movement that is asked for: a flight of the camera to a place, and marks that a player (ui/player) moves over the map
// while it plays, in place of some of those that the server sent. And what the map beside this one shows for a moment:
// the point under the pointer there, the place of a marker that moves there.

const FLIGHT_MS = 900, FLIGHT_ZOOM = 2.5;

class MapMotion extends MapInput {
  constructor(parent) {
    super(parent);
    const options = { signal: this.stop.signal };
    window.addEventListener("svge-play", (event) => this.playFrame(event.detail), options);
    window.addEventListener("svge-hover", (event) => this.showTwin(event.detail), options);
  }

  // Flights are numbered: one that was there when the map was mounted is over.
  followFlight(flight) {
    const number = flight?.number ?? 0, mounted = this.flown !== undefined;
    if (mounted && flight && number > this.flown) this.flyTo(flight.x, flight.y);
    this.flown = Math.max(number, this.flown ?? 0);
  }

  flyTo(x, y) {
    if (!this.camera) {
      this.flightWaits = [x, y];
      return;
    }
    this.flightWaits = null;
    cancelAnimationFrame(this.gliding);
    const target = { x, y, scale: Math.max(this.camera.scale, this.fit.scale * FLIGHT_ZOOM) };
    const from = this.camera, began = performance.now();
    if (this.renderer?.slow || matchMedia("(prefers-reduced-motion: reduce)").matches) return this.setCamera(target);
    const step = (now) => {
      const t = clamp((now - began) / FLIGHT_MS, 0, 1), ease = t * t * (3 - 2 * t), mix = (a, b) => a + (b - a) * ease;
      if (t >= 1) return this.setCamera(target);
      this.setCamera({ x: mix(from.x, x), y: mix(from.y, y), scale: from.scale * (target.scale / from.scale) ** ease });
      this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  // The map can be drawn: a flight that waits for it begins, and a player that plays already says again where it is.
  nowReady() {
    if (this.flightWaits) this.flyTo(...this.flightWaits);
    const { key, twin } = this.data;
    for (const detail of twin ? [key, twin.key] : [key]) window.dispatchEvent(new CustomEvent("svge-map-ready", { detail }));
  }

  // Rows of two maps name the same cells only where the server says so.
  showTwin({ map, index }) {
    const { twin } = this.data, xy = this.index?.xy;
    if (map !== twin?.key) return;
    const shown = twin.sameRows && xy && index != null;
    this.scene.twin = shown ? [xy[2 * index], xy[2 * index + 1]] : null;
    this.root.dataset.twin = shown ? String(index) : "";
    this.requestDraw(false);
  }

  // What plays over the map beside this one, at the places that its stops have here.
  followed(frame, { stop, part }) {
    const { track } = this.data.twin, here = track[stop], next = track[stop + 1] ?? here;
    if (!here) return null; // no cell, or none that is on this map
    const [x, y] = here.map((value, i) => value + (next[i] - value) * part);
    return { ...frame, lines: [], marks: frame.marks.map((mark) => ({ ...mark, x, y })) };
  }

  playFrame({ map, frame, at }) {
    const { key, twin } = this.data;
    if (map !== key && map !== twin?.key) return;
    this.played = map === key || !frame ? frame : at && this.followed(frame, at);
    frame = this.played;
    this.root.dataset.played = frame ? frame.words : "";
    if (frame && this.camera && !this.gesture) this.showPlayed(frame.marks);
    this.requestDraw(false);
  }

  // Of what plays out of sight the whole map is shown.
  showPlayed(marks) {
    const { width, height } = this.size;
    const away = ({ x, y }) => {
      const [px, py] = this.toScreen(x, y);
      return px < 0 || py < 0 || px > width || py > height;
    };
    if (this.zoomingOut || !marks.some(away)) return;
    this.zoomingOut = setTimeout(() => { this.zoomingOut = 0; }, FLIGHT_MS);
    this.glide(this.fit);
  }

  sceneNow() {
    if (!this.played) return this.scene;
    const { marks, lines, replaces } = this.played, stays = ({ kind }) => !replaces.includes(kind);
    return { ...this.scene, marks: [...this.scene.marks.filter(stays), ...marks],
      lines: [...this.scene.lines.filter(stays), ...lines] };
  }
}

// The map as canvas squares. A thread of its own paints them while frames pass, and they go on show a
// few a frame when no zoom runs. Canvases that only take bitmaps cost nothing while the map moves.
const ASKED_AT_ONCE = 2;
const SHOWN_A_FRAME = 6;

// What the map shows, in units of the world: squares may be drawn for another zoom than the map's.
function sightOf(map) {
  const { min, max } = map.getPixelBounds(), unit = WORLD_UNITS / (256 * 2 ** map.getZoom());
  return { west: min.x * unit, north: min.y * unit, east: max.x * unit, south: max.y * unit };
}

const CanvasTiles = L.GridLayer.extend({
  initialize(model) {
    L.GridLayer.prototype.initialize.call(this, { tileSize: TILE_SIDE, keepBuffer: 1, updateWhenZooming: false });
    this.model = model;
    this.kept = new Map(); // for paintSquare on this thread
    this.waiting = [];
    this.asked = new Map();
    this.painted = [];
    this.painter = null;
    this.isPlanned = false;
    this.on("tileunload", ({ tile }) => { tile.isGone = true; });
  },

  onAdd(map) {
    L.GridLayer.prototype.onAdd.call(this, map);
    map.on("zoomend", this.plan, this);
  },

  createTile({ x, y, z }, done) {
    const canvas = document.createElement("canvas");
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    canvas.width = canvas.height = Math.round(TILE_SIDE * ratio);
    canvas.square = { x, y, z, ratio };
    canvas.done = done;
    this.want(canvas);
    return canvas;
  },

  want(canvas) {
    canvas.isStale = true;
    if (!this.waiting.includes(canvas)) this.waiting.push(canvas);
    this.ask();
  },

  // The thread is kept busy, but not more: what went out of sight is never painted.
  ask() {
    this.waiting = this.waiting.filter((canvas) => canvas.isStale && !canvas.isGone);
    if (!this.painter) this.plan();
    while (this.painter && this.waiting.length && this.asked.size < ASKED_AT_ONCE) {
      const canvas = this.waiting.shift(), id = this.lastId = (this.lastId || 0) + 1;
      this.asked.set(id, canvas);
      this.painter.postMessage({ square: { ...canvas.square, id } });
    }
  },

  plan() {
    if (this.isPlanned || !(this.painted.length || (this.waiting.length && !this.painter))) return;
    this.isPlanned = true;
    requestAnimationFrame(() => {
      this.isPlanned = false;
      if (this._map && this._map._animatingZoom) return;
      for (const [canvas, bitmap] of this.painted.splice(0, SHOWN_A_FRAME)) this.show(canvas, bitmap);
      if (!this.painter && this.waiting.length) this.paintHere(this.waiting.shift(), this.kept);
      this.plan();
    });
  },

  show(canvas, bitmap) {
    canvas.getContext("bitmaprenderer").transferFromImageBitmap(bitmap);
    if (canvas.done && !canvas.isGone) canvas.done(null, canvas);
    canvas.done = null;
  },

  paintHere(canvas, kept, model = this.model, sight = null) {
    canvas.isStale = sight !== null;
    this.show(canvas, paintSquare(model, kept, { ...canvas.square, sight }));
  },

  isDrawn() {
    return !(this.waiting.length || this.asked.size || this.painted.length);
  },

  // All that waits, now: before printing, and what is in sight at the start; the rest of that stays stale.
  finish(model = this.model, sight = null) {
    for (const { el } of Object.values(this._tiles)) if (el.isStale) this.paintHere(el, null, model, sight);
    this.waiting = [];
  },

  recolour() {
    const { classes, colouring: { key, colours, isOrdered } } = this.model;
    if (this.painter) this.painter.postMessage({ part: { classes, colouring: { key, colours, isOrdered } } });
  },

  // In other colours: what is in sight first.
  repaint() {
    const map = this._map;
    this.recolour();
    if (!map) return;
    const { west, north, east, south } = sightOf(map); // without asking for the layout, which waits for all else that changed
    const isOut = ({ square: { x, y, z } }) => {
      const side = (TILE_SIDE * WORLD_UNITS) / (256 * 2 ** z);
      return x * side > east || (x + 1) * side < west || y * side > south || (y + 1) * side < north;
    };
    const tiles = Object.values(this._tiles).map(({ el }) => [isOut(el), el]).sort(([a], [b]) => a - b);
    for (const [, canvas] of tiles) this.want(canvas);
  },

  // Starts the thread, which a browser may refuse to a file: then this one paints, a square a frame.
  start(script) {
    try {
      this.painter = this.started(script);
    } catch { /* no thread */ }
    this.tell();
  },

  // The model, at the start and when more of it has come.
  tell() {
    if (this.painter) this.painter.postMessage({ part: modelToPaint(this.model) });
    this.kept.clear();
    this.recolour();
  },

  started(script) {
    const painter = new Worker("data:text/javascript," + encodeURIComponent(script + "\nserve();"));
    painter.onmessage = ({ data: { id, bitmap } }) => {
      const canvas = this.asked.get(id);
      this.asked.delete(id);
      canvas.isStale = this.waiting.includes(canvas);
      this.painted.push([canvas, bitmap]);
      this.ask();
      this.plan();
    };
    painter.onerror = () => {
      this.painter = null;
      for (const canvas of this.asked.values()) this.want(canvas);
      this.asked.clear();
    };
    return painter;
  },
});

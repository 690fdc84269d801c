// The map as canvas squares, painted a few milliseconds a frame and repainted in place.
const TILE_SIDE = 512;
const FRAME_BUDGET_MS = 9;

const CanvasTiles = L.GridLayer.extend({
  initialize(model) {
    L.GridLayer.prototype.initialize.call(this, { tileSize: TILE_SIDE, keepBuffer: 1, updateWhenZooming: false });
    this.model = model;
    this.waiting = [];
    this.isPlanned = false;
  },

  createTile(coords, done) {
    const canvas = document.createElement("canvas");
    canvas.atlasCoords = coords;
    this.waiting.push({ canvas, done });
    this.plan();
    return canvas;
  },

  work(budget) {
    this.isPlanned = false;
    const end = performance.now() + budget;
    while (this.waiting.length && performance.now() < end) {
      const { canvas, done } = this.waiting.shift();
      this.paintOn(canvas, !done);
      if (done) done(null, canvas);
    }
    if (this.waiting.length) this.plan();
  },

  // Paint all that waits, now: before printing and at the start.
  finish() {
    this.work(Infinity);
  },

  // What is in sight at once, the rest as frames have time for it.
  repaint() {
    const tiles = Object.values(this._tiles || {}).map(({ el }) => el);
    const sight = this._map ? this._map.getPixelBounds() : null;
    const isInSight = ({ atlasCoords: { x, y } }) => sight
      && sight.intersects(L.bounds([x * TILE_SIDE, y * TILE_SIDE], [(x + 1) * TILE_SIDE, (y + 1) * TILE_SIDE]));
    this.waiting = this.waiting.filter(({ done }) => done);
    for (const canvas of tiles) {
      if (isInSight(canvas)) this.paintOn(canvas, true);
      else this.waiting.push({ canvas, done: null });
    }
    if (this.waiting.length) this.plan();
  },

  // All anew, also what is kept of squares.
  renew() {
    for (const { el } of Object.values(this._tiles || {})) el.atlasBack = null;
    this.repaint();
  },

  // So that the first move of a slider finds all that never changes painted already.
  paintLater() {
    for (const { el } of Object.values(this._tiles || {})) if (!el.atlasBack) this.waiting.push({ canvas: el, done: null });
    if (this.waiting.length) this.plan();
  },

  plan() {
    if (this.isPlanned) return;
    this.isPlanned = true;
    requestAnimationFrame(() => this.work(FRAME_BUDGET_MS));
  },

  // What never changes is kept beside a square once it has to be painted again.
  paintOn(canvas, isAgain) {
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const { x, y, z } = canvas.atlasCoords;
    const size = Math.round(TILE_SIDE * ratio);
    if (canvas.width !== size) {
      canvas.width = size;
      canvas.height = size;
      canvas.atlasBack = null;
    }
    const view = withEdges({ left: x * TILE_SIDE, top: y * TILE_SIDE, side: TILE_SIDE, scale: (256 * 2 ** z) / WORLD_UNITS, zoom: z, ratio });
    const context = canvas.getContext("2d");
    if (isAgain && !canvas.atlasBack) {
      canvas.atlasBack = document.createElement("canvas");
      canvas.atlasBack.width = size;
      canvas.atlasBack.height = size;
      paintBack(canvas.atlasBack.getContext("2d"), this.model, view);
    }
    if (canvas.atlasBack) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.drawImage(canvas.atlasBack, 0, 0);
    } else {
      paintBack(context, this.model, view);
    }
    paintFront(context, this.model, view);
  },
});

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
    if (!this.isPlanned) {
      this.isPlanned = true;
      requestAnimationFrame(() => this.work(FRAME_BUDGET_MS));
    }
    return canvas;
  },

  work(budget) {
    this.isPlanned = false;
    const end = performance.now() + budget;
    while (this.waiting.length && performance.now() < end) {
      const { canvas, done } = this.waiting.shift();
      this.paintOn(canvas);
      done(null, canvas);
    }
    if (this.waiting.length) {
      this.isPlanned = true;
      requestAnimationFrame(() => this.work(FRAME_BUDGET_MS));
    }
  },

  // Paint all that waits, now: before printing and at the start.
  finish() {
    this.work(Infinity);
  },

  repaint() {
    for (const key of Object.keys(this._tiles || {})) this.paintOn(this._tiles[key].el, true);
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

// Names and numbers over the map, drawn anew after each move. Only the blocks that hold some are laid
// over it: a browser without a graphics card blends all that lies there, also where nothing is drawn.
const LABEL_FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif';
const STREET_LABEL_ZOOMS = { main: 15, minor: 16.5, service: 17.5, foot: 17, steps: 17 };
const SAME_NAME_GAP = 320;
const isWall = () => window.innerWidth >= 2800 && window.innerHeight >= 1700; // where style enlarges words too
const ESTATE_NAME_ZOOM = 15.5;
const BLOCK_WIDTH = 256;
const BLOCK_HEIGHT = 128;
const HALO = 5;
const BLOCKS_A_FRAME = 12;

const Labels = L.Layer.extend({
  initialize(model) {
    this.model = model;
  },

  onAdd(map) {
    map.createPane("labels").style.pointerEvents = "none";
    map.getPane("labels").style.zIndex = 450;
    this.box = L.DomUtil.create("div", "leaflet-zoom-hide", map.getPane("labels"));
    map.on("zoomend viewreset", () => this.box.replaceChildren()); // a move always ends after these
    map.on("moveend", this.plan, this);
    this.draw();
  },

  // Once, however often a move is said to end, and a few blocks a frame.
  plan() {
    this.later(() => {
      const { corner, blocks } = this.drawn(), done = [];
      const step = () => {
        done.push(...blocks.splice(0, BLOCKS_A_FRAME).map((make) => make()));
        if (blocks.length) this.later(step);
        else this.lay(corner, done);
      };
      this.later(step);
    });
  },

  later(act) {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(act);
  },

  lay(corner, blocks) {
    L.DomUtil.setPosition(this.box, corner);
    this.box.replaceChildren(...blocks);
  },

  draw() {
    cancelAnimationFrame(this.frame);
    const { corner, blocks } = this.drawn();
    this.lay(corner, blocks.map((make) => make()));
  },

  drawn() {
    const map = this._map;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const size = map.getSize();
    const corner = map.containerPointToLayerPoint([0, 0]);
    const sheet = new OffscreenCanvas(size.x * ratio, size.y * ratio);
    const origin = map.getPixelOrigin().add(corner);
    const zoom = map.getZoom();
    const scale = (256 * 2 ** zoom) / WORLD_UNITS;
    const view = { left: origin.x, top: origin.y, scale, zoom, width: size.x, height: size.y };
    view.west = origin.x / scale;
    view.north = origin.y / scale;
    view.east = (origin.x + size.x) / scale;
    view.south = (origin.y + size.y) / scale;
    const context = sheet.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    const taken = [];
    drawDistrictNames(context, this.model, view, taken);
    drawEstateNames(context, this.model, view, taken);
    drawStreetNames(context, this.model, view, taken);
    drawRanks(context, this.model, view, taken);
    drawHeights(context, this.model, view, taken);
    return { corner, blocks: blocksOf(taken, size).map((place) => () => blockOf(sheet, place, ratio)) };
  },
});

// Left and top of the blocks that hold a name.
function blocksOf(taken, size) {
  const found = new Map();
  for (const { x, y, w, h } of taken) {
    const right = Math.min(size.x, x + w + HALO), bottom = Math.min(size.y, y + h + HALO);
    for (let top = blockStart(y - h, BLOCK_HEIGHT); top < bottom; top += BLOCK_HEIGHT) {
      for (let left = blockStart(x - w, BLOCK_WIDTH); left < right; left += BLOCK_WIDTH) found.set(left + " " + top, [left, top]);
    }
  }
  return [...found.values()];
}

function blockStart(at, side) {
  return Math.max(0, Math.floor((at - HALO) / side) * side);
}

function blockOf(sheet, [left, top], ratio) {
  const piece = new OffscreenCanvas(BLOCK_WIDTH * ratio, BLOCK_HEIGHT * ratio);
  piece.getContext("2d").drawImage(sheet, -Math.round(left * ratio), -Math.round(top * ratio));
  const canvas = document.createElement("canvas");
  canvas.width = piece.width;
  canvas.height = piece.height;
  canvas.style.cssText = `position:absolute;left:${left}px;top:${top}px;width:${BLOCK_WIDTH}px;height:${BLOCK_HEIGHT}px`;
  canvas.getContext("bitmaprenderer").transferFromImageBitmap(piece.transferToImageBitmap());
  return canvas;
}

function isFree(taken, x, y, halfWidth, halfHeight) {
  const free = taken.every((t) => Math.abs(t.x - x) > t.w + halfWidth || Math.abs(t.y - y) > t.h + halfHeight);
  if (free) taken.push({ x, y, w: halfWidth, h: halfHeight });
  return free;
}

function write(context, words, x, y, colour, halo, haloWidth) {
  context.lineWidth = haloWidth;
  context.strokeStyle = halo;
  context.strokeText(words, x, y);
  context.fillStyle = colour;
  context.fillText(words, x, y);
}

function drawDistrictNames(context, model, view, taken) {
  if (view.zoom > 14.5) return;
  const names = once(model, "districts.name", () => model.columns.texts("districts.name"));
  const x = once(model, "districts.label_x", () => model.columns.numbers("districts.label_x"));
  const y = once(model, "districts.label_y", () => model.columns.numbers("districts.label_y"));
  const totals = once(model, "districts.totals", () => new Map(model.page.areas.filter(({ type }) => type === "district").map((one) => [one.name, one.tier_1])));
  const grown = isWall() ? 1.6 : 1;
  names.forEach((name, i) => {
    context.font = `600 ${18 * grown}px ${LABEL_FONT}`;
    const px = x[i] * view.scale - view.left, py = y[i] * view.scale - view.top;
    const half = context.measureText(name).width / 2;
    if (!isFree(taken, px, py, half, 12 * grown)) return;
    write(context, name, px, py, OUTLINE_COLOUR, "rgba(255,255,255,.85)", 5);
    if (!totals.has(name)) return;
    context.font = `${14 * grown}px ${LABEL_FONT}`;
    const words = text("district_total", grouped(totals.get(name))), below = py + 21 * grown;
    if (isFree(taken, px, below, context.measureText(words).width / 2, 8 * grown)) write(context, words, px, below, OUTLINE_COLOUR, "rgba(255,255,255,.85)", 4);
  });
}

function drawEstateNames(context, model, view, taken) {
  if (view.zoom < ESTATE_NAME_ZOOM || !model.isWhole) return;
  const { words, places } = once(model, "estates.name", () => model.columns.categories("estates.name"));
  context.font = `600 14px ${LABEL_FONT}`;
  const { estates } = model;
  for (let row = 0; row < estates.count; row += 1) {
    if (!places[row] || !meets(estates.box, row, view, 0)) continue;
    const name = words[places[row] - 1];
    const [x, y] = middleOf(estates, row);
    const px = x * view.scale - view.left, py = y * view.scale - view.top;
    const half = context.measureText(name).width / 2;
    if (px < half || px > view.width - half || py < 9 || py > view.height - 9) continue;
    if (isFree(taken, px, py, half, 9)) write(context, name, px, py, ESTATE_COLOUR, "rgba(255,255,255,.9)", 4);
  }
}

// Names run along their street, longest pieces first.
function drawStreetNames(context, model, view, taken) {
  if (view.zoom < STREET_LABEL_ZOOMS.main || !model.isWhole) return;
  const candidates = [];
  for (const lines of model.streets) {
    const { words, places } = once(model, lines.name + ".name", () => model.columns.categories(lines.name + ".name"));
    for (const i of within(lines, view.west, view.north, view.east, view.south).sort((a, b) => a - b)) {
      if (!places[i]) continue;
      const kind = STREET_NAMES[lines.classes[i]];
      if (view.zoom >= STREET_LABEL_ZOOMS[kind]) {
        const run = visibleRun(lines, i, view);
        if (run) candidates.push({ ...run, name: words[places[i] - 1], kind });
      }
    }
  }
  candidates.sort((a, b) => STREET_NAMES.indexOf(a.kind) - STREET_NAMES.indexOf(b.kind) || b.length - a.length);
  const written = new Map();
  for (const { name, kind, length, points } of candidates) {
    context.font = `${kind === "main" ? 600 : 400} 14px ${LABEL_FONT}`;
    const half = context.measureText(name).width / 2;
    if (length < half * 1.6) continue;
    const { x, y, angle } = placeAlong(points, length / 2, half);
    const others = written.get(name) || [];
    if (others.some((o) => Math.hypot(o.x - x, o.y - y) < SAME_NAME_GAP)) continue;
    const w = Math.abs(Math.cos(angle)) * half + 9, h = Math.abs(Math.sin(angle)) * half + 9;
    if (x < w || y < h || x > view.width - w || y > view.height - h) continue;
    if (!isFree(taken, x, y, w, h)) continue;
    written.set(name, [...others, { x, y }]);
    context.save();
    context.translate(x, y);
    context.rotate(angle);
    write(context, name, 0, 0, "#2c333b", "rgba(255,255,255,.9)", 3.5);
    context.restore();
  }
}

// The longest piece of a line inside the view, in pixels.
function visibleRun(lines, i, view) {
  let best = null, points = [], length = 0;
  const close = () => {
    if (points.length > 1 && (!best || length > best.length)) best = { points, length };
    points = [];
    length = 0;
  };
  for (let p = lines.pointStart[i]; p < lines.pointStart[i + 1]; p += 1) {
    const x = lines.x[p] * view.scale - view.left, y = lines.y[p] * view.scale - view.top;
    const last = points[points.length - 1];
    if (last) length += Math.hypot(x - last[0], y - last[1]);
    points.push([x, y]);
    if (x < 0 || y < 0 || x > view.width || y > view.height) {
      const keep = points[points.length - 1];
      close();
      points = [keep];
    }
  }
  close();
  return best;
}

function placeAlong(points, distance, half) {
  const at = (wanted) => {
    let rest = Math.max(0, wanted);
    for (let i = 1; i < points.length; i += 1) {
      const step = Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]);
      if (rest <= step && step > 0) {
        const share = rest / step;
        return [0, 1].map((k) => points[i - 1][k] + share * (points[i][k] - points[i - 1][k]));
      }
      rest -= step;
    }
    return points[points.length - 1];
  };
  const [x, y] = at(distance), [x0, y0] = at(distance - half), [x1, y1] = at(distance + half);
  let angle = Math.atan2(y1 - y0, x1 - x0);
  if (angle > Math.PI / 2) angle -= Math.PI;
  if (angle <= -Math.PI / 2) angle += Math.PI;
  return { x, y, angle };
}

// Near enough, each building wears its rank.
function drawRanks(context, model, view, taken) {
  if (view.zoom < 16.5 || !model.isWhole) return;
  context.font = `600 14px ${LABEL_FONT}`;
  const rows = within(model.ranked, view.west, view.north, view.east, view.south);
  rows.sort((a, b) => model.rank[a] - model.rank[b]);
  for (const row of rows) {
    if (!model.rank[row]) continue;
    const { box } = model.ranked;
    const width = (box[4 * row + 2] - box[4 * row]) * view.scale;
    const height = (box[4 * row + 3] - box[4 * row + 1]) * view.scale;
    const words = (isLifted(model, row) ? LIFTED_SIGN : "") + model.rank[row];
    const half = context.measureText(words).width / 2;
    if (width < half * 2 || height < 15) continue;
    const [x, y] = middleOf(model.ranked, row);
    const px = x * view.scale - view.left, py = y * view.scale - view.top;
    if (isFree(taken, px, py, half + 2, 9)) write(context, words, px, py, "#111", "rgba(255,255,255,.9)", 3);
  }
}

function drawHeights(context, model, view, taken) {
  if (view.zoom < 15 || !model.isWhole) return;
  const bold = model.page.contour_interval_m * 5;
  context.font = `14px ${LABEL_FONT}`;
  const { contours } = model, { height_m: heights } = contours;
  for (let i = 0; i < contours.count; i += 1) {
    if (view.zoom < 16.5 && heights[i] % bold !== 0) continue;
    if (!meets(contours.box, i, view, 0)) continue;
    const run = visibleRun(contours, i, view);
    if (!run || run.length < 120) continue;
    const { x, y, angle } = placeAlong(run.points, run.length / 2, 14);
    if (x < 20 || y < 20 || x > view.width - 20 || y > view.height - 20) continue;
    if (!isFree(taken, x, y, 24, 16)) continue;
    context.save();
    context.translate(x, y);
    context.rotate(angle);
    write(context, String(heights[i]), 0, 0, "#7a5a2a", "rgba(255,255,255,.8)", 3);
    context.restore();
  }
}

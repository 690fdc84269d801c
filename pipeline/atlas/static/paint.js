// One square of the map on a canvas. `view` has left, top (pixels of the world), scale (pixels a unit),
// side, ratio (device pixels a pixel) and zoom.
const MISSING = 255;
const FAINT = 254;
const NOT_RANKED = 253; // housing that goes another way than the ranking
const MISSING_COLOUR = "#a8b89a";
const MISSING_HATCH = "#71826a"; // near by it is told from every class without colour
const HATCH_PIXELS = 8; // squares are whole numbers of it
const NOT_RANKED_COLOUR = "#93a7ad";
const FAINT_COLOUR = "#d9dcdf"; // rows that the filters leave out
const PAPER = "#eceeee";
const PIXEL_ZOOM = 13;
const PIXEL_COUNT = 8000;
const SMALLEST_PIXELS = 1.8;
const WATER_FILL = "#b5d3e3";
const OTHER_FILL = "#c3c7cd";
const OTHER_EDGE = "#a3a9b2";
const ESTATE_COLOUR = "#3d5a2a";
const ESTATE_ZOOM = 14.5;
const OUTLINE_COLOUR = "#26405f";
const SHARED_PATH_ZOOM = 14.5;
const LONG_RING = 64; // points; of longer rings the steps too small to see are left out
const LEAST_STEP = 0.7; // pixels

// Width in pixels by zoom: [zoom, width] pairs, straight between.
const STREET_WIDTHS = {
  main: [[10, 0.5], [13, 1], [14, 1.8], [15, 3.2], [17, 8], [19, 18]],
  minor: [[13, 0.4], [15, 1.6], [17, 5], [19, 12]],
  service: [[15, 0.6], [17, 2.4], [19, 6]],
  foot: [[15, 0.7], [17, 1.2], [19, 2]],
  steps: [[14, 1], [17, 2], [19, 4]],
};
const SHADE_VEIL = [[14, 0], [17, 0.45]]; // shade cells are broad when near, and would outweigh the map
const STREET_ZOOMS = { main: 10, minor: 13.5, service: 15, foot: 15.5, steps: 14.5 };
const STREET_NAMES = ["main", "minor", "service", "foot", "steps"];

function widthAt(pairs, zoom) {
  if (zoom <= pairs[0][0]) return pairs[0][1];
  for (let i = 1; i < pairs.length; i += 1) {
    const [z0, w0] = pairs[i - 1], [z1, w1] = pairs[i];
    if (zoom <= z1) return w0 + ((w1 - w0) * (zoom - z0)) / (z1 - z0);
  }
  return pairs[pairs.length - 1][1];
}

function shadePicture(grey, shade) {
  const canvas = new OffscreenCanvas(shade.columns, shade.rows);
  const context = canvas.getContext("2d");
  const image = context.createImageData(shade.columns, shade.rows);
  for (let i = 0; i < grey.length; i += 1) {
    const light = (grey[i] - 1) / (shade.steps - 1);
    const tone = Math.max(165, Math.min(250, 232 + (light - Math.SQRT1_2) * 105));
    image.data[4 * i] = tone - 3;
    image.data[4 * i + 1] = tone;
    image.data[4 * i + 2] = tone + 1;
    image.data[4 * i + 3] = grey[i] === 0 ? 0 : 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function withEdges(view) {
  view.west = view.left / view.scale;
  view.north = view.top / view.scale;
  view.east = (view.left + view.side) / view.scale;
  view.south = (view.top + view.side) / view.scale;
  return view;
}

// What no choice of the reader changes.
function paintBack(context, model, view) {
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  context.fillStyle = PAPER;
  context.fillRect(0, 0, view.side, view.side);
  paintShade(context, model, view);
  paintWater(context, model, view);
  paintContours(context, model, view);
  paintStreets(context, model, view);
  paintOutside(context, model, view);
  paintEstates(context, model, view);
  if (!isFarOut(model, view)) paintOthers(context, model, view);
}

function paintEstates(context, model, view) {
  if (view.zoom < ESTATE_ZOOM || !model.isWhole) return;
  context.beginPath();
  const { estates } = model;
  for (let row = 0; row < estates.count; row += 1) {
    if (meets(estates.box, row, view, 4 / view.scale)) addRings(context, estates, row, view);
  }
  context.setLineDash([5, 3]);
  context.lineWidth = 1.2;
  context.strokeStyle = ESTATE_COLOUR;
  context.stroke();
  context.setLineDash([]);
}

function isFarOut(model, view) {
  return view.zoom <= PIXEL_ZOOM && model.count > PIXEL_COUNT;
}

function paintFront(context, model, view) {
  if (isInHexes(model, view)) {
    paintHexes(context, model, view);
    paintOver(context, model, view);
    return;
  }
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  if (view.zoom <= PIXEL_ZOOM) paintOneByOne(context, model, view);
  else paintBatches(context, model, view);
  paintOver(context, model, view);
}

// What lies over the buildings.
function paintOver(context, model, view) {
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  paintSteps(context, model, view);
  paintOutlines(context, model, view);
}

function paintShade(context, model, view) {
  const shade = model.page.shade;
  const picture = once(model, "shade.picture", () => shadePicture(model.shade, shade));
  const clamp = (value, most) => Math.max(0, Math.min(most, value));
  const c0 = clamp(Math.floor((view.west - shade.x) / shade.cell) - 2, shade.columns);
  const c1 = clamp(Math.ceil((view.east - shade.x) / shade.cell) + 2, shade.columns);
  const r0 = clamp(Math.floor((view.north - shade.y) / shade.cell) - 2, shade.rows);
  const r1 = clamp(Math.ceil((view.south - shade.y) / shade.cell) + 2, shade.rows);
  if (c1 <= c0 || r1 <= r0) return;
  const size = shade.cell * view.scale;
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = size > 1 ? "high" : "low";
  context.drawImage(
    picture, c0, r0, c1 - c0, r1 - r0,
    (shade.x + c0 * shade.cell) * view.scale - view.left,
    (shade.y + r0 * shade.cell) * view.scale - view.top,
    (c1 - c0) * size, (r1 - r0) * size,
  );
  context.fillStyle = `rgba(246, 247, 247, ${widthAt(SHADE_VEIL, view.zoom)})`;
  context.fillRect(0, 0, view.side, view.side);
}

function meets(box, i, view, margin) {
  return box[4 * i] <= view.east + margin && box[4 * i + 2] >= view.west - margin
    && box[4 * i + 1] <= view.south + margin && box[4 * i + 3] >= view.north - margin;
}

function addLine(context, lines, i, view) {
  const { x, y } = lines, { scale, left, top } = view;
  const from = lines.pointStart[i], to = lines.pointStart[i + 1];
  context.moveTo(x[from] * scale - left, y[from] * scale - top);
  for (let p = from + 1, last = from; p < to; p += 1) {
    if (p + 1 < to && (Math.abs(x[p] - x[last]) + Math.abs(y[p] - y[last])) * scale < LEAST_STEP) continue;
    last = p;
    context.lineTo(x[p] * scale - left, y[p] * scale - top);
  }
}

function addRings(context, shapes, row, view) {
  const { ringStart, pointStart, x, y } = shapes;
  const { scale, left, top } = view;
  for (let ring = ringStart[row]; ring < ringStart[row + 1]; ring += 1) {
    const from = pointStart[ring], to = pointStart[ring + 1];
    context.moveTo(x[from] * scale - left, y[from] * scale - top);
    const isLong = to - from > LONG_RING;
    for (let p = from + 1, last = from; p < to; p += 1) {
      if (isLong && (Math.abs(x[p] - x[last]) + Math.abs(y[p] - y[last])) * scale < LEAST_STEP) continue;
      last = p;
      context.lineTo(x[p] * scale - left, y[p] * scale - top);
    }
    context.closePath();
  }
}

function paintWater(context, model, view) {
  context.beginPath();
  for (let row = 0; row < model.water.count; row += 1) {
    if (meets(model.water.box, row, view, 0)) addRings(context, model.water, row, view);
  }
  context.fillStyle = WATER_FILL;
  context.fill();
}

function paintContours(context, model, view) {
  if (view.zoom < 13 || !model.isWhole) return;
  const { contours } = model, { height_m: heights } = contours;
  const bold = model.page.contour_interval_m * 5;
  for (const isBold of [false, true]) {
    if (!isBold && view.zoom < 14) continue;
    context.beginPath();
    for (let i = 0; i < contours.count; i += 1) {
      if ((heights[i] % bold === 0) === isBold && meets(contours.box, i, view, 0)) {
        addLine(context, contours, i, view);
      }
    }
    context.lineWidth = isBold ? 1.1 : 0.7;
    context.strokeStyle = isBold ? "rgba(112, 88, 52, 0.5)" : "rgba(112, 88, 52, 0.28)";
    context.stroke();
  }
}

function paintOutside(context, model, view) {
  context.fillStyle = "rgba(250, 250, 250, 0.62)";
  const path = new Path2D();
  path.rect(-2, -2, view.side + 4, view.side + 4);
  if (hasBorder(model.districts, view)) path.addPath(districtPath(model, view));
  else if (isInDistrict(model.districts, view)) return;
  context.fill(path, "evenodd");
}

// Whether the line between districts runs through a square or close by.
function hasBorder({ pointStart, x, y }, view) {
  const margin = 6 / view.scale;
  const west = view.west - margin, north = view.north - margin, east = view.east + margin, south = view.south + margin;
  for (let ring = 0; ring + 1 < pointStart.length; ring += 1) {
    const from = pointStart[ring], to = pointStart[ring + 1];
    for (let p = from, last = to - 1; p < to; last = p, p += 1) {
      if ((x[p] < west && x[last] < west) || (x[p] > east && x[last] > east)) continue;
      if ((y[p] < north && y[last] < north) || (y[p] > south && y[last] > south)) continue;
      return true;
    }
  }
  return false;
}

function isInDistrict(districts, view) {
  for (let row = 0; row < districts.count; row += 1) {
    if (contains(districts, row, (view.west + view.east) / 2, (view.north + view.south) / 2)) return true;
  }
  return false;
}

// The districts in a square's own pixels. The squares of a zoom share one path where numbers of a
// path are exact enough, without the points that share a pixel.
function districtPath(model, view) {
  const { districts } = model;
  if (view.zoom > SHARED_PATH_ZOOM) return pathOf(districts, view);
  const left = Math.floor(districts.box[0] * view.scale), top = Math.floor(districts.box[1] * view.scale);
  if (model.districtPath?.zoom !== view.zoom) {
    model.districtPath = { zoom: view.zoom, path: pathOf(districts, { scale: view.scale, left, top }) };
  }
  const path = new Path2D();
  path.addPath(model.districtPath.path, new DOMMatrix([1, 0, 0, 1, left - view.left, top - view.top]));
  return path;
}

function pathOf(shapes, view) {
  const path = new Path2D();
  for (let row = 0; row < shapes.count; row += 1) addRings(path, shapes, row, view);
  return path;
}

function streetPath(context, model, view, kind, structures, width) {
  const wanted = STREET_NAMES.indexOf(kind);
  context.beginPath();
  for (const lines of model.streets) {
    if (lines.only !== null && lines.only !== wanted) continue;
    const { classes, structure } = lines, margin = width / view.scale;
    for (const i of within(lines, view.west - margin, view.north - margin, view.east + margin, view.south + margin)) {
      if (classes[i] === wanted && structures.includes(structure[i])) addLine(context, lines, i, view);
    }
  }
}

function paintStreets(context, model, view) {
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const kind of ["foot", "service", "minor", "main"]) {
    if (view.zoom < STREET_ZOOMS[kind]) continue;
    const width = widthAt(STREET_WIDTHS[kind], view.zoom);
    streetPath(context, model, view, kind, [2], width + 2);
    context.setLineDash([6, 5]);
    context.lineCap = "butt";
    context.lineWidth = Math.max(1, width * 0.5);
    context.strokeStyle = kind === "main" ? "rgba(96, 104, 116, 0.55)" : "rgba(110, 118, 130, 0.35)";
    context.stroke();
    context.setLineDash([]);
    context.lineCap = "round";
    streetPath(context, model, view, kind, [0, 1], width + 2);
    if (kind === "foot") {
      context.setLineDash([3, 3]);
      context.lineWidth = width;
      context.strokeStyle = "rgba(104, 112, 124, 0.6)";
      context.stroke();
      context.setLineDash([]);
      continue;
    }
    context.lineWidth = width + (kind === "main" && view.zoom > 14 ? 1.8 : 1);
    context.strokeStyle = kind === "main" ? "#858d98" : "rgba(126, 134, 145, 0.75)";
    context.stroke();
    context.lineWidth = width;
    context.strokeStyle = kind === "main" ? "#fdf3cf" : "#ffffff";
    context.stroke();
  }
}

function paintSteps(context, model, view) {
  if (view.zoom < STREET_ZOOMS.steps) return;
  const width = widthAt(STREET_WIDTHS.steps, view.zoom);
  streetPath(context, model, view, "steps", [0, 1, 2], width);
  context.lineCap = "butt";
  context.setLineDash([1.6, 2.2]);
  context.lineWidth = width + 1;
  context.strokeStyle = "#1f3f5b";
  context.stroke();
  context.setLineDash([]);
}

function colourOf(colouring, place) {
  if (place === FAINT) return FAINT_COLOUR;
  if (place === NOT_RANKED) return NOT_RANKED_COLOUR;
  return place === MISSING ? MISSING_COLOUR : colouring.colours[place];
}

function hatch(model, context) {
  return once(model, "hatch", () => {
    const canvas = new OffscreenCanvas(HATCH_PIXELS, HATCH_PIXELS), pen = canvas.getContext("2d");
    pen.fillStyle = MISSING_COLOUR;
    pen.fillRect(0, 0, HATCH_PIXELS, HATCH_PIXELS);
    pen.fillStyle = MISSING_HATCH;
    for (let y = 0; y < HATCH_PIXELS; y += 1) for (const x of [0, 4]) pen.fillRect((y + x) % HATCH_PIXELS, y, 1, 1);
    return context.createPattern(canvas, "repeat");
  });
}

function edgeOf(colouring) {
  return colouring.key === "tier" ? "rgba(82, 8, 10, 0.75)" : "rgba(52, 28, 72, 0.7)";
}

function paintOthers(context, model, view) {
  context.lineJoin = "round";
  context.fillStyle = OTHER_FILL;
  context.beginPath();
  for (const row of within(model.others, view.west, view.north, view.east, view.south)) addShape(context, model.others, row, view);
  context.fill();
  if (view.zoom <= PIXEL_ZOOM) return;
  context.lineWidth = 0.6;
  context.strokeStyle = OTHER_EDGE;
  context.stroke();
}

function addShape(context, shapes, row, view) {
  const { box } = shapes;
  const width = (box[4 * row + 2] - box[4 * row]) * view.scale;
  const height = (box[4 * row + 3] - box[4 * row + 1]) * view.scale;
  if (width >= SMALLEST_PIXELS || height >= SMALLEST_PIXELS) {
    addRings(context, shapes, row, view);
    return;
  }
  const [x, y] = middleOf(shapes, row);
  const half = SMALLEST_PIXELS / 2;
  context.rect(x * view.scale - view.left - half, y * view.scale - view.top - half, 2 * half, 2 * half);
}

function paintOneByOne(context, model, view) {
  const area = [view.west, view.north, view.east, view.south];
  for (const row of within(model.ranked, ...area).sort((a, b) => a - b)) {
    context.beginPath();
    addShape(context, model.ranked, row, view);
    context.fillStyle = colourOf(model.colouring, model.classes[row]);
    context.fill();
  }
}

function paintBatches(context, model, view) {
  const area = [view.west, view.north, view.east, view.south];
  context.lineJoin = "round";
  const batches = new Map();
  for (const row of within(model.ranked, ...area)) {
    const place = model.classes[row];
    if (!batches.has(place)) batches.set(place, []);
    batches.get(place).push(row);
  }
  const edge = edgeOf(model.colouring);
  for (const place of [...batches.keys()].sort((a, b) => b - a)) {
    context.beginPath();
    for (const row of batches.get(place)) addShape(context, model.ranked, row, view);
    const colour = colourOf(model.colouring, place);
    context.fillStyle = colour === MISSING_COLOUR ? hatch(model, context) : colour;
    context.fill();
    context.lineWidth = view.zoom < 15 ? 0.5 : 0.9;
    context.strokeStyle = edge;
    context.stroke();
  }
}

function paintOutlines(context, model, view) {
  if (!hasBorder(model.districts, view)) return;
  const path = districtPath(model, view);
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = "rgba(255, 255, 255, 0.7)";
  context.stroke(path);
  context.setLineDash([10, 4, 2, 4]);
  context.lineWidth = 1.8;
  context.strokeStyle = OUTLINE_COLOUR;
  context.stroke(path);
  context.setLineDash([]);
}

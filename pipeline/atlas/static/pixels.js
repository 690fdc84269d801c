// Far out: each building sets pixels, never fewer than SMALLEST_PIXELS square. Rows come in the order
// of the ground, so no class paints over the others as a rule.
function pixelColours(model) {
  const colours = new Uint32Array(256).fill(pixelOf(MISSING_COLOUR));
  colours[FAINT] = pixelOf(FAINT_COLOUR);
  colours[NOT_RANKED] = pixelOf(NOT_RANKED_COLOUR);
  model.colouring.colours.forEach((colour, place) => { colours[place] = pixelOf(colour); });
  return colours;
}

function pixelOf(colour) {
  const value = parseInt(colour.slice(1), 16);
  return ((255 << 24) | ((value & 255) << 16) | (value & 0xff00) | (value >>> 16)) >>> 0;
}

// Sets the pixels of each row to what `valueOf` tells.
function setPixels(pixels, size, shapes, view, valueOf) {
  const { box, count } = shapes;
  const { west, north, east, south } = view;
  const scale = view.scale * view.ratio;
  const left = view.left * view.ratio, top = view.top * view.ratio;
  const smallest = SMALLEST_PIXELS * view.ratio;
  for (let row = 0, at = 0; row < count; row += 1, at += 4) {
    if (box[at] > east || box[at + 2] < west || box[at + 1] > south || box[at + 3] < north) continue;
    const value = valueOf(row);
    const width = (box[at + 2] - box[at]) * scale, height = (box[at + 3] - box[at + 1]) * scale;
    const lackX = width < smallest ? (smallest - width) / 2 : 0;
    const lackY = height < smallest ? (smallest - height) / 2 : 0;
    const x0 = Math.max(0, Math.round(box[at] * scale - left - lackX));
    const y0 = Math.max(0, Math.round(box[at + 1] * scale - top - lackY));
    const x1 = Math.min(size, Math.round(box[at + 2] * scale - left + lackX));
    const y1 = Math.min(size, Math.round(box[at + 3] * scale - top + lackY));
    for (let y = y0; y < y1; y += 1) {
      for (let p = y * size + x0; p < y * size + x1; p += 1) pixels[p] = value;
    }
  }
}

// All but the scored buildings and what lies over them.
function groundPixels(context, model, view, size) {
  paintBack(context, model, view);
  const image = context.getImageData(0, 0, size, size);
  const pixels = new Uint32Array(image.data.buffer), grey = pixelOf(OTHER_FILL);
  setPixels(pixels, size, model.others, view, () => grey);
  return { image, pixels };
}

// A square far out as pixels: what never changes, and which building shows at which pixel. Then a new
// colouring costs no drawing: only these pixels are set.
function farSquare(model, view) {
  const size = Math.round(view.side * view.ratio);
  const context = new OffscreenCanvas(size, size).getContext("2d", { willReadFrequently: true });
  const { image, pixels } = groundPixels(context, model, view, size);
  const owner = new Int32Array(size * size), over = overPixels(context, model, view, size);
  setPixels(owner, size, model.ranked, view, (row) => row + 1);
  const places = [], rows = [], covered = [], cover = [];
  for (let place = 0; place < owner.length; place += 1) {
    if (owner[place]) {
      places.push(place);
      rows.push(owner[place] - 1);
    }
    if (!over || !over[place]) continue;
    if (owner[place]) {
      covered.push(place);
      cover.push(over[place]);
    } else {
      pixels[place] = laidOver(pixels[place], over[place]);
    }
  }
  return { image, pixels, places: Uint32Array.from(places), rows: Uint32Array.from(rows), covered, cover };
}

// What lies over the buildings far out; null if nothing does.
function overPixels(context, model, view, size) {
  if (!hasBorder(model.districts, view)) return null;
  context.clearRect(0, 0, view.side, view.side);
  paintOver(context, model, view);
  return new Uint32Array(context.getImageData(0, 0, size, size).data.buffer);
}

function paintFarSquare(context, model, far) {
  const { image, pixels, places, rows, covered, cover } = far;
  const { classes } = model, colours = pixelColours(model);
  for (let i = 0; i < places.length; i += 1) pixels[places[i]] = colours[classes[rows[i]]];
  for (let i = 0; i < covered.length; i += 1) pixels[covered[i]] = laidOver(pixels[covered[i]], cover[i]);
  context.putImageData(image, 0, 0);
}

// One colour over an opaque one, both as pixels.
function laidOver(below, above) {
  const share = (above >>> 24) / 255;
  let found = 0xff;
  for (let shift = 16; shift >= 0; shift -= 8) {
    const low = (below >>> shift) & 255, high = (above >>> shift) & 255;
    found = (found << 8) | Math.round(low + (high - low) * share);
  }
  return found >>> 0;
}

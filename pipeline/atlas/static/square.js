// Squares of the map as bitmaps. What no choice changes of the last ones is kept, if `kept` is given, so
// that other colours cost little.
const TILE_SIDE = 512;
const MOST_KEPT = 48;

function paintSquare(model, kept, { x, y, z, ratio, sight }) {
  const size = Math.round(TILE_SIDE * ratio), key = [x, y, z, size].join();
  const view = withEdges({ left: x * TILE_SIDE, top: y * TILE_SIDE, side: TILE_SIDE, scale: (256 * 2 ** z) / WORLD_UNITS, zoom: z, ratio });
  if (sight) narrow(view, sight);
  const isHexed = isInHexes(model, view), isFar = isFarOut(model, view) && !isHexed;
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d", { willReadFrequently: isFar });
  if (sight) clipTo(context, view);
  if (!kept) paintOnce(context, model, view, size, isFar);
  else {
    const square = kept.get(key) || (isFar ? farSquare(model, view) : isHexed ? hexSquare(model, view, size) : backOf(model, view, size));
    kept.delete(key);
    kept.set(key, square);
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
    if (isFar) paintFarSquare(context, model, square);
    else if (isHexed) paintHexSquare(context, model, view, square);
    else {
      context.drawImage(square, 0, 0);
      paintFront(context, model, view);
    }
  }
  return canvas.transferToImageBitmap();
}

function paintOnce(context, model, view, size, isFar) {
  if (!isFar || !(isAnyIn(model.ranked, view) || isAnyIn(model.others, view))) {
    paintBack(context, model, view);
    (isFar ? paintOver : paintFront)(context, model, view);
    return;
  }
  const { classes } = model, colours = pixelColours(model), { image, pixels } = groundPixels(context, model, view, size);
  setPixels(pixels, size, model.ranked, view, (row) => colours[classes[row]]);
  context.putImageData(image, 0, 0);
  paintOver(context, model, view);
}

// To the part in sight.
function narrow(view, { west, north, east, south }) {
  view.west = Math.max(view.west, west);
  view.north = Math.max(view.north, north);
  view.east = Math.min(view.east, east);
  view.south = Math.min(view.south, south);
}

function clipTo(context, { left, top, scale, ratio, west, north, east, south }) {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.beginPath();
  context.rect(west * scale - left, north * scale - top, (east - west) * scale, (south - north) * scale);
  context.clip();
}

function isAnyIn({ box, count }, view) {
  for (let row = 0; row < count; row += 1) if (meets(box, row, view, 0)) return true;
  return false;
}

function backOf(model, view, size) {
  const canvas = new OffscreenCanvas(size, size);
  paintBack(canvas.getContext("2d"), model, view);
  return canvas;
}

// What a thread of its own does: it is told the model in parts, then asked for squares.
function serve() {
  const model = { lazy: new Map() }, kept = new Map();
  onmessage = ({ data: { part, square } }) => {
    if (part) {
      Object.assign(model, part);
      if (!part.ranked) return;
      model.lazy.clear();
      kept.clear();
      setTimeout(() => [model.ranked, model.others, ...model.streets].forEach(gridOf)); // before they are asked for
      return;
    }
    const bitmap = paintSquare(model, kept, square);
    postMessage({ id: square.id, bitmap }, [bitmap]);
  };
}

// What it needs of the model; without classes, which follow each choice.
function modelToPaint(model) {
  const { isWhole, count, ranked, others, districts, water, shade, homes } = model;
  const { shade: place, contour_interval_m } = model.page;
  const part = { isWhole, count, homes, ranked, others, districts, water, shade, page: { shade: place, contour_interval_m }, streets: model.streets };
  return isWhole ? { ...part, estates: model.estates, contours: model.contours } : part;
}

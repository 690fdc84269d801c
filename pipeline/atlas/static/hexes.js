// Far out a city is shown by hexagons: as large as the households in them are many, coloured by the
// class that their middle household is in, or that most are in where classes have no order.
const HEX_ZOOM = 12;
const HEX_PIXELS = 9; // from the middle to a corner
const HEX_SLOTS = 16; // more than a colouring has classes; what has none takes the last three
const LEAST_HEX = 0.34;
const FULL_HEX_SHARE = 0.9; // hexagons with more households than this share of them are full
const HEX_CORNERS = [0, 1, 2, 3, 4, 5].map((i) => [Math.sin((i * Math.PI) / 3), -Math.cos((i * Math.PI) / 3)]);

function isInHexes(model, view) {
  return view.zoom <= HEX_ZOOM && isFarOut(model, view);
}

// Hexagon of each row, their middles, and the households in the fullest. Pointed rows, offset by half.
function hexGrid(model, zoom) {
  return once(model, "hexes." + zoom + "." + (model.homes ? 1 : 0), () => {
    const radius = (HEX_PIXELS * WORLD_UNITS) / (256 * 2 ** zoom), width = Math.sqrt(3) * radius, height = 1.5 * radius;
    const { box } = model.ranked, hexOf = new Int32Array(model.count), places = new Map(), x = [], y = [];
    for (let row = 0; row < model.count; row += 1) {
      const px = (box[4 * row] + box[4 * row + 2]) / 2, py = (box[4 * row + 1] + box[4 * row + 3]) / 2;
      const [column, line] = nearestHex(px, py, width, height);
      const key = line * 2 ** 22 + column;
      let hex = places.get(key);
      if (hex === undefined) {
        hex = x.length;
        places.set(key, hex);
        x.push((column + (line % 2) / 2) * width);
        y.push(line * height);
      }
      hexOf[row] = hex;
    }
    const sums = new Float64Array(x.length);
    for (let row = 0; row < model.count; row += 1) sums[hexOf[row]] += homesOf(model, row);
    const full = [...sums].sort((a, b) => a - b)[Math.floor(FULL_HEX_SHARE * (sums.length - 1))] || 1;
    return { hexOf, x, y, radius, full };
  });
}

function nearestHex(px, py, width, height) {
  const near = Math.floor(py / height);
  let best = null, least = Infinity;
  for (const line of [near, near + 1]) {
    const shift = (line % 2) / 2, column = Math.round(px / width - shift);
    const distance = Math.hypot(px - (column + shift) * width, py - line * height);
    if (distance < least) [best, least] = [[column, line], distance];
  }
  return best;
}

// Where nobody counted the households, a building counts as one.
function homesOf(model, row) {
  return model.homes ? model.homes[row] : 1;
}

// Households and class of each hexagon under the colouring in force.
function hexClasses(model, zoom) {
  const { classes, colouring } = model, grid = hexGrid(model, zoom);
  if (model.hexed && model.hexed.classes === classes && model.hexed.grid === grid) return model.hexed;
  const count = grid.x.length, sums = new Float32Array(count * HEX_SLOTS), whole = new Float32Array(count);
  for (let row = 0; row < model.count; row += 1) {
    const homes = homesOf(model, row);
    sums[grid.hexOf[row] * HEX_SLOTS + classes[row] % HEX_SLOTS] += homes;
    if (classes[row] !== FAINT) whole[grid.hexOf[row]] += homes;
  }
  const found = new Uint8Array(count);
  for (let hex = 0; hex < count; hex += 1) {
    found[hex] = whole[hex] ? hexClass(sums.subarray(hex * HEX_SLOTS, (hex + 1) * HEX_SLOTS), whole[hex], colouring) : FAINT;
  }
  model.hexed = { classes, grid, found, whole };
  return model.hexed;
}

function hexClass(sums, whole, { colours, isOrdered }) {
  let most = 0, valued = 0;
  for (let place = 0; place < colours.length; place += 1) {
    valued += sums[place];
    if (sums[place] > sums[most]) most = place;
  }
  if (2 * valued < whole) return sums[MISSING % HEX_SLOTS] > sums[NOT_RANKED % HEX_SLOTS] ? MISSING : NOT_RANKED;
  if (!isOrdered) return most;
  let below = 0;
  for (let place = 0; place < colours.length; place += 1) {
    below += sums[place];
    if (2 * below >= valued) return place;
  }
  return most;
}

// All of a colour together, then all edges: canvases draw few paths faster than many.
function paintHexes(context, model, view) {
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  const { grid, found, whole } = hexClasses(model, view.zoom), { radius: margin } = grid, paths = new Map(), edges = new Path2D();
  for (let hex = 0; hex < found.length; hex += 1) {
    if (grid.x[hex] < view.west - margin || grid.x[hex] > view.east + margin) continue;
    if (grid.y[hex] < view.north - margin || grid.y[hex] > view.south + margin) continue;
    const size = found[hex] === FAINT ? LEAST_HEX : Math.max(LEAST_HEX, Math.min(1, Math.sqrt(whole[hex] / grid.full)));
    const x = grid.x[hex] * view.scale - view.left, y = grid.y[hex] * view.scale - view.top;
    if (!paths.has(found[hex])) paths.set(found[hex], new Path2D());
    for (const path of [paths.get(found[hex]), edges]) {
      HEX_CORNERS.forEach(([dx, dy], i) => path[i ? "lineTo" : "moveTo"](x + dx * HEX_PIXELS * size, y + dy * HEX_PIXELS * size));
      path.closePath();
    }
  }
  for (const [place, path] of paths) {
    context.fillStyle = colourOf(model.colouring, place);
    context.fill(path);
  }
  context.lineWidth = 0.6;
  context.strokeStyle = "rgba(40, 40, 48, 0.45)";
  context.stroke(edges);
}

// What lies under and over the hexagons of a square, which no choice changes.
function hexSquare(model, view, size) {
  if (!hasBorder(model.districts, view)) return { back: backOf(model, view, size), over: null };
  const over = new OffscreenCanvas(size, size);
  paintOver(over.getContext("2d"), model, view);
  return { back: backOf(model, view, size), over };
}

function paintHexSquare(context, model, view, { back, over }) {
  context.drawImage(back, 0, 0);
  paintHexes(context, model, view);
  context.setTransform(1, 0, 0, 1, 0, 0);
  if (over) context.drawImage(over, 0, 0);
}

// Shapes on the ground and which of them lie where; for the page and for the thread that paints.
const WORLD_UNITS = 2 ** 28;
const GRID_CELL = 1024;
const grids = new WeakMap();

function once(model, key, make) {
  if (!model.lazy.has(key)) model.lazy.set(key, make());
  return model.lazy.get(key);
}

// Square cells over all shapes; items of cell c are item[start[c]] … item[start[c + 1] − 1].
function buildGrid({ box, count, cell = GRID_CELL }) {
  let west = Infinity, north = Infinity, east = -Infinity, south = -Infinity;
  for (let i = 0; i < count; i += 1) {
    if (box[4 * i] < west) west = box[4 * i];
    if (box[4 * i + 1] < north) north = box[4 * i + 1];
    if (box[4 * i + 2] > east) east = box[4 * i + 2];
    if (box[4 * i + 3] > south) south = box[4 * i + 3];
  }
  const columns = count ? Math.floor((east - west) / cell) + 1 : 0;
  const rows = count ? Math.floor((south - north) / cell) + 1 : 0;
  const grid = { cell, west, north, columns, rows, start: new Uint32Array(columns * rows + 1), stamp: 0 };
  const visit = (use) => {
    for (let i = 0; i < count; i += 1) {
      const x1 = Math.floor((box[4 * i + 2] - west) / cell);
      const y1 = Math.floor((box[4 * i + 3] - north) / cell);
      for (let y = Math.floor((box[4 * i + 1] - north) / cell); y <= y1; y += 1) {
        for (let x = Math.floor((box[4 * i] - west) / cell); x <= x1; x += 1) use(y * columns + x, i);
      }
    }
  };
  visit((cell) => { grid.start[cell + 1] += 1; });
  for (let c = 0; c < columns * rows; c += 1) grid.start[c + 1] += grid.start[c];
  const next = grid.start.slice();
  grid.item = new Uint32Array(grid.start[columns * rows]);
  visit((cell, i) => { grid.item[next[cell]] = i; next[cell] += 1; });
  grid.seen = new Uint32Array(count);
  return grid;
}

function gridOf(shapes) {
  if (!grids.has(shapes)) grids.set(shapes, buildGrid(shapes));
  return grids.get(shapes);
}

// Rows whose box meets a box, each once.
function within(shapes, west, north, east, south) {
  const found = [], grid = gridOf(shapes);
  if (!grid.columns) return found;
  grid.stamp += 1;
  const clamp = (value, most) => Math.max(0, Math.min(most, Math.floor(value / grid.cell)));
  const x0 = clamp(west - grid.west, grid.columns - 1), x1 = clamp(east - grid.west, grid.columns - 1);
  const y0 = clamp(north - grid.north, grid.rows - 1), y1 = clamp(south - grid.north, grid.rows - 1);
  const { box } = shapes;
  for (let y = y0; y <= y1; y += 1) {
    for (let c = y * grid.columns + x0; c <= y * grid.columns + x1; c += 1) {
      for (let k = grid.start[c]; k < grid.start[c + 1]; k += 1) {
        const i = grid.item[k];
        if (grid.seen[i] === grid.stamp) continue;
        grid.seen[i] = grid.stamp;
        if (box[4 * i] <= east && box[4 * i + 2] >= west && box[4 * i + 1] <= south && box[4 * i + 3] >= north) {
          found.push(i);
        }
      }
    }
  }
  return found;
}

// Even-odd rule over all rings, so holes and parts are right.
function contains(shapes, row, px, py) {
  let inside = false;
  for (let ring = shapes.ringStart[row]; ring < shapes.ringStart[row + 1]; ring += 1) {
    const from = shapes.pointStart[ring], to = shapes.pointStart[ring + 1];
    for (let i = from, j = to - 1; i < to; j = i, i += 1) {
      const xi = shapes.x[i], yi = shapes.y[i], xj = shapes.x[j], yj = shapes.y[j];
      if (yi > py !== yj > py && px < ((xj - xi) * (py - yi)) / (yj - yi) + xi) inside = !inside;
    }
  }
  return inside;
}

// The building at a place, else the nearest one within reach; −1 if none.
function rowAt(shapes, px, py, reach) {
  const near = within(shapes, px - reach, py - reach, px + reach, py + reach);
  let best = -1, bestDistance = reach;
  for (const row of near) {
    if (contains(shapes, row, px, py)) return row;
    const edge = nearestEdgePoint(shapes, row, px, py), distance = Math.hypot(px - edge.x, py - edge.y);
    if (distance < bestDistance) [best, bestDistance] = [row, distance];
  }
  return best;
}

function nearestEdgePoint(shapes, row, px, py) {
  let best = { x: px, y: py };
  if (contains(shapes, row, px, py)) return best;
  let nearest = Infinity;
  for (let ring = shapes.ringStart[row]; ring < shapes.ringStart[row + 1]; ring += 1) {
    const from = shapes.pointStart[ring], to = shapes.pointStart[ring + 1];
    for (let i = from, j = to - 1; i < to; j = i, i += 1) {
      const dx = shapes.x[i] - shapes.x[j], dy = shapes.y[i] - shapes.y[j];
      const along = ((px - shapes.x[j]) * dx + (py - shapes.y[j]) * dy) / (dx * dx + dy * dy || 1);
      const share = Math.max(0, Math.min(1, along));
      const x = shapes.x[j] + share * dx, y = shapes.y[j] + share * dy;
      const distance = Math.hypot(px - x, py - y);
      if (distance < nearest) [best, nearest] = [{ x, y }, distance];
    }
  }
  return best;
}

function middleOf(shapes, row) {
  const { box } = shapes;
  return [(box[4 * row] + box[4 * row + 2]) / 2, (box[4 * row + 1] + box[4 * row + 3]) / 2];
}

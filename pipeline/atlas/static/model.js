// The city in memory: shapes, points, classes, and which building lies where.
const WORLD_UNITS = 2 ** 28;
const NEED_UNITS = 10000;
const POINT_UNITS = 1000;
const GRID_CELL = 1024;

// What the first part of the page tells: enough to draw the city by tiers.
function buildModel(columns, page) {
  columns.expect(page.later);
  const ranked = columns.polygons("ranked");
  const { count } = ranked;
  const model = {
    page, columns, ranked, count,
    isWhole: false,
    others: columns.polygons("others"),
    districts: columns.polygons("districts"),
    water: columns.polygons("water"),
    score: new Int32Array(count),
    rank: new Int32Array(count),
    tier: Uint8Array.from(columns.numbers("tier")),
    track: new Uint8Array(count),
    choice: publishedChoice(page),
    shown: null, // all, or a mark for each row that the filters leave
    lazy: new Map(),
    get grid() { return once(model, "grid", () => buildGrid(ranked)); },
    get otherGrid() { return once(model, "other grid", () => buildGrid(model.others)); },
    get estates() { return once(model, "estates", () => columns.polygons("estates")); },
    get contours() { return once(model, "contours", () => columns.lines("contours")); },
    get streets() { return model.isWhole ? [roadsOf(model), streetsOf(model)] : [roadsOf(model)]; },
  };
  model.rankedCount = page.tier_sums.counts.slice(1).reduce((sum, each) => sum + each, 0);
  setColouring(model, "tier");
  return model;
}

// What the later part adds: needs, ranks, and every fact. Rests now and then, so that the page answers.
async function completeModel(model, more, rest) {
  const { columns, page, count } = model;
  columns.add(more);
  model.extended = [];
  model.needs = [];
  model.standIns = [];
  for (const [k, item] of page.criteria.entries()) {
    const extended = columns.numbers("need." + item.name);
    model.extended.push(extended);
    model.needs.push(clamped(extended));
    model.standIns.push(Uint8Array.from(columns.numbers("stand_in." + item.name)));
    if (k % 8 === 7) await rest();
  }
  model.gateBits = columns.has("gate_bits") ? columns.numbers("gate_bits") : new Int32Array(count);
  model.lifted = columns.has("is_lifted") ? Uint8Array.from(columns.numbers("is_lifted")) : new Uint8Array(count);
  model.tieRows = tieOrder(model);
  await rest();
  settle(model, publishedChoice(page));
  if (page.district) addCityRanks(model);
  model.published = { rank: model.rank.slice(), tier: model.tier.slice(), score: model.score.slice(), track: model.track.slice() };
  model.isWhole = true;
}

function clamped(extended) {
  const needs = new Uint16Array(extended.length);
  for (let row = 0; row < needs.length; row += 1) {
    const need = extended[row];
    needs[row] = need < 0 ? 0 : need > NEED_UNITS ? NEED_UNITS : need;
  }
  return needs;
}

function roadsOf(model) {
  return once(model, "roads", () => streetLines(model, "roads", STREET_NAMES.indexOf("main")));
}

function streetsOf(model) {
  return once(model, "streets", () => streetLines(model, "streets", null));
}

// `only`: the one class that these lines are of, or null.
function streetLines(model, name, only) {
  const { columns } = model;
  return {
    ...columns.lines(name), only,
    classes: columns.narrow(name + ".class"),
    structure: columns.narrow(name + ".structure"),
    get names() { return once(model, name + ".name", () => columns.categories(name + ".name")); },
  };
}

function contourHeights(model) {
  const at = model.columns.measures("contours.height_m");
  return Float64Array.from({ length: model.contours.count }, (_, i) => at(i));
}

function once(model, key, make) {
  if (!model.lazy.has(key)) model.lazy.set(key, make());
  return model.lazy.get(key);
}

// A number of the building, wherever it is packed: with a criterion, or beside the criteria.
function fact(model, name, row) {
  return factReader(model, name)(row);
}

// The same as a function from row to number.
function factReader(model, name) {
  return once(model, "reader " + name, () => {
    const k = criterionOf(model, name);
    if (k >= 0) return (row) => measured(model, row, k);
    if (name === "cost_cny") {
      const area = factReader(model, "floor_area_m2"), price = factReader(model, "unit_cost_cny_per_m2");
      return (row) => area(row) * price(row);
    }
    const key = "fact." + name;
    return model.columns.has(key) ? model.columns.measures(key, guessOf(model, name)) : () => NaN;
  });
}

// What the outlines and storeys let expect, as buildings.py calculates it.
function guessOf(model, name) {
  if (name === "footprint_area_m2") return footprints(model);
  if (name !== "floor_area_m2") return null;
  const footprint = factColumn(model, "footprint_area_m2"), storeys = factColumn(model, "storey_count");
  const floors = new Int32Array(model.count);
  for (let row = 0; row < floors.length; row += 1) floors[row] = footprint[row] * (storeys[row] || 0);
  return floors;
}

function footprints(model) {
  const { ringStart, pointStart, x, y } = model.ranked;
  const areas = new Int32Array(model.count);
  for (let row = 0; row < model.count; row += 1) {
    let twice = 0;
    for (let ring = ringStart[row]; ring < ringStart[row + 1]; ring += 1) {
      const from = pointStart[ring], to = pointStart[ring + 1];
      for (let p = from + 1; p + 1 < to; p += 1) {
        twice += (x[p] - x[from]) * (y[p + 1] - y[from]) - (x[p + 1] - x[from]) * (y[p] - y[from]);
      }
    }
    areas[row] = Math.floor(Math.abs(twice) * model.page.half_unit_m2 + 0.5);
  }
  return areas;
}

// The ranks that hold the published one in nine of ten draws, as near as their steps tell; null without.
function bandOf(model, row) {
  if (!model.columns.has("band.rank_p05") || !model.columns.has("band.rank_p95")) return null;
  const { band_steps: steps } = model.page;
  const ranks = model.cityRank || model.published.rank;
  const most = once(model, "most ranks", () => ranks.reduce((high, rank) => Math.max(high, rank), 1));
  const own = Math.floor(steps * Math.sqrt(ranks[row] / most) + 0.5);
  const ends = ["rank_p05", "rank_p95"].map((name) => {
    const key = "band." + name;
    const step = own + once(model, key, () => model.columns.measures(key))(row);
    return Math.max(1, Math.round(most * (step / steps) ** 2));
  });
  return ends.some(Number.isNaN) ? null : ends.map(twoDigits);
}

function twoDigits(rank) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(rank)) - 1);
  return Math.round(rank / unit) * unit;
}

function criterionOf(model, measure) {
  return once(model, "criterion " + measure, () => model.page.criteria.findIndex((item) => item.measure === measure));
}

// The same for all buildings.
function factColumn(model, name) {
  return once(model, "column " + name, () => {
    const values = new Float64Array(model.count);
    const at = factReader(model, name);
    for (let row = 0; row < values.length; row += 1) values[row] = at(row);
    return values;
  });
}

// The cost of a building is its share of its project, by floor area.
function hasFact(model, name) {
  if (name === "cost_cny") return hasFact(model, "floor_area_m2") && hasFact(model, "unit_cost_cny_per_m2");
  return model.columns.has("fact." + name) || criterionOf(model, name) >= 0;
}

function word(model, name, row) {
  if (!model.columns.has(name)) return "";
  const { words, places } = once(model, name, () => model.columns.categories(name));
  return places[row] === 0 ? "" : words[places[row] - 1];
}

function flag(model, name, row) {
  if (!model.columns.has(name)) return false;
  return once(model, name, () => model.columns.narrow(name))[row] === 1;
}

function label(model, name, row) {
  return once(model, name, () => model.columns.codes(name))(row);
}

// Record of the source, packed in the order of ids; U+0001 stands for the number in the id.
function sourceRow(model, row) {
  const place = once(model, "places by id", () => {
    const ids = Array.from({ length: model.count }, (_, i) => label(model, "building_id", i));
    const places = new Int32Array(model.count);
    Array.from(ids.keys()).sort((a, b) => (ids[a] < ids[b] ? -1 : 1)).forEach((each, i) => { places[each] = i; });
    return places;
  })[row];
  return label(model, "source_row", place).replace("\u0001", () => label(model, "building_id", row).slice(1));
}

// The measurement that stands at a need on the criterion's line, calculated as in buildings.py.
function toldValue(item, need) {
  const at = [item.none_at, ...item.between.map(([x]) => x), item.worst_at];
  const needs = [0, ...item.between.map(([, y]) => y * NEED_UNITS), NEED_UNITS];
  let piece = 0;
  while (piece < at.length - 2 && needs[piece + 1] <= need) piece += 1;
  const rise = Math.max(needs[piece + 1] - needs[piece], 1e-9);
  return at[piece] + ((need - needs[piece]) * (at[piece + 1] - at[piece])) / rise;
}

// The measured value of a criterion as people read it; NaN where a stand-in was taken.
function measured(model, row, k) {
  if (model.standIns[k][row]) return NaN;
  const item = model.page.criteria[k];
  const rest = once(model, "rest." + item.name, () => model.columns.narrow("rest." + item.name));
  const scale = item.per_unit;
  const need = model.needs[k][row];
  const told = toldValue(item, need);
  const past = (model.extended[k][row] - need) * Math.sign(item.worst_at - item.none_at);
  return (Math.floor(told * scale + 0.5) + past + rest[row]) / scale;
}

// Square cells over all shapes; items of cell c are item[start[c]] … item[start[c + 1] − 1].
function buildGrid(shapes) {
  const { box, count } = shapes;
  let west = Infinity, north = Infinity, east = -Infinity, south = -Infinity;
  for (let i = 0; i < count; i += 1) {
    west = Math.min(west, box[4 * i]);
    north = Math.min(north, box[4 * i + 1]);
    east = Math.max(east, box[4 * i + 2]);
    south = Math.max(south, box[4 * i + 3]);
  }
  const columns = count ? Math.floor((east - west) / GRID_CELL) + 1 : 0;
  const rows = count ? Math.floor((south - north) / GRID_CELL) + 1 : 0;
  const grid = { west, north, columns, rows, start: new Uint32Array(columns * rows + 1), stamp: 0 };
  const visit = (use) => {
    for (let i = 0; i < count; i += 1) {
      const x1 = Math.floor((box[4 * i + 2] - west) / GRID_CELL);
      const y1 = Math.floor((box[4 * i + 3] - north) / GRID_CELL);
      for (let y = Math.floor((box[4 * i + 1] - north) / GRID_CELL); y <= y1; y += 1) {
        for (let x = Math.floor((box[4 * i] - west) / GRID_CELL); x <= x1; x += 1) use(y * columns + x, i);
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

// Rows whose box meets a box, each once.
function within(grid, shapes, west, north, east, south) {
  const found = [];
  if (!grid.columns) return found;
  grid.stamp += 1;
  const clamp = (value, most) => Math.max(0, Math.min(most, Math.floor(value / GRID_CELL)));
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
function rowAt(shapes, grid, px, py, reach) {
  const near = within(grid, shapes, px - reach, py - reach, px + reach, py + reach);
  let best = -1, bestDistance = reach;
  for (const row of near) {
    if (contains(shapes, row, px, py)) return row;
    const distance = edgeDistance(shapes, row, px, py);
    if (distance < bestDistance) [best, bestDistance] = [row, distance];
  }
  return best;
}

function edgeDistance(shapes, row, px, py) {
  let nearest = Infinity;
  for (let ring = shapes.ringStart[row]; ring < shapes.ringStart[row + 1]; ring += 1) {
    const from = shapes.pointStart[ring], to = shapes.pointStart[ring + 1];
    for (let i = from, j = to - 1; i < to; j = i, i += 1) {
      const dx = shapes.x[i] - shapes.x[j], dy = shapes.y[i] - shapes.y[j];
      const along = ((px - shapes.x[j]) * dx + (py - shapes.y[j]) * dy) / (dx * dx + dy * dy || 1);
      const share = Math.max(0, Math.min(1, along));
      nearest = Math.min(nearest, Math.hypot(px - shapes.x[j] - share * dx, py - shapes.y[j] - share * dy));
    }
  }
  return nearest;
}

function middleOf(shapes, row) {
  const { box } = shapes;
  return [(box[4 * row] + box[4 * row + 2]) / 2, (box[4 * row + 1] + box[4 * row + 3]) / 2];
}

function toLatLng(x, y) {
  const lat = Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / WORLD_UNITS))) * (180 / Math.PI);
  return L.latLng(lat, (x / WORLD_UNITS) * 360 - 180);
}

function toUnits(latlng) {
  const sine = Math.sin((latlng.lat * Math.PI) / 180);
  const y = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  return [(latlng.lng / 360 + 0.5) * WORLD_UNITS, y * WORLD_UNITS];
}

// The city in memory: shapes, points, classes, and which building lies where.
const NEED_UNITS = 10000;
const POINT_UNITS = 1000;
const STREET_CELL = 8192;

// What the first part of the page tells: enough to draw the city by tiers.
function buildModel(columns, page) {
  columns.expect(page.later);
  const { count } = columns.entries.get("ranked.rings");
  const model = {
    page, columns, count,
    isWhole: false,
    homes: null, // households of each building; null till they come, or where nobody counted them
    get ranked() { return once(model, "ranked", () => columns.polygons("ranked")); },
    get others() { return once(model, "others", () => columns.polygons("others")); },
    districts: columns.polygons("districts"),
    water: columns.polygons("water"),
    score: new Int32Array(count),
    rank: new Int32Array(count),
    tier: Uint8Array.from(columns.numbers("tier")),
    track: new Uint8Array(count),
    choice: publishedChoice(page),
    shown: null, // all, or a mark for each row that the filters leave
    lazy: new Map(),
    get shade() { return once(model, "shade", () => columns.narrow("shade")); },
    get estates() { return once(model, "estates", () => columns.polygons("estates")); },
    get contours() { return once(model, "contours", () => contourLines(columns)); },
    get streets() { return model.isWhole ? [roadsOf(model), streetsOf(model)] : [roadsOf(model)]; },
  };
  model.rankedCount = page.tier_sums.counts.slice(1).reduce((sum, each) => sum + each, 0);
  setColouring(model, "tier");
  return model;
}

// For a first picture from far out, where a building is smaller than a pixel: its first point stands
// for its outline, which takes long to unpack.
function sketchOf(model) {
  const { columns } = model, asPoints = (name) => ({ value: { count: columns.entries.get(name + ".rings").count, box: columns.firstPoints(name) } });
  return Object.create(model, { ranked: asPoints("ranked"), others: asPoints("others") });
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
  model.homes = hasFact(model, "household_count") ? Float32Array.from(factColumn(model, "household_count"), (homes) => homes || 0) : null;
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

// `only`: the one class that these lines are of, or null. `cell`: side of the squares they are sought in.
function streetLines(model, name, only) {
  const { columns } = model;
  return {
    ...columns.lines(name), name, only, cell: STREET_CELL,
    classes: columns.narrow(name + ".class"),
    structure: columns.narrow(name + ".structure"),
  };
}

function contourLines(columns) {
  const lines = columns.lines("contours"), at = columns.measures("contours.height_m");
  return { ...lines, height_m: Float64Array.from({ length: lines.count }, (_, i) => at(i)) };
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

// The ranks that hold the published one in nine of ten draws, as the table has them; null without.
function bandOf(model, row) {
  if (!model.columns.has("band.rank_p05") || !model.columns.has("band.rank_p95")) return null;
  const rank = (model.cityRank || model.published.rank)[row];
  const [below, above] = ["band.rank_p05", "band.rank_p95"].map((key) => once(model, key, () => model.columns.measures(key))(row));
  return rank && !Number.isNaN(below + above) ? [rank - below, rank + above] : null;
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

// How many ids come before that of the row. Ids of one pattern stand in the order of their numbers.
function placeById(model, row) {
  const keys = once(model, "keys of ids", () => idKeys(model));
  const sorted = once(model, "sorted keys", () => keys.slice().sort());
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < keys[row]) low = middle + 1;
    else high = middle;
  }
  return low;
}

function idKeys(model) {
  const at = once(model, "building_id", () => model.columns.codes("building_id"));
  return at.keys || Array.from({ length: model.count }, (_, row) => at(row));
}

// Record of the source, packed in the order of ids; U+0001 stands for the number in the id.
function sourceRow(model, row) {
  const place = placeById(model, row);
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

function toLatLng(x, y) {
  const lat = Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / WORLD_UNITS))) * (180 / Math.PI);
  return L.latLng(lat, (x / WORLD_UNITS) * 360 - 180);
}

function toUnits(latlng) {
  const sine = Math.sin((latlng.lat * Math.PI) / 180);
  const y = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  return [(latlng.lng / 360 + 0.5) * WORLD_UNITS, y * WORLD_UNITS];
}

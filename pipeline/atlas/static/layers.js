// What the map can be coloured by. A colouring tells each row's class, the classes' colours and their words.
const VALUE_COLOURS = ["#edf8fb", "#b3cde3", "#8c96c6", "#8856a7", "#6a0a66"];
const BASES = ["recorded", "vague", "inferred", "baseline", "unknown"];
const BASIS_COLOURS = ["#08306b", "#6baed6", "#fd8d3c", "#fdd0a2", "#a8b89a"];
const TRACK_COLOURS = { ranked: "#2b5c8a", reserve: "#9ecae1", hazard: "#d94801", excluded: "#737373" };
const QUADRANTS = ["act", "prepare", "survey", "later_ready", "later", "later_unknown"];
const QUADRANT_COLOURS = ["#7f0000", "#ef6548", "#fdbb84", "#2b8cbe", "#a6bddb", "#d9d9d9"];
const MOVE_COLOURS = ["#b2182b", "#f4a582", "#f2f2f2", "#92c5de", "#2166ac"];
const PLAN_COLOURS = ["#3f0a6b", "#6a2c91", "#7f5fb0", "#8f86c9", "#a3a8dc"]; // the first five years, each with a grey of its own
const UNPLANNED_COLOUR = "#e4dfc9";
const SURE_COLOURS = ["#f2f0e6", "#c7c3a0", "#e08214", "#5a2a06"];
const LIFTED_COLOURS = ["#b10026", "#e08214", "#7b3294"];
const NOT_LIFTED_COLOUR = "#e9e4d8";
const LAYER_COLOURS = { sure: SURE_COLOURS, funded_chance: SURE_COLOURS };
const OF_RANKED = new Set(["sure", "funded_chance"]); // without a value where there is no rank
const LIVE_LAYERS = new Set(["tier", "move", "track", "lifted", "quadrant", "sure", "funded_chance", "planned"]);

function colouringOf(model, key) {
  if (LIVE_LAYERS.has(key)) return makeColouring(model, key);
  return once(model, "colouring." + key, () => makeColouring(model, key));
}

function makeColouring(model, key) {
  if (model.page.value_layers[key]) return valueColouring(model, key);
  if (key.startsWith("need.")) return needColouring(model, Number(key.slice(5)));
  return ({
    lifted: liftedColouring, move: moveColouring, track: trackColouring, year: yearColouring,
    basis: basisColouring, missing: missingColouring, quadrant: quadrantColouring, planned: plannedColouring,
  }[key] || tierColouring)(model);
}

// Groups of keys that this page has data for.
function layerGroups(model) {
  const { columns, page } = model;
  const layers = page.value_layers, values = Object.keys(layers).filter((key) => hasFact(model, layers[key].fact));
  const among = (...keys) => keys.filter((key) => values.includes(key));
  const result = ["tier", "move"];
  if (page.gates.length) result.push("track");
  if (columns.has("lifted_by_code")) result.push("lifted");
  if (columns.has("fact.planned_year")) result.push("planned");
  const sure = among("sure", "funded_chance");
  const ready = [...(columns.has("quadrant_type") ? ["quadrant"] : []), ...among("readiness", "consent")];
  const groups = [
    ["result", result], ["sure", [...sure, "missing"]], ["ready", ready],
    ["value", [...among("climb", "slope"), "year", "basis"]],
    ["need", page.criteria.map((_, k) => "need." + k)],
  ];
  return groups.filter(([, keys]) => keys.length);
}

// The layer in force, and its classes with what the filters leave out.
function setColouring(model, key) {
  model.colouring = colouringOf(model, key);
  const { classes } = model.colouring;
  model.classes = model.shown ? classes.map((place, row) => (model.shown[row] ? place : FAINT)) : classes;
}

function layerTitle(model, key) {
  if (!key.startsWith("need.")) return text("layer_" + key);
  return text("colour_need", inLanguage(model.page.criteria[Number(key.slice(5))].label));
}

function classed(model, key, colours, words, place, more) {
  const classes = new Uint8Array(model.count);
  for (let row = 0; row < model.count; row += 1) classes[row] = place(row);
  return { key, classes, colours, words, none: "missing", ...more };
}

function tierColouring(model) {
  const { tiers } = model.page;
  const words = (i) => inLanguage(tiers[i].label);
  const place = (row) => (model.tier[row] ? model.tier[row] - 1 : NOT_RANKED);
  return classed(model, "tier", tiers.map((tier) => tier.colour), words, place, { isOrdered: true });
}

// What a veto lifts before all others, by its reason.
function liftedColouring(model) {
  const codes = Object.keys(model.page.vetoes);
  const colours = [...codes.map((_, i) => LIFTED_COLOURS[Math.min(i, LIFTED_COLOURS.length - 1)]), NOT_LIFTED_COLOUR];
  const words = (i) => (i < codes.length ? inLanguage(model.page.vetoes[codes[i]]) : text("not_lifted"));
  const place = (row) => {
    if (!model.rank[row]) return NOT_RANKED;
    return model.lifted[row] ? Math.max(0, codes.indexOf(word(model, "lifted_by_code", row))) : codes.length;
  };
  return classed(model, "lifted", colours, words, place);
}

function moveColouring(model) {
  const words = (i) => text("move_" + MOVES[i]);
  const place = (row) => (moveOf(model, row) < 0 ? NOT_RANKED : moveOf(model, row));
  return classed(model, "move", MOVE_COLOURS, words, place);
}

function trackColouring(model) {
  const { tracks } = model.page;
  return classed(model, "track", tracks.map((name) => TRACK_COLOURS[name]), (i) => text("track_" + tracks[i]), (row) => model.track[row]);
}

// The class that a value is shown in, moved where the true value lies in another.
function placeAmong(model, key, breaks, values) {
  const shift = model.columns.has("class_shift." + key) ? once(model, "class_shift." + key, () => model.columns.numbers("class_shift." + key)) : null;
  return (row) => (Number.isNaN(values(row)) ? MISSING : breaks.filter((limit) => values(row) >= limit).length + (shift ? shift[row] : 0));
}

function valueColouring(model, key) {
  const { fact: name, breaks, is_share: isShare } = model.page.value_layers[key];
  const column = factColumn(model, name), among = placeAmong(model, key, breaks, (row) => column[row]);
  const place = OF_RANKED.has(key) ? (row) => (model.rank[row] ? among(row) : NOT_RANKED) : among;
  const words = (i) => rangeWords(isShare ? breaks.map((limit) => percent(limit) + " %") : breaks, i);
  return classed(model, key, LAYER_COLOURS[key] || VALUE_COLOURS, words, place, { isRising: true, isOrdered: true });
}

// Old is dark: what is needed most stands out.
function yearColouring(model) {
  const colours = [...VALUE_COLOURS].reverse(), { year_breaks: breaks } = model.page;
  const words = (i) => {
    if (i === 0) return text("year_before", breaks[0]);
    return i === breaks.length ? text("year_from", breaks[i - 1]) : breaks[i - 1] + "–" + (breaks[i] - 1);
  };
  return classed(model, "year", colours, words, placeAmong(model, "year", breaks, (row) => middleYear(model, row)), { isOrdered: true });
}

// The year of a building as a number: recorded, the middle of what a vague text allows, or inferred.
function middleYear(model, row) {
  const low = fact(model, "construction_year_low", row);
  const middle = hasFact(model, "construction_year_middle") ? fact(model, "construction_year_middle", row) : NaN;
  return Number.isNaN(middle) ? Math.floor(low + fact(model, "construction_year_span", row) / 2) : low + middle;
}

// How each year is known: strong for what was recorded, another hue for what was inferred.
function basisColouring(model) {
  const place = (row) => BASES.indexOf(word(model, "construction_year_basis_type", row));
  return classed(model, "basis", BASIS_COLOURS, (i) => text("basis_" + BASES[i]), place, { hidesEmpty: true });
}

function missingColouring(model) {
  const words = (i) => text(i === 4 ? "missing_many" : "missing_count", i);
  const place = (row) => Math.min(4, model.standIns.reduce((sum, column) => sum + column[row], 0));
  return classed(model, "missing", VALUE_COLOURS, words, place, { isRising: true, isOrdered: true });
}

function quadrantColouring(model) {
  const place = (row) => {
    if (!model.rank[row]) return NOT_RANKED;
    const found = QUADRANTS.indexOf(word(model, "quadrant_type", row));
    return found < 0 ? MISSING : found;
  };
  return classed(model, "quadrant", QUADRANT_COLOURS, (i) => text("quadrant_" + QUADRANTS[i]), place, { hidesEmpty: true });
}

function plannedColouring(model) {
  const { planned_years: years } = model.page;
  const colours = [...years.map((_, i) => PLAN_COLOURS[Math.min(4, i)]), UNPLANNED_COLOUR];
  const values = factColumn(model, "planned_year");
  const place = (row) => (!Number.isNaN(values[row]) ? years.indexOf(values[row]) : model.rank[row] ? years.length : NOT_RANKED);
  return classed(model, "planned", colours, (i) => (i < years.length ? String(years[i]) : text("not_planned")), place);
}

function needColouring(model, k) {
  const item = model.page.criteria[k];
  const place = (row) => (model.standIns[k][row] ? MISSING : Math.min(4, Math.floor((model.needs[k][row] * 5) / NEED_UNITS)));
  return classed(model, "need." + k, VALUE_COLOURS, (i) => needWords(item, i), place, { none: "missing_stand_in", isRising: true, isOrdered: true });
}

function rangeWords(breaks, i) {
  if (i === 0) return "< " + breaks[0];
  return i === breaks.length ? "≥ " + breaks[i - 1] : breaks[i - 1] + "–" + breaks[i];
}

// With as many decimals as tell the classes apart.
function needWords(item, i) {
  const words = text("need_range", i * 20, i * 20 + 20);
  if (item.between && item.between.length) return words;
  const at = (share) => item.none_at + share * (item.worst_at - item.none_at);
  const tells = (decimals) => [0, 1, 2, 3, 4, 5].every((step) => Math.abs(at(step / 5) * 10 ** decimals - Math.round(at(step / 5) * 10 ** decimals)) < 1e-6);
  const decimals = [0, 1, 2].find(tells) ?? 3;
  return words + " (" + grouped(at(i / 5), decimals) + "–" + grouped(at((i + 1) / 5), decimals) + unitWord(item.unit) + ")";
}

// Numbers and floor area of each class, as the legend lists them.
function classSums(model) {
  if (!model.isWhole) return tierSums(model.page);
  const { classes } = model.colouring;
  const counts = new Array(256).fill(0), areas = new Array(256).fill(0);
  const floor = model.page.floor_known_share >= 0.8 ? factColumn(model, "floor_area_m2") : factColumn(model, "footprint_area_m2");
  for (let row = 0; row < model.count; row += 1) {
    if (model.shown && !model.shown[row]) continue;
    counts[classes[row]] += 1;
    areas[classes[row]] += floor[row] || 0;
  }
  return { counts, areas };
}

// Those of the tiers as they are published, told by the page.
function tierSums({ tier_sums: sums }) {
  const counts = new Array(256).fill(0), areas = new Array(256).fill(0);
  sums.counts.forEach((count, tier) => {
    counts[tier ? tier - 1 : NOT_RANKED] = count;
    areas[tier ? tier - 1 : NOT_RANKED] = sums.areas[tier];
  });
  return { counts, areas };
}

// What the map can be coloured by. A colouring tells each row's class, the classes' colours and their words.
const VALUE_COLOURS = ["#edf8fb", "#b3cde3", "#8c96c6", "#8856a7", "#6a0a66"];
const BASES = ["recorded", "vague", "inferred", "baseline", "unknown"];
const BASIS_COLOURS = ["#08306b", "#6baed6", "#fd8d3c", "#fdd0a2", "#a8b89a"];
const TRACK_COLOURS = { ranked: "#2b5c8a", reserve: "#9ecae1", hazard: "#d94801", excluded: "#737373" };
const QUADRANTS = ["act", "prepare", "survey", "later_ready", "later", "later_unknown"];
const QUADRANT_COLOURS = ["#7f0000", "#ef6548", "#fdbb84", "#2b8cbe", "#a6bddb", "#d9d9d9"];
const FUND_COLOURS = ["#54278f", "#fdd49e"];
const MOVE_COLOURS = ["#b2182b", "#f4a582", "#f2f2f2", "#92c5de", "#2166ac"];
const PLAN_COLOURS = ["#3f0a6b", "#6a2c91", "#7f5fb0", "#8f86c9", "#a3a8dc"]; // the first five years, each with a grey of its own
const UNPLANNED_COLOUR = "#e4dfc9";
const SURE_COLOURS = ["#f2f0e6", "#c7c3a0", "#e08214", "#5a2a06"];
const YEAR_BREAKS = [1970, 1980, 1990, 2001]; // 2001: built by the end of 2000, 国办发〔2020〕23号
const MOVE_SHARE = 0.05;

// Measured values by fixed class breaks. The slopes are those of the national land survey, TD/T 1055-2019.
const VALUE_LAYERS = {
  climb: { fact: "main_road_climb_m", breaks: [5, 10, 20, 30] },
  slope: { fact: "slope_deg", breaks: [2, 6, 15, 25] },
  readiness: { fact: "readiness_share", breaks: [0.2, 0.4, 0.6, 0.8], isShare: true },
  consent: { fact: "consent_share", breaks: [0.3334, 0.5, 0.6667, 0.75], isShare: true },
  sure: { fact: "top_share", breaks: [0.05, 0.5, 0.95], isShare: true, colours: SURE_COLOURS },
  funded_chance: { fact: "funded_share", breaks: [0.05, 0.5, 0.95], isShare: true, colours: SURE_COLOURS },
};
const LIVE_LAYERS = new Set(["tier", "funded", "move", "track"]);

function colouringOf(model, key) {
  if (LIVE_LAYERS.has(key)) return makeColouring(model, key);
  return once(model, "colouring." + key, () => makeColouring(model, key));
}

function makeColouring(model, key) {
  if (VALUE_LAYERS[key]) return valueColouring(model, key);
  if (key.startsWith("need.")) return needColouring(model, Number(key.slice(5)));
  return ({
    funded: fundedColouring, move: moveColouring, track: trackColouring, year: yearColouring,
    basis: basisColouring, missing: missingColouring, quadrant: quadrantColouring, planned: plannedColouring,
  }[key] || tierColouring)(model);
}

// Groups of keys that this page has data for.
function layerGroups(model) {
  const { columns, page } = model;
  const values = Object.keys(VALUE_LAYERS).filter((key) => hasFact(model, VALUE_LAYERS[key].fact));
  const among = (...keys) => keys.filter((key) => values.includes(key));
  const result = ["tier", "move"];
  if (page.gates.length) result.push("track");
  if (hasFact(model, "floor_area_m2") || hasFact(model, "cost_cny")) result.push("funded");
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
  const place = (row) => (model.tier[row] ? model.tier[row] - 1 : MISSING);
  return classed(model, "tier", tiers.map((tier) => tier.colour), words, place, { none: "no_rank" });
}

function fundedColouring(model) {
  const words = (i) => text(i ? "not_funded" : "funded");
  const place = (row) => {
    if (!model.rank[row]) return MISSING;
    return model.rank[row] <= model.funding.count ? 0 : 1;
  };
  return classed(model, "funded", FUND_COLOURS, words, place, { none: "no_rank" });
}

function moveColouring(model) {
  const words = (i) => text(["move_enters", "move_up", "move_same", "move_down", "move_leaves"][i]);
  const least = MOVE_SHARE * model.rankedCount;
  const place = (row) => {
    const now = model.rank[row], before = model.published.rank[row];
    if (!now && !before) return MISSING;
    const isTop = model.tier[row] === 1, wasTop = model.published.tier[row] === 1;
    if (isTop !== wasTop) return isTop ? 0 : 4;
    if (!now || !before) return now ? 1 : 3;
    return Math.abs(now - before) < least ? 2 : now < before ? 1 : 3;
  };
  return classed(model, "move", MOVE_COLOURS, words, place, { none: "no_rank" });
}

function trackColouring(model) {
  const { tracks } = model.page;
  return classed(model, "track", tracks.map((name) => TRACK_COLOURS[name]), (i) => text("track_" + tracks[i]), (row) => model.track[row]);
}

function valueColouring(model, key) {
  const { fact: name, breaks, isShare, colours } = VALUE_LAYERS[key];
  const values = factColumn(model, name);
  const place = (row) => (Number.isNaN(values[row]) ? MISSING : breaks.filter((limit) => values[row] >= limit).length);
  const words = (i) => rangeWords(isShare ? breaks.map((limit) => percent(limit) + " %") : breaks, i);
  return classed(model, key, colours || VALUE_COLOURS, words, place, { isRising: true });
}

// Old is dark: what is needed most stands out.
function yearColouring(model) {
  const colours = [...VALUE_COLOURS].reverse();
  const words = (i) => {
    if (i === 0) return text("year_before", YEAR_BREAKS[0]);
    const from = YEAR_BREAKS[i - 1], to = YEAR_BREAKS[i];
    return i === YEAR_BREAKS.length ? text("year_from", from) : from + "–" + (to - 1);
  };
  const place = (row) => {
    const year = middleYear(model, row);
    return Number.isNaN(year) ? MISSING : YEAR_BREAKS.filter((limit) => year >= limit).length;
  };
  return classed(model, "year", colours, words, place);
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
  return classed(model, "missing", VALUE_COLOURS, words, place, { isRising: true });
}

function quadrantColouring(model) {
  const place = (row) => {
    const found = QUADRANTS.indexOf(word(model, "quadrant_type", row));
    return found < 0 ? MISSING : found;
  };
  return classed(model, "quadrant", QUADRANT_COLOURS, (i) => text("quadrant_" + QUADRANTS[i]), place, { hidesEmpty: true });
}

function plannedColouring(model) {
  const { planned_years: years } = model.page;
  const colours = [...years.map((_, i) => PLAN_COLOURS[Math.min(4, i)]), UNPLANNED_COLOUR];
  const values = factColumn(model, "planned_year");
  const place = (row) => (Number.isNaN(values[row]) ? years.length : years.indexOf(values[row]));
  return classed(model, "planned", colours, (i) => (i < years.length ? String(years[i]) : text("not_planned")), place);
}

function needColouring(model, k) {
  const item = model.page.criteria[k];
  const place = (row) => (model.standIns[k][row] ? MISSING : Math.min(4, Math.floor((model.needs[k][row] * 5) / NEED_UNITS)));
  return classed(model, "need." + k, VALUE_COLOURS, (i) => needWords(item, i), place, { none: "missing_stand_in", isRising: true });
}

function rangeWords(breaks, i) {
  if (i === 0) return "< " + breaks[0];
  return i === breaks.length ? "≥ " + breaks[i - 1] : breaks[i - 1] + "–" + breaks[i];
}

function needWords(item, i) {
  const words = text("need_range", i * 20, i * 20 + 20);
  if (item.between && item.between.length) return words;
  const at = (share) => item.none_at + share * (item.worst_at - item.none_at);
  return words + " (" + grouped(at(i / 5), item.decimals) + "–" + withUnit(at((i + 1) / 5), item.unit, item.decimals) + ")";
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
    counts[tier ? tier - 1 : MISSING] = count;
    areas[tier ? tier - 1 : MISSING] = sums.areas[tier];
  });
  return { counts, areas };
}

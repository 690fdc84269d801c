// The order of the buildings under any weights, in the same whole numbers as the tables.
const WEIGHT_UNITS = 10000;
const SCORE_STEPS = 100200; // thousandths of a point, and what rounding may add to 100 points
const RANKED = 0;

// Weights as ten-thousandths that sum to 10,000: Hamilton's method, ties to the earlier one.
function weightUnits(raw) {
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  const exact = raw.map((weight) => (weight / total) * WEIGHT_UNITS);
  const units = exact.map(Math.floor);
  const spare = WEIGHT_UNITS - units.reduce((sum, unit) => sum + unit, 0);
  const used = [...raw.keys()].filter((k) => raw[k] > 0);
  used.sort((a, b) => (units[a] - exact[a]) - (units[b] - exact[b]) || a - b);
  for (const k of used.slice(0, spare)) units[k] += 1;
  return units;
}

// Rows as they stand if all scores are equal: by the tie breaks, empty last, then by what is told.
function tieOrder(model) {
  const { page, count } = model;
  let order = Uint32Array.from({ length: count }, (_, row) => row);
  for (const measure of [...page.tie_breaks].reverse()) {
    const k = page.criteria.findIndex((item) => item.measure === measure);
    if (k < 0) continue;
    const towards = Math.sign(page.criteria[k].worst_at - page.criteria[k].none_at);
    order = sortedDown(order, model.extended[k], towards, model.standIns[k]);
  }
  const shift = model.columns.numbers("tie_shift");
  const places = new Uint32Array(count);
  for (let place = 0; place < count; place += 1) places[place + shift[order[place]]] = order[place];
  return places;
}

// Stable: rows by falling keys, rows marked as empty last.
function sortedDown(order, keys, towards, isEmpty) {
  let low = Infinity, high = -Infinity;
  for (let row = 0; row < keys.length; row += 1) {
    low = Math.min(low, towards * keys[row]);
    high = Math.max(high, towards * keys[row]);
  }
  const place = (row) => (isEmpty[row] ? high - low + 1 : high - towards * keys[row]);
  const next = new Uint32Array(order.length ? high - low + 3 : 1);
  for (const row of order) next[place(row) + 1] += 1;
  for (let i = 1; i < next.length; i += 1) next[i] += next[i - 1];
  const sorted = new Uint32Array(order.length);
  for (const row of order) {
    const at = place(row);
    sorted[next[at]] = row;
    next[at] += 1;
  }
  return sorted;
}

// What a meeting may change. `raw` are weights in ten-thousandths, as the sliders stand.
function publishedChoice(page) {
  return {
    raw: page.criteria.map((item) => item.weight),
    gates: page.gates.map(() => true),
  };
}

function isPublished(page, choice) {
  return choice.gates.every(Boolean) && page.criteria.every((item, k) => item.weight === choice.raw[k]);
}

// Score, track, rank and tier of every building under a choice.
function settle(model, choice) {
  model.choice = choice;
  model.units = weightUnits(choice.raw);
  scoreRows(model);
  trackRows(model);
  rankRows(model);
  if (model.cityTier && isPublished(model.page, choice)) model.tier.set(model.cityTier);
}

function scoreRows(model) {
  const { score, needs, units, count } = model;
  const scale = model.page.need_per_point, half = scale / 2;
  const points = once(model, "points by need", () => new Int32Array(NEED_UNITS + 1));
  score.fill(0);
  units.forEach((weight, k) => {
    if (!weight) return;
    for (let need = 0; need <= NEED_UNITS; need += 1) points[need] = (need * weight + half) / scale;
    addPoints(score, needs[k], points, count);
  });
  for (const row of leftOutRows(model)) {
    score[row] = 0;
    for (let k = 0; k < units.length; k += 1) score[row] += pointUnits(model, row, k);
  }
}

function addPoints(score, needs, points, count) {
  for (let row = 0; row < count; row += 1) score[row] += points[needs[row]];
}

// Rows of which a criterion is missing that then does not count, but takes what the others say.
function leftOutRows(model) {
  return once(model, "left out rows", () => {
    const kinds = model.page.criteria.map((item) => item.missing === "leave_out");
    if (!kinds.includes(true)) return [];
    const rows = [];
    for (let row = 0; row < model.count; row += 1) {
      if (kinds.some((isOut, k) => isOut && model.standIns[k][row])) rows.push(row);
    }
    return rows;
  });
}

// Need in ten-thousandths under the weights as they stand.
function needOf(model, row, k) {
  const isOut = (place) => model.page.criteria[place].missing === "leave_out" && model.standIns[place][row];
  if (!isOut(k)) return model.needs[k][row];
  let total = 0, mass = 0;
  model.units.forEach((weight, place) => {
    if (isOut(place)) return;
    total += model.needs[place][row] * weight;
    mass += weight;
  });
  return mass ? Math.floor((2 * total + mass) / (2 * mass)) : NEED_UNITS / 2;
}

// Thousandths of a point, by the same whole-number rule as the tables.
function pointUnits(model, row, k) {
  const scale = model.page.need_per_point;
  return Math.floor((needOf(model, row, k) * model.units[k] + scale / 2) / scale);
}

// The first rule that holds and whose gate is on decides the track.
function trackRows(model) {
  const { page, track, choice } = model;
  const rules = page.gate_rules.map((rule) => ({
    isOn: choice.gates[page.gates.findIndex((gate) => gate.key === rule.gate)],
    track: page.tracks.indexOf(rule.track),
  }));
  const bits = model.gateBits, key = choice.gates.join();
  if (model.trackKey === key) return;
  model.trackKey = key;
  for (let row = 0; row < model.count; row += 1) {
    track[row] = RANKED;
    for (let i = 0, left = bits[row]; left; i += 1, left >>>= 1) {
      if ((left & 1) && rules[i].isOn) {
        track[row] = rules[i].track;
        break;
      }
    }
  }
  model.tieRanked = model.tieRows.filter((row) => track[row] === RANKED);
  model.byRank = new Uint32Array(model.tieRanked.length);
  model.rankedCount = model.byRank.length;
}

// Counting sort by score of rows that stand in the order of their ties; lifted ones come first.
function rankRows(model) {
  const { score, lifted, rank, tier, tieRanked, byRank } = model;
  const total = tieRanked.length;
  const next = once(model, "next of a score", () => new Uint32Array(2 * SCORE_STEPS + 1)).fill(0);
  const top = 2 * SCORE_STEPS; // of the place after a row's own
  for (let i = 0; i < total; i += 1) {
    const row = tieRanked[i];
    next[top - score[row] - (lifted[row] ? SCORE_STEPS : 0)] += 1;
  }
  for (let i = 1; i < next.length; i += 1) next[i] += next[i - 1];
  rank.fill(0);
  tier.fill(0);
  for (let i = 0; i < total; i += 1) {
    const row = tieRanked[i];
    const place = top - 1 - score[row] - (lifted[row] ? SCORE_STEPS : 0);
    const at = next[place];
    next[place] = at + 1;
    byRank[at] = row;
    rank[row] = at + 1;
  }
  const ends = model.page.tiers.map(({ upper_rank_share: share }) => Math.floor(share * total + 1e-9));
  let number = 0;
  for (let i = 0; i < total; i += 1) {
    while (number < ends.length - 1 && ends[number] < i + 1) number += 1;
    const row = byRank[i];
    tier[row] = lifted[row] ? 1 : number + 1;
  }
}

// On the page of a district: the published ranks and tiers of the whole city.
function addCityRanks(model) {
  const ranks = model.columns.numbers("city_rank");
  const last = model.page.tier_last_ranks;
  model.cityRank = new Int32Array(model.count);
  model.cityTier = new Uint8Array(model.count);
  model.byRank.forEach((row, place) => {
    model.cityRank[row] = ranks[place];
    const tier = last.findIndex((rank) => ranks[place] <= rank);
    model.cityTier[row] = model.lifted[row] || tier < 0 ? 1 : tier + 1;
  });
  model.tier.set(model.cityTier);
}

// How a building stands against the published order.
const MOVES = ["enters", "up", "same", "down", "leaves"];
const MOVE_SHARE = 0.05;

function moveOf(model, row) {
  const now = model.rank[row], before = model.published.rank[row];
  if (!now && !before) return -1;
  const isTop = model.tier[row] === 1, wasTop = model.published.tier[row] === 1;
  if (isTop !== wasTop) return isTop ? 0 : 4;
  if (!now || !before) return now ? 1 : 3;
  return Math.abs(now - before) < MOVE_SHARE * model.rankedCount ? 2 : now < before ? 1 : 3;
}

// Who enters and who leaves the top tier among those shown, by district, against the published order.
function tierMoves(model) {
  const places = once(model, "district_name", () => model.columns.categories("district_name"));
  const moves = places.words.map((name) => ({ name, enters: [], leaves: [] }));
  for (let row = 0; row < model.count; row += 1) {
    if (model.shown && !model.shown[row]) continue;
    const isIn = model.tier[row] === 1, wasIn = model.published.tier[row] === 1;
    if (isIn !== wasIn) moves[places.places[row] - 1][isIn ? "enters" : "leaves"].push(row);
  }
  return moves;
}

// What is known of the clicked building: rank, points, values and where each comes from.
const ORIGIN_OF_FACT = {
  storey_count: (view) => "origin_" + word(view.model, "storey_count_origin", view.row),
  construction_year: (view) => "origin_" + word(view.model, "construction_year_basis_type", view.row),
  floor_area_m2: (view) => "origin_" + word(view.model, "floor_area_origin", view.row),
  footprint_area_m2: () => "origin_footprint",
  height_m: () => "origin_recorded",
  elevation_m: () => "origin_terrain",
  slope_deg: () => "origin_terrain",
};
const FACT_UNITS = {
  storey_count: "storeys", height_m: "m", age_yr: "yr", footprint_area_m2: "m²", floor_area_m2: "m²",
  storeys_above_entry_count: "storeys", storeys_below_entry_count: "storeys", household_count: "households",
  elevation_m: "m", slope_deg: "°",
};

const FACT_ORDER = ["storey_count", "storeys_above_entry_count", "storeys_below_entry_count", "height_m",
  "construction_year", "age_yr", "household_count", "footprint_area_m2", "floor_area_m2", "landform_type",
  "elevation_m", "slope_deg"];
const QUIET_FACTS = new Set(["height_m", "age_yr", "household_count", "storeys_above_entry_count", "storeys_below_entry_count"]);

function buildingTitle(model, row) {
  return word(model, "building_name", row) || word(model, "estate_name", row) || text("unnamed");
}

function drawPanel(panel, model, row, actions, isPinned) {
  const view = { model, row };
  const rank = model.rank[row];
  const place = ["district_name", "estate_name", "road_name"].map((name) => word(model, name, row));
  panel.setAttribute("aria-label", text("panel"));
  panel.replaceChildren(
    element(
      "div", { class: "panel-buttons" },
      element("button", { type: "button", id: "pin", class: "pin", "aria-pressed": String(isPinned), onclick: isPinned ? actions.unpin : actions.pin }, text(isPinned ? "unpin" : "pin")),
      stepButton("previous", "‹", rank > 1, () => actions.step(model.byRank[rank - 2], "previous")),
      stepButton("next", "›", rank > 0 && rank < model.rankedCount, () => actions.step(model.byRank[rank], "next")),
      element("button", { type: "button", class: "close", "aria-label": text("close"), title: text("close"), onclick: actions.close }, "×"),
    ),
    element("h2", {}, buildingTitle(model, row)),
    element("p", { class: "place" }, place.filter(Boolean).join(" · ")),
    projectOf(model, row) >= 0 ? element("button", { type: "button", id: "open-project", onclick: () => actions.openProject(projectOf(model, row)) }, text("open_project")) : "",
    verdict(view),
    isPinned ? element("p", { class: "hint" }, text("pin_hint")) : "",
    surePart(view),
    walkPart(view),
    pointsPart(view),
    factsPart(view),
    countsPart(view),
    sourcesPart(view),
  );
}

// Rank, score and tier; what was published where the meeting has moved it; or the track without a rank.
function verdict({ model, row }) {
  const rank = model.rank[row], { published } = model;
  const score = element("span", { class: "score" }, text("score", grouped(model.score[row] / POINT_UNITS, 3)));
  const isMoved = published.rank[row] !== rank || published.score[row] !== model.score[row];
  const was = isMoved ? element("p", { class: "detail was" }, publishedWords(model, row) + (published.rank[row] ? " · " + text("score", grouped(published.score[row] / POINT_UNITS, 3)) : "")) : "";
  if (!rank) {
    const track = model.page.tracks[model.track[row]];
    const reason = word(model, "track_reason_code", row);
    return element(
      "div", { class: "verdict" },
      element("span", { class: "rank" }, text("not_in_order")), element("span"), score,
      element("span", { class: "tier" }, text("track_" + track) + (reason ? text("colon") + reasonWord(reason) : "")), was,
    );
  }
  const tier = model.page.tiers[model.tier[row] - 1];
  const veto = model.page.vetoes[word(model, "lifted_by_code", row)];
  const lifted = isLifted(model, row) ? element("p", { class: "lifted-note" }, liftedSign(model, row), text("lifted") + (veto ? text("colon") + inLanguage(veto) : "")) : "";
  const isWhatIf = !isPublished(model.page, model.choice);
  return element(
    "div", { class: "verdict" },
    element("span", { class: "rank" }, text(isWhatIf ? "rank_what_if" : model.cityRank ? "rank_in_district" : "rank", grouped(rank))),
    element("span", { class: "of" }, text("rank_of", grouped(model.rankedCount))), score,
    element("span", { class: "tier" }, swatch(tier.colour), inLanguage(tier.label)), lifted, was,
    model.cityRank && model.cityRank[row] ? element("p", { class: "detail was" }, text("rank_in_city", grouped(model.cityRank[row]))) : "",
  );
}

// How sure the published rank is, how ready the building, when its turn comes and what it costs.
function surePart({ model, row }) {
  const lines = [];
  const value = (name) => (hasFact(model, name) ? fact(model, name, row) : NaN);
  const band = bandOf(model, row);
  if (band) lines.push(["rank_band", text("band", grouped(band[0]), grouped(band[1]))]);
  for (const name of ["top_share", "funded_share", "readiness_share", "consent_share"]) {
    const share = value(name);
    if (!Number.isNaN(share)) lines.push(["fact_" + name, shareWords(share)]);
  }
  const quadrant = word(model, "quadrant_type", row);
  if (quadrant && model.rank[row]) lines.push(["fact_quadrant", text("quadrant_" + quadrant)]);
  const year = value("planned_year");
  if (hasFact(model, "planned_year") && model.rank[row]) {
    const reason = word(model, "wait_reason_code", row);
    const waits = text("not_planned") + (reason ? text("colon") + text("wait_" + reason) : "");
    lines.push(["fact_planned_year", Number.isNaN(year) ? waits : text("planned_in", year)]);
  }
  const cost = value("cost_cny");
  if (!Number.isNaN(cost)) lines.push(["fact_cost_cny", text("ten_thousand_yuan", grouped(cost / 1e4, 1))]);
  if (!lines.length) return "";
  const rows = lines.map(([key, words]) => element("tr", {}, element("th", { scope: "row" }, text(key)), element("td", {}, words)));
  return element("section", { id: "sure" }, element("table", { class: "sure" }, element("tbody", {}, ...rows)));
}

function reasonWord(reason) {
  const key = "why_" + reason;
  return TEXTS[language][key] ?? reason.replace(/_/g, " ");
}

function stepButton(key, sign, isOn, onclick) {
  const attributes = { type: "button", "data-step": key, "aria-label": text(key), title: text(key), disabled: !isOn, onclick };
  return element("button", attributes, sign);
}

function pointsPart(view) {
  const { model, row } = view;
  const heaviest = Math.max(...model.units) / 100;
  const items = model.page.criteria.map((item, k) => {
    const points = pointUnits(model, row, k) / POINT_UNITS;
    const most = model.units[k] / 100;
    const name = inLanguage(item.label);
    return element(
      "li", { "data-criterion": item.name },
      element(
        "div", { class: "points-line" },
        element("span", { class: "name" }, name),
        element("span", { class: "number" }, element("b", {}, grouped(points, 3)), " / " + grouped(most, 2)),
      ),
      bar(points / heaviest, most / heaviest, model.standIns[k][row] ? MISSING_COLOUR : "#8a1c22", name + " " + grouped(points, 3)),
      ...valueLines(view, k),
    );
  });
  return element(
    "section", {},
    element("h3", {}, text("points"), element("span", { class: "hint" }, text("points_hint"))),
    element("ol", { class: "points" }, ...items),
    element(
      "p", { class: "points-line total" },
      element("span", { class: "name" }, text("total")),
      element("span", { class: "number" }, element("b", {}, grouped(model.score[row] / POINT_UNITS, 3)), " / 100"),
    ),
  );
}

function valueLines({ model, row }, k) {
  const item = model.page.criteria[k];
  const bounds = text("bounds", grouped(item.none_at, decimalsOf(item.none_at)), withUnit(item.worst_at, item.unit, decimalsOf(item.worst_at)));
  const value = measured(model, row, k);
  if (Number.isNaN(value)) {
    const words = text("stand_in", percent(needOf(model, row, k) / NEED_UNITS));
    return [element("p", { class: "detail missing" }, words), element("p", { class: "detail" }, bounds)];
  }
  return [
    element(
      "p", { class: "detail" },
      text("value") + " ", element("b", {}, withUnit(value, item.unit, item.decimals)),
      " · " + text("need", percent(needOf(model, row, k) / NEED_UNITS, 1)) + " · " + bounds,
    ),
    element("p", { class: "detail origin" }, text("from") + text("colon") + text("origin_" + originOf(model, row, item))),
  ];
}

// An age is as sure as the year that it is counted from.
function originOf(model, row, item) {
  return item.measure === "age_yr" ? word(model, "construction_year_basis_type", row) : item.origin;
}

function decimalsOf(number) {
  return Number.isInteger(number) ? 0 : 1;
}

function factsPart(view) {
  const { model, row } = view;
  const rows = [];
  const add = (name, value, origin) => {
    rows.push(element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value, origin ? element("span", { class: "from" }, origin) : "")));
  };
  add(text("fact_id"), label(model, "building_id", row));
  const use = word(model, "building_use_type", row);
  add(text("fact_use"), useWord(use), text("housing_" + word(model, "housing_origin", row)));
  const shownByScore = new Set(model.page.criteria.map((item) => item.measure));
  for (const name of FACT_ORDER) {
    if (shownByScore.has(name)) continue;
    if (name === "construction_year") {
      const words = yearWords(model, row);
      const source = word(model, "construction_year_source_name", row);
      const origin = words ? text(ORIGIN_OF_FACT[name](view)) + (source ? " · " + sourceWord(model, source) : "") : "";
      add(text("fact_construction_year"), words || text("unknown"), origin);
    } else if (name === "landform_type") {
      const kind = model.columns.has(name) ? word(model, name, row) : "";
      if (kind) add(text("fact_landform"), text("landform_" + kind), text("origin_terrain"));
    } else if (model.columns.has("fact." + name)) {
      const value = fact(model, name, row);
      if (Number.isNaN(value) && QUIET_FACTS.has(name)) continue;
      const origin = ORIGIN_OF_FACT[name] ? text(ORIGIN_OF_FACT[name](view)) : "";
      const words = Number.isNaN(value) ? text("unknown") : withUnit(value, FACT_UNITS[name], model.columns.decimals("fact." + name));
      add(text("fact_" + name), words, Number.isNaN(value) ? "" : origin);
    }
  }
  const middle = toLatLng(...middleOf(model.ranked, row));
  add(text("fact_place"), middle.lng.toFixed(5) + ", " + middle.lat.toFixed(5));
  const notes = [];
  if (flag(model, "is_overlapping", row)) notes.push(text("overlapping"));
  if (!flag(model, "has_street_access", row)) notes.push(text("no_street"));
  return element(
    "section", {},
    element("h3", {}, text("facts")),
    element("table", { class: "facts" }, element("tbody", {}, ...rows)),
    ...notes.map((note) => element("p", { class: "detail missing" }, note)),
  );
}

// A source by its role, so that a reader knows it.
function sourceWord(model, name) {
  const source = model.page.sources[name];
  return source ? text("role_" + source.role) : name;
}

// One year, the first and the last that the source allows, or an estimate with its interval.
function yearWords(model, row) {
  const low = fact(model, "construction_year_low", row), span = fact(model, "construction_year_span", row);
  if (Number.isNaN(low)) return "";
  const words = span > 0 ? low + "–" + (low + span) : String(low);
  const middle = hasFact(model, "construction_year_middle") ? fact(model, "construction_year_middle", row) : NaN;
  return Number.isNaN(middle) ? words : text("year_about", low + middle, words);
}

// How many facilities of each kind lie within so many minutes on foot.
function countsPart({ model, row }) {
  const { counted, count_within_min: minutes } = model.page;
  const rows = counted.map((item) => [
    inLanguage(item.label),
    ...minutes.map((limit) => fact(model, item.name + "_within_" + limit + "_min_count", row)),
  ]).filter(([, ...numbers]) => numbers.every((number) => !Number.isNaN(number)));
  if (!rows.length) return "";
  const heads = [text("facility"), ...minutes.map((limit) => text("within", limit))];
  const cells = rows.map(([name, ...numbers]) => [name, ...numbers.map((number) => grouped(number))]);
  return element(
    "section", { id: "counts" },
    element("h3", {}, text("counts"), element("span", { class: "hint" }, text("counts_hint"))),
    table(heads, cells, { class: "counts" }),
  );
}

function sourcesPart({ model, row }) {
  const own = word(model, "source_name", row);
  const needed = new Set(["streets", "terrain"]);
  if (model.page.criteria.some((item) => item.origin === "walk_to_facility")) needed.add("amenities");
  const lines = [];
  for (const [name, source] of Object.entries(model.page.sources)) {
    if (name !== own && !needed.has(source.role)) continue;
    const told = [text("role_" + source.role) + text("colon") + source.publisher, text("date_of_data") + " " + source.date];
    if (name === own) told.push(text("row") + " " + sourceRow(model, row));
    lines.push(told.join(" · "));
  }
  const once = [...new Set(lines)];
  return element(
    "section", {},
    element("h3", {}, text("sources")),
    element("ul", { class: "sources" }, ...once.map((line) => element("li", {}, line))),
  );
}

function drawOtherPanel(panel, model, row, actions) {
  const { words, places } = once(model, "others.building_name", () => model.columns.categories("others.building_name"));
  const uses = once(model, "others.building_use_type", () => model.columns.categories("others.building_use_type"));
  const use = uses.places[row] ? uses.words[uses.places[row] - 1] : "";
  panel.setAttribute("aria-label", text("panel"));
  panel.replaceChildren(
    element(
      "div", { class: "panel-buttons" },
      element("button", { type: "button", class: "close", "aria-label": text("close"), title: text("close"), onclick: actions.close }, "×"),
    ),
    element("h2", {}, places[row] ? words[places[row] - 1] : text("unnamed")),
    element("p", {}, element("b", {}, text("not_ranked_panel"))),
    element("p", {}, text("not_ranked_reason", useWord(use))),
  );
}

// Search, top areas and top buildings; each line takes the map there.
const TOP_COUNT = 20;
const AREA_ZOOM = 16.5;
const LIFTED_SIGN = "⚠";
const AREAS_AT_FIRST = 30; // more than a screen holds; the others follow with the later part

function addLists(map, model, actions) {
  const search = byId("search");
  const find = () => drawFound(byId("found"), model, search.value, actions);
  search.addEventListener("input", () => actions.whenWhole(() => {
    find();
    actions.searched();
  }));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") actions.whenWhole(() => {
      const first = byId("found").querySelector("button");
      if (first) first.click();
    });
  });
  const tabs = ["areas", "buildings", "what-if", "about"];
  const stale = new Set(); // lists that nobody sees wait until they are looked at
  const drawers = {
    areas: () => drawAreas(byId("areas"), map, model, model.isWhole ? Infinity : AREAS_AT_FIRST, actions),
    buildings: () => { if (model.isWhole) drawTop(byId("buildings"), model, actions); },
  };
  const drawSeen = () => {
    for (const name of [...stale]) {
      if (byId(name).hidden) continue;
      stale.delete(name);
      drawers[name]();
    }
  };
  const redrawLists = () => {
    for (const name of Object.keys(drawers)) stale.add(name);
    drawSeen();
  };
  const choose = (chosen) => {
    for (const name of tabs) {
      byId(name).hidden = name !== chosen;
      byId(name + "-tab").setAttribute("aria-selected", String(name === chosen));
      byId(name + "-tab").tabIndex = name === chosen ? 0 : -1;
    }
    drawSeen();
  };
  tabs.forEach((name, i) => {
    byId(name + "-tab").addEventListener("click", () => choose(name));
    byId(name + "-tab").addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: tabs.length - 1 }[event.key];
      if (!step) return;
      const next = tabs[(i + step) % tabs.length];
      choose(next);
      byId(next + "-tab").focus();
    });
  });
  choose("areas");
  const redraw = () => {
    search.placeholder = text("search_hint");
    byId("buildings-tab").textContent = text("top_buildings", Math.min(TOP_COUNT, model.rankedCount));
    redrawLists();
    if (model.isWhole) find();
  };
  const rerank = () => {
    redrawLists();
    find();
  };
  return { redraw, rerank };
}

// Rows that match; those that a filter leaves out are only counted.
function drawFound(box, model, query, actions) {
  const wanted = query.trim().toLowerCase();
  if (!wanted) {
    box.replaceChildren();
    return;
  }
  const matches = matcher(model, wanted);
  const rows = [];
  let count = 0, outside = 0;
  const take = (row) => {
    if (!matches(row)) return;
    if (model.shown && !model.shown[row]) {
      outside += 1;
      return;
    }
    count += 1;
    if (rows.length < TOP_COUNT) rows.push(row);
  };
  model.byRank.forEach(take);
  if (model.byRank.length < model.count) for (let row = 0; row < model.count; row += 1) if (!model.rank[row]) take(row);
  const notes = [];
  if (!count) notes.push(text("nothing_found"));
  if (count > rows.length) notes.push(text("found_many", grouped(count), rows.length));
  if (outside) notes.push(text("found_outside", grouped(outside)));
  box.replaceChildren(rows.length ? buildingList(model, rows, actions) : "", ...notes.map((words) => element("p", { class: "hint" }, words)));
}

// The first of those that the filters leave.
function drawTop(box, model, actions) {
  const rows = [];
  for (let place = 0; place < model.byRank.length && rows.length < TOP_COUNT; place += 1) {
    const row = model.byRank[place];
    if (!model.shown || model.shown[row]) rows.push(row);
  }
  box.replaceChildren(filterNote(model), rows.length ? buildingList(model, rows, actions) : element("p", { class: "hint" }, text("nothing_found")));
}

// What a list holds while a filter is set.
function filterNote(model) {
  if (!model.shown) return "";
  const count = model.shown.reduce((sum, each) => sum + each, 0);
  return element("p", { class: "hint filter-note" }, text("filtered", grouped(count), grouped(model.count)));
}

function buildingList(model, rows, actions) {
  const isWhatIf = !isPublished(model.page, model.choice);
  const lines = rows.map((row) => {
    const name = word(model, "building_name", row) || word(model, "estate_name", row);
    const road = word(model, "road_name", row);
    const where = [name, road].filter(Boolean).join(" · ") || word(model, "district_name", row);
    const score = grouped(model.score[row] / POINT_UNITS, 1);
    const before = isWhatIf ? " · " + publishedWords(model, row) : "";
    return element(
      "li", {},
      element(
        "button", { type: "button", class: "line", onclick: () => actions.select(row) },
        element("span", { class: "place-number" }, model.rank[row] ? grouped(model.rank[row]) : "–"),
        swatch(model.rank[row] ? model.page.tiers[model.tier[row] - 1].colour : NOT_RANKED_COLOUR),
        element("span", { class: "line-name" }, liftedSign(model, row), where),
        element("span", { class: "line-note" }, text("building_line", label(model, "building_id", row), score) + before),
      ),
    );
  });
  return element("ol", { class: "lines" }, ...lines);
}

function publishedWords(model, row) {
  const before = model.published.rank[row];
  return before ? text("was_rank", grouped(before)) : text("was_unranked");
}

// Lifted before all others, whatever its points.
function isLifted(model, row) {
  return model.rank[row] > 0 && Boolean(model.lifted[row]);
}

function liftedSign(model, row) {
  return isLifted(model, row) ? element("span", { class: "lifted", title: text("lifted") }, LIFTED_SIGN) : "";
}

function drawAreas(box, map, model, most, actions) {
  const parts = [filterNote(model)];
  const sums = model.isWhole && (model.shown || !isPublished(model.page, model.choice)) ? areaSums(model) : null;
  let list = null;
  for (const area of model.page.areas.slice(0, most)) {
    const isDistrict = area.type === "district";
    const told = sums ? (isDistrict ? sums.districts.get(area.name) : sums.areas.get(area.area)) : { count: area.count, tier_1: area.tier_1, mean: area.mean };
    if (isDistrict) list = null;
    if (!told) continue;
    const note = text("area_line", grouped(told.count), grouped(told.tier_1), grouped(told.mean, 1));
    if (isDistrict) {
      list = element("ol", { class: "lines" });
      parts.push(element("h3", {}, area.name), element("p", { class: "hint" }, note), list);
      continue;
    }
    if (!list) continue;
    const go = () => actions.openArea(area);
    list.append(
      element(
        "li", {},
        element(
          "button", { type: "button", class: "line", onclick: go },
          element("span", { class: "place-number" }, String(area.rank)),
          element("span", { class: "kind" }, text("area_" + area.type)),
          element("span", { class: "line-name" }, area.name),
          element("span", { class: "line-note" }, note),
        ),
      ),
    );
  }
  box.replaceChildren(...parts);
}

// Buildings, those in tier 1 and mean points of each area and district as they stand, among those shown.
function areaSums(model) {
  const areas = new Map(), districts = new Map();
  const places = model.columns.has("area") ? once(model, "area", () => model.columns.numbers("area")) : null;
  const add = (sums, key, row) => {
    const one = sums.get(key) || { count: 0, tier_1: 0, ranked: 0, points: 0 };
    one.count += 1;
    if (model.tier[row] === 1) one.tier_1 += 1;
    if (model.rank[row]) {
      one.ranked += 1;
      one.points += model.score[row];
    }
    sums.set(key, one);
  };
  for (let row = 0; row < model.count; row += 1) {
    if (model.shown && !model.shown[row]) continue;
    if (places) add(areas, places[row], row);
    add(districts, word(model, "district_name", row), row);
  }
  for (const one of [...areas.values(), ...districts.values()]) one.mean = one.ranked ? one.points / one.ranked / POINT_UNITS : NaN;
  return { areas, districts };
}

// Search, top areas and top buildings; each line takes the map there.
const TOP_COUNT = 20;
const AREA_ZOOM = 16.5;
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
  const choose = (chosen) => {
    for (const name of tabs) {
      byId(name).hidden = name !== chosen;
      byId(name + "-tab").setAttribute("aria-selected", String(name === chosen));
      byId(name + "-tab").tabIndex = name === chosen ? 0 : -1;
    }
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
    drawAreas(byId("areas"), map, model, model.isWhole ? Infinity : AREAS_AT_FIRST);
    if (!model.isWhole) return;
    drawTop(byId("buildings"), model, actions);
    find();
  };
  const rerank = () => {
    drawTop(byId("buildings"), model, actions);
    find();
  };
  return { redraw, rerank };
}

function drawFound(box, model, query, actions) {
  const wanted = query.trim().toLowerCase();
  if (!wanted) {
    box.replaceChildren();
    return;
  }
  const matches = matcher(model, wanted);
  const rows = [];
  let count = 0;
  const take = (row) => {
    if (!matches(row)) return;
    count += 1;
    if (rows.length < TOP_COUNT) rows.push(row);
  };
  model.byRank.forEach(take);
  if (model.byRank.length < model.count) for (let row = 0; row < model.count; row += 1) if (!model.rank[row]) take(row);
  if (!count) {
    box.replaceChildren(element("p", { class: "hint" }, text("nothing_found")));
    return;
  }
  const note = count > rows.length ? element("p", { class: "hint" }, text("found_many", grouped(count), rows.length)) : "";
  box.replaceChildren(buildingList(model, rows, actions), note);
}

function drawTop(box, model, actions) {
  box.replaceChildren(buildingList(model, [...model.byRank.slice(0, TOP_COUNT)], actions));
}

function buildingList(model, rows, actions) {
  const lines = rows.map((row) => {
    const name = word(model, "building_name", row) || word(model, "estate_name", row);
    const road = word(model, "road_name", row);
    const where = [name, road].filter(Boolean).join(" · ") || word(model, "district_name", row);
    const score = grouped(model.score[row] / POINT_UNITS, 1);
    return element(
      "li", {},
      element(
        "button", { type: "button", class: "line", onclick: () => actions.select(row) },
        element("span", { class: "place-number" }, model.rank[row] ? grouped(model.rank[row]) : "–"),
        swatch(model.rank[row] ? model.page.tiers[model.tier[row] - 1].colour : MISSING_COLOUR),
        element("span", { class: "line-name" }, where),
        element("span", { class: "line-note" }, text("building_line", label(model, "building_id", row), score)),
      ),
    );
  });
  return element("ol", { class: "lines" }, ...lines);
}

function drawAreas(box, map, model, most) {
  const parts = [];
  let list = null;
  for (const area of model.page.areas.slice(0, most)) {
    const note = text("area_line", grouped(area.count), grouped(area.tier_1), grouped(area.mean, 1));
    if (area.type === "district") {
      list = element("ol", { class: "lines" });
      parts.push(element("h3", {}, area.name), element("p", { class: "hint" }, note), list);
      continue;
    }
    const go = () => map.setView([area.lat, area.lon], AREA_ZOOM);
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

// Two buildings side by side: the pinned one and the one that is open.
function drawCompare(box, model, left, right, actions) {
  const both = [left, right];
  const cell = (value, unit, decimals) => (Number.isNaN(value) ? text("unknown") : withUnit(value, unit, decimals));
  const lines = [];
  const add = (name, cells) => lines.push(element("tr", {}, element("th", { scope: "row" }, name), ...cells.map((words) => element("td", {}, words))));
  add(text("column_building_id"), both.map((row) => label(model, "building_id", row)));
  add(text("column_rank"), both.map((row) => (model.rank[row] ? grouped(model.rank[row]) : text("not_in_order"))));
  add(text("column_tier_number"), both.map((row) => (model.tier[row] ? inLanguage(model.page.tiers[model.tier[row] - 1].label) : "–")));
  add(text("total"), both.map((row) => grouped(model.score[row] / POINT_UNITS, 3)));
  const heaviest = Math.max(...model.units) / 100;
  model.page.criteria.forEach((item, k) => {
    const most = model.units[k] / 100;
    add(inLanguage(item.label), both.map((row) => {
      const points = pointUnits(model, row, k) / POINT_UNITS;
      const value = measured(model, row, k);
      const words = Number.isNaN(value) ? text("missing") : withUnit(value, item.unit, item.decimals);
      return element(
        "div", {}, element("b", {}, grouped(points, 3)), " · " + words,
        bar(points / heaviest, most / heaviest, model.standIns[k][row] ? MISSING_COLOUR : "#8a1c22", inLanguage(item.label) + " " + grouped(points, 3)),
      );
    }));
  });
  const shownByScore = new Set(model.page.criteria.map((item) => item.measure));
  for (const name of FACT_ORDER) {
    if (name === "construction_year") add(text("fact_construction_year"), both.map((row) => yearWords(model, row) || text("unknown")));
    else if (!shownByScore.has(name) && model.columns.has("fact." + name)) {
      add(text("fact_" + name), both.map((row) => cell(fact(model, name, row), FACT_UNITS[name], model.columns.decimals("fact." + name))));
    }
  }
  const names = both.map((row) => element(
    "th", { scope: "col" }, element("button", { type: "button", class: "plain-button", onclick: () => actions.show(row) }, buildingTitle(model, row)),
  ));
  box.replaceChildren(
    element(
      "div", { class: "panel-buttons" },
      element("button", { type: "button", id: "compare-end", onclick: actions.unpin }, text("compare_end")),
      element("button", { type: "button", class: "close", "aria-label": text("close"), title: text("close"), onclick: actions.close }, "×"),
    ),
    element("h2", {}, text("compare")),
    element(
      "table", { class: "compare" },
      element("thead", {}, element("tr", {}, element("td", {}), ...names)), element("tbody", {}, ...lines),
    ),
  );
}

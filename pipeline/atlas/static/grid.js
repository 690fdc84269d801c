// The table of the selection: only the rows in sight are in the document. Sorted by any column, saved as CSV.
const LINE_PX = 32;
const SPARE_LINES = 8;

function gridColumns(model) {
  const number = (key, value, decimals, width) => ({ key, value, decimals, width, isNumber: true });
  const named = (key, width) => {
    const { words, places } = once(model, key, () => model.columns.categories(key));
    const order = once(model, "order of " + key, () => orderOfWords(words));
    return {
      key, width, words: (row) => (places[row] ? words[places[row] - 1] : ""),
      value: (row) => (places[row] ? order[places[row] - 1] : NaN),
    };
  };
  const facts = (key, decimals, width) => (hasFact(model, key) ? [number(key, (row) => factColumn(model, key)[row], decimals, width)] : []);
  const has = (key) => model.columns.has(key) && once(model, key, () => model.columns.categories(key)).words.length > 0;
  return [
    number("rank", (row) => model.rank[row] || NaN, 0, 82),
    { key: "building_id", width: 160, words: (row) => label(model, "building_id", row), value: null },
    ...["building_name", "estate_name", "road_name", "district_name"].filter(has).map((key) => named(key, key === "district_name" ? 90 : 140)),
    number("tier_number", (row) => model.tier[row] || NaN, 0, 70),
    number("score_points", (row) => model.score[row] / POINT_UNITS, 3, 86),
    ...facts("floor_area_m2", 0, 110), ...facts("household_count", 0, 80), ...facts("storey_count", 0, 70),
    number("construction_year", (row) => middleYear(model, row), -1, 86),
    ...facts("main_road_climb_m", 1, 90), ...facts("readiness_share", 2, 90), ...facts("top_share", 2, 90),
    ...facts("planned_year", -1, 86), ...facts("cost_cny", 0, 120),
    number("stand_in_count", (row) => model.standIns.reduce((sum, column) => sum + column[row], 0), 0, 90),
  ];
}

// Rows without a rank, by id, as the lists have them.
function unrankedRows(model) {
  const ids = [];
  for (let row = 0; row < model.count; row += 1) if (!model.rank[row]) ids.push([label(model, "building_id", row), row]);
  return ids.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

// Places of words in the order of the language's dictionary.
function orderOfWords(words) {
  const compare = new Intl.Collator("zh-Hans-CN").compare;
  const order = new Uint32Array(words.length);
  [...words.keys()].sort((a, b) => compare(words[a], words[b])).forEach((word, place) => { order[word] = place; });
  return order;
}

// Rows of the selection, sorted; rows without a value come last both ways.
function sortedRows(model, rows, column, direction) {
  if (!column.value) {
    const words = rows.map((row) => column.words(row));
    return [...rows.keys()].sort((a, b) => direction * (words[a] < words[b] ? -1 : words[a] > words[b] ? 1 : 0)).map((i) => rows[i]);
  }
  const values = Float64Array.from(rows, (row) => column.value(row));
  const order = Uint32Array.from(rows.keys());
  order.sort((a, b) => {
    const x = values[a], y = values[b];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a - b;
    return direction * (x - y) || a - b;
  });
  return Array.from(order, (i) => rows[i]);
}

function cellWords(column, row) {
  if (!column.isNumber) return column.words(row);
  const value = column.value(row);
  if (Number.isNaN(value)) return "–";
  return column.decimals < 0 ? String(value) : grouped(value, column.decimals);
}

function addGrid(model, state, actions) {
  const dock = byId("dock");
  const columns = gridColumns(model);
  const sort = { key: "rank", direction: 1 };
  let rows = [], active = 0, parts = null;

  function selectedRows() {
    const wanted = byId("search").value.trim().toLowerCase();
    const matches = wanted ? matcher(model, wanted) : null;
    const found = [];
    const take = (row) => { if ((!model.shown || model.shown[row]) && (!matches || matches(row))) found.push(row); };
    model.byRank.forEach(take);
    unrankedRows(model).forEach(take);
    return found;
  }

  function fill() {
    if (dock.hidden) return;
    rows = selectedRows();
    if (sort.key !== "rank" || sort.direction < 0) rows = sortedRows(model, rows, columns.find(({ key }) => key === sort.key), sort.direction);
    const at = rows.indexOf(state.row);
    active = at < 0 ? 0 : at;
    parts.count.textContent = text("table_count", grouped(rows.length), grouped(model.count));
    parts.body.style.height = rows.length * LINE_PX + "px";
    parts.table.setAttribute("aria-rowcount", String(rows.length + 1));
    if (at >= 0) reveal(at);
    draw();
  }

  function reveal(place) {
    const { scroller } = parts;
    const top = place * LINE_PX, room = scroller.clientHeight - 2 * LINE_PX;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
  }

  function draw() {
    const { scroller, body } = parts;
    const first = Math.max(0, Math.floor(scroller.scrollTop / LINE_PX) - SPARE_LINES);
    const last = Math.min(rows.length, first + Math.ceil(scroller.clientHeight / LINE_PX) + 2 * SPARE_LINES);
    const lines = [];
    for (let place = first; place < last; place += 1) lines.push(line(rows[place], place));
    body.replaceChildren(...lines);
    scroller.setAttribute("aria-activedescendant", rows.length ? "line-" + active : "");
  }

  function line(row, place) {
    const cells = columns.map((column) => element("span", {
      role: "cell", class: column.isNumber ? "number" : "words", style: `width:${column.width}px`,
    }, cellWords(column, row)));
    cells[0].prepend(swatch(model.rank[row] ? model.page.tiers[model.tier[row] - 1].colour : MISSING_COLOUR));
    const marks = [place === active ? "active" : "", row === state.row ? "chosen" : "", place + 1 === model.funding.count && isByRank() ? "last-funded" : ""];
    const node = element("div", {
      role: "row", id: "line-" + place, class: "grid-line " + marks.join(" "), style: `top:${place * LINE_PX}px`,
      "aria-rowindex": place + 2, "aria-selected": row === state.row ? "true" : "false", onclick: () => choose(place),
    }, ...cells);
    return node;
  }

  function isByRank() {
    return sort.key === "rank" && sort.direction > 0 && !model.shown && !byId("search").value.trim();
  }

  function choose(place) {
    active = place;
    actions.show(rows[place]);
  }

  function onKey(event) {
    const page = Math.max(1, Math.floor(parts.scroller.clientHeight / LINE_PX) - 2);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (step !== undefined && rows.length) {
      event.preventDefault();
      active = Math.max(0, Math.min(rows.length - 1, active + step));
      reveal(active);
      draw();
    } else if (event.key === "Enter" && rows.length) {
      event.preventDefault();
      choose(active);
    }
  }

  function head(column) {
    const isSorted = sort.key === column.key;
    const sign = isSorted ? (sort.direction > 0 ? " ▲" : " ▼") : "";
    const turn = () => {
      sort.direction = isSorted ? -sort.direction : 1;
      sort.key = column.key;
      redraw();
      parts.table.querySelector(`[data-sort="${column.key}"]`).focus();
    };
    const button = element("button", { type: "button", "data-sort": column.key, onclick: turn }, text("column_" + column.key) + sign);
    return element("span", {
      role: "columnheader", style: `width:${column.width}px`, "aria-sort": isSorted ? (sort.direction > 0 ? "ascending" : "descending") : "none",
    }, button);
  }

  function redraw() {
    if (dock.hidden) {
      dock.replaceChildren();
      return;
    }
    const scrolled = parts ? parts.scroller.scrollTop : 0;
    const count = element("span", { id: "grid-count", role: "status" });
    const body = element("div", { class: "grid-body", role: "rowgroup" });
    const width = columns.reduce((sum, column) => sum + column.width, 0);
    const heads = element("div", { role: "row", class: "grid-head", "aria-rowindex": 1 }, ...columns.map(head));
    const inner = element("div", { role: "table", "aria-label": text("table"), style: `width:${width}px` }, heads, body);
    const scroller = element("div", { class: "grid-scroller", tabindex: 0, id: "grid", "aria-label": text("table_keys") }, inner);
    scroller.addEventListener("scroll", () => requestAnimationFrame(draw));
    scroller.addEventListener("keydown", onKey);
    parts = { count, body, scroller, table: inner };
    dock.replaceChildren(
      element(
        "div", { class: "row dock-bar" }, element("h2", {}, text("table")), count,
        element("button", { type: "button", id: "save-csv", onclick: save }, text("save_csv")),
        element("button", { type: "button", class: "close", "aria-label": text("close"), title: text("close"), onclick: () => actions.toggleTable(false) }, "×"),
      ),
      scroller,
    );
    scroller.scrollTop = scrolled;
    fill();
  }

  function save() {
    const changed = isPublished(model.page, model.choice) ? "" : "_what_if";
    const mark = model.page.mark || "";
    saveFile("selection" + changed + mark + ".csv", csvText(model, rows), "text/csv");
  }

  return { redraw, fill };
}

// The columns of building_ranking that the page holds to the last digit.
function csvColumns(model) {
  const { page, columns } = model;
  const words = (name) => ({ name, cell: (row) => safeCell(word(model, name, row)) });
  const whole = (name) => ({ name, cell: (row) => { const value = fact(model, name, row); return Number.isNaN(value) ? "" : String(value); } });
  const kept = [
    rankColumn(model),
    { name: "building_id", cell: (row) => safeCell(label(model, "building_id", row)) },
    { name: "tier_number", cell: (row) => (model.tier[row] ? String(model.tier[row]) : "") },
    { name: "score_points", cell: (row) => String(model.score[row] / POINT_UNITS) },
  ];
  if (page.gates.length) kept.push({ name: "track_type", cell: (row) => page.tracks[model.track[row]] });
  for (const name of ["building_name", "district_name", "estate_name", "road_name"]) if (columns.has(name)) kept.push(words(name));
  page.criteria.forEach((item, k) => kept.push({ name: item.name + "_points", cell: (row) => String(pointUnits(model, row, k) / POINT_UNITS) }));
  kept.push({ name: "stand_in_count", cell: (row) => String(model.standIns.reduce((sum, column) => sum + column[row], 0)) });
  for (const name of ["storey_count", "household_count", "planned_year"]) if (columns.has("fact." + name)) kept.push(whole(name));
  kept.push(words("construction_year_basis_type"));
  return kept;
}

// The published rank is that of the city, also on the page of a district.
function rankColumn(model) {
  const isCity = model.cityRank && isPublished(model.page, model.choice);
  const ranks = isCity ? model.cityRank : model.rank;
  return { name: model.cityRank && !isCity ? "rank_in_district" : "rank", cell: (row) => (ranks[row] ? String(ranks[row]) : "") };
}

// No spreadsheet may run a text of the data as a formula: the same rule as in the lists.
function safeCell(words) {
  const safe = /^[=+\-@\t\r]/.test(words) ? "'" + words : words;
  return /[",\n\r]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
}

function csvText(model, rows) {
  const columns = csvColumns(model);
  const lines = [columns.map(({ name }) => name).join(",")];
  for (const row of rows) lines.push(columns.map(({ cell }) => cell(row)).join(","));
  return "\ufeff" + lines.join("\r\n") + "\r\n";
}

// The table of the selection: only the rows in sight are in the document. Sorted by any column, saved as CSV.
const LINE_PX = 32;
const SPARE_LINES = 8;

// What the table shows; the file that it is saved to has the same columns in the same order.
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
  const told = (key, width, words, value) => ({ key, width, words, value });
  const facts = (key, decimals, width) => (hasFact(model, key) ? [number(key, (row) => factColumn(model, key)[row], decimals, width)] : []);
  const has = (key) => model.columns.has(key) && once(model, key, () => model.columns.categories(key)).words.length > 0;
  const isWhatIf = !isPublished(model.page, model.choice), { tracks } = model.page;
  const city = model.cityRank ? [number("city_rank", (row) => model.cityRank[row] || NaN, 0, 90)] : [];
  const lifted = (row) => (isLifted(model, row) ? text("yes") : "");
  return [
    number(isWhatIf ? "what_if_rank" : model.cityRank ? "district_rank" : "rank", (row) => model.rank[row] || NaN, 0, 82),
    ...(isWhatIf && !model.cityRank ? [number("published_rank", (row) => model.published.rank[row] || NaN, 0, 86)] : []), ...city,
    { key: "building_id", width: 160, words: (row) => label(model, "building_id", row), value: null },
    ...["building_name", "estate_name", "road_name", "district_name"].filter(has).map((key) => named(key, key === "district_name" ? 90 : 140)),
    number("tier_number", (row) => model.tier[row] || NaN, 0, 70),
    ...(isWhatIf ? [number("published_tier", (row) => model.published.tier[row] || NaN, 0, 86)] : []),
    ...(model.columns.has("lifted_by_code") ? [told("is_lifted", 86, lifted, (row) => (isLifted(model, row) ? 0 : NaN))] : []),
    ...(model.page.gates.length ? [told("track_type", 90, (row) => text("track_" + tracks[model.track[row]]), (row) => model.track[row])] : []),
    number("score_points", (row) => model.score[row] / POINT_UNITS, 3, 86),
    ...(isWhatIf ? [number("published_score", (row) => model.published.score[row] / POINT_UNITS, 3, 96)] : []),
    ...facts("floor_area_m2", 0, 110), ...facts("household_count", 0, 80), ...facts("storey_count", 0, 70),
    number("construction_year", (row) => middleYear(model, row), -1, 86),
    told("construction_year_basis_type", 110, (row) => text("basis_" + word(model, "construction_year_basis_type", row)), (row) => BASES.indexOf(word(model, "construction_year_basis_type", row))),
    ...facts("main_road_climb_m", 1, 90), ...facts("readiness_share", 2, 90), ...facts("top_share", 3, 90), ...facts("funded_share", 3, 90),
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
  let columns = gridColumns(model), columnsOf = "";
  const sort = { key: "", direction: 1 }; // without a key: by rank, as the order stands
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
    if (columnsOf !== keyOfColumns()) {
      redraw(); // which fills
      return;
    }
    rows = selectedRows();
    const column = columns.find(({ key }) => key === sort.key);
    if (column && !(isRank(column) && sort.direction > 0)) rows = sortedRows(model, rows, column, sort.direction);
    const at = rows.indexOf(state.row);
    active = at < 0 ? 0 : at;
    parts.count.textContent = text("table_count", grouped(rows.length), grouped(model.count));
    parts.body.style.height = rows.length * LINE_PX + "px";
    parts.table.setAttribute("aria-rowcount", String(rows.length + 1));
    if (at >= 0) reveal(at);
    draw();
  }

  // Another language or a what-if has other columns.
  function keyOfColumns() {
    return [language, isPublished(model.page, model.choice)].join();
  }

  function isRank({ key }) {
    return ["rank", "what_if_rank", "district_rank"].includes(key);
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
    cells[0].prepend(swatch(model.rank[row] ? model.page.tiers[model.tier[row] - 1].colour : NOT_RANKED_COLOUR), liftedSign(model, row));
    const marks = [place === active ? "active" : "", row === state.row ? "chosen" : ""];
    const node = element("div", {
      role: "row", id: "line-" + place, class: "grid-line " + marks.join(" "), style: `top:${place * LINE_PX}px`,
      "aria-rowindex": place + 2, "aria-selected": row === state.row ? "true" : "false", onclick: () => choose(place),
    }, ...cells);
    return node;
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
    const isSorted = sort.key ? sort.key === column.key : isRank(column);
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
    columns = gridColumns(model);
    columnsOf = keyOfColumns();
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
    saveFile(tableFileName(model, state, byId("search").value.trim()), csvText(model, columns, rows), "text/csv");
  }

  return { redraw, fill };
}

// Of another city, scenario, selection or what-if the name differs.
function tableFileName(model, state, wanted) {
  const { page } = model;
  const city = language === "zh" ? page.city.name_zh : page.city.name_en;
  const chosen = FILTERS.map(({ key }) => state.filters[key] && (filterChoices(model, key).find(([value]) => value === state.filters[key]) || [])[1]);
  const changed = isPublished(page, model.choice) ? "" : text("what_if") + choiceMark(model);
  const parts = [city, page.district, page.scenario === "base" ? "" : page.scenario, text("table"), ...chosen, wanted, changed];
  const name = parts.filter(Boolean).join("_").replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 110);
  return name + (page.mark || "") + ".csv";
}

// Six letters that differ between choices.
function choiceMark(model) {
  let mark = 2166136261;
  for (const letter of JSON.stringify([model.choice.raw, model.choice.gates])) mark = Math.imul(mark ^ letter.charCodeAt(0), 16777619) >>> 0;
  return mark.toString(36).padStart(7, "0").slice(-6);
}

// No spreadsheet may run a text of the data as a formula: the same rule as in the lists.
function safeCell(words) {
  const safe = /^[=+\-@\t\r]/.test(words) ? "'" + words : words;
  return /[",\n\r]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
}

// The table as it stands; of a what-if each row also says by which weights and rules it was ranked.
function csvText(model, columns, rows) {
  const number = (column, value) => (Number.isNaN(value) ? "" : column.decimals < 0 ? String(value) : grouped(value, column.decimals).replaceAll(",", ""));
  const cell = (column, row) => (column.isNumber ? number(column, column.value(row)) : safeCell(column.words(row)));
  const isWhatIf = !isPublished(model.page, model.choice), choice = safeCell(choiceWords(model));
  const heads = columns.map(({ key }) => safeCell(text("column_" + key)));
  const lines = [[...heads, ...(isWhatIf ? [text("column_choice")] : [])].join(",")];
  for (const row of rows) lines.push([...columns.map((column) => cell(column, row)), ...(isWhatIf ? [choice] : [])].join(","));
  return "\ufeff" + lines.join("\r\n") + "\r\n";
}

// Weights that were moved, as shares of the whole, the published ones beside them, and rules that were
// switched off. All other weights keep their proportions to each other.
function choiceWords(model) {
  const { page, choice, units } = model;
  const share = (unit) => grouped(unit / 100, 2) + " %";
  const moved = page.criteria.map((item, k) => (choice.raw[k] === item.weight ? "" : text("weight_moved", inLanguage(item.label), share(units[k]), share(item.weight)))).filter(Boolean);
  const off = page.gates.filter((_, i) => !choice.gates[i]).map((gate) => text("gate_off", text("gate_" + gate.key)));
  return [...moved, ...off].join(language === "zh" ? "；" : "; ");
}

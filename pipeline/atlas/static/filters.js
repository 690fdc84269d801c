// Which buildings are meant: by district, tier, track, planned year, and how they stand against the
// published order. The map fades out the rest, and every list leaves it out.
const FILTERS = [
  { key: "district", parameter: "fd" }, { key: "tier", parameter: "ft" },
  { key: "track", parameter: "fk" }, { key: "year", parameter: "fy" },
  { key: "move", parameter: "fm" },
];

function noFilters() {
  return Object.fromEntries(FILTERS.map(({ key }) => [key, ""]));
}

function readFilters(parts) {
  const filters = noFilters();
  for (const { key, parameter } of FILTERS) filters[key] = parts.get(parameter) || "";
  return filters;
}

function writtenFilters(filters) {
  return FILTERS.filter(({ key }) => filters[key]).map(({ key, parameter }) => parameter + "=" + encodeURIComponent(filters[key]));
}

// What can be chosen in each filter: [value, words] pairs. None where there is nothing to choose.
function filterChoices(model, key) {
  const { page, columns } = model;
  if (key === "district") {
    const words = columns.texts("district_name.words");
    return words.length > 1 ? words.map((name) => [name, name]) : [];
  }
  if (key === "tier") return page.tiers.map((tier, i) => [String(i + 1), inLanguage(tier.label)]);
  if (key === "track") return page.gates.length ? page.tracks.map((name) => [name, text("track_" + name)]) : [];
  if (key === "move") return isPublished(page, model.choice) ? [] : MOVES.map((name) => [name, text("move_" + name)]);
  if (!columns.has("fact.planned_year")) return [];
  return [...page.planned_years.map((year) => [String(year), String(year)]), ["none", text("not_planned")]];
}

// A mark for each row that passes all filters; null where none is set.
function shownRows(model, filters) {
  const tests = [];
  if (filters.district) {
    const { words, places } = once(model, "district_name", () => model.columns.categories("district_name"));
    const wanted = words.indexOf(filters.district) + 1;
    tests.push((row) => places[row] === wanted);
  }
  if (filters.tier) tests.push((row) => model.tier[row] === Number(filters.tier));
  if (filters.track) {
    const wanted = model.page.tracks.indexOf(filters.track);
    tests.push((row) => model.track[row] === wanted);
  }
  if (filters.year && model.columns.has("fact.planned_year")) {
    const years = factColumn(model, "planned_year");
    tests.push(filters.year === "none" ? (row) => Number.isNaN(years[row]) : (row) => years[row] === Number(filters.year));
  }
  if (filters.move && !isPublished(model.page, model.choice)) tests.push((row) => moveOf(model, row) === MOVES.indexOf(filters.move));
  if (!tests.length) return null;
  const shown = new Uint8Array(model.count);
  for (let row = 0; row < model.count; row += 1) shown[row] = tests.every((test) => test(row)) ? 1 : 0;
  return shown;
}

function addFilters(model, state, change) {
  const box = byId("filters");
  return () => {
    const fields = FILTERS.map(({ key }) => {
      const choices = filterChoices(model, key);
      if (!choices.length) return "";
      if (state.filters[key] && !choices.some(([value]) => value === state.filters[key])) state.filters[key] = "";
      const select = element("select", { id: "filter-" + key }, ...[["", text("all")], ...choices].map(([value, words]) => (
        element("option", { value, selected: state.filters[key] === value }, words)
      )));
      select.addEventListener("change", () => {
        state.filters = { ...state.filters, [key]: select.value };
        change(key);
      });
      return element("label", { class: "field" }, element("span", {}, text("filter_" + key)), select);
    });
    box.replaceChildren(...fields.filter(Boolean));
  };
}

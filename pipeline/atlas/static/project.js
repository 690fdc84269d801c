// A project of the plan, an estate as a rule: what it needs, what is done, who pays, when and why.
const CENTS_OF_WAN = 100; // a step of money is a hundredth of 10,000 yuan
const NEEDS_TOLD = 3;
const FUND_COLUMNS = ["central", "municipal", "district", "special_bond", "private", "resident", "maintenance_fund"];

function hasProjects(model) {
  return model.columns.has("project");
}

function projectOf(model, row) {
  return hasProjects(model) && row >= 0 ? once(model, "project", () => model.columns.numbers("project"))[row] : -1;
}

function rowsOfProject(model, project) {
  const all = once(model, "rows of projects", () => {
    const found = new Map();
    for (let row = 0; row < model.count; row += 1) {
      const own = projectOf(model, row);
      if (own >= 0) found.set(own, [...(found.get(own) || []), row]);
    }
    return found;
  });
  return all.get(project) || [];
}

// A number of a project; NaN where it is not known or not told.
function projectFact(model, name, project) {
  const key = "projects." + name;
  return model.columns.has(key) ? once(model, key, () => model.columns.measures(key))(project) : NaN;
}

function projectWord(model, kind, column, project) {
  const code = word(model, "projects." + column, project), words = (model.page.project_words[kind] || {})[code];
  return words ? inLanguage(words) : code.replace(/_/g, " ");
}

function projectTitle(model, project) {
  const [row] = rowsOfProject(model, project);
  return word(model, "estate_name", row) || word(model, "building_name", row) || word(model, "road_name", row) || label(model, "projects.id", project);
}

function tenThousands(model, name, project) {
  return text("ten_thousand_yuan", grouped(projectFact(model, name, project) / CENTS_OF_WAN, 2));
}

// Three sentences: what it needs, what the plan does, how sure that is.
function whyHere(model, project, rows) {
  const ranked = rows.filter((row) => model.rank[row]);
  const homes_ = projectFact(model, "household_plan_count", project);
  const lifted = rows.filter((row) => isLifted(model, row)).length;
  const sums = model.page.criteria.map((item, k) => [ranked.reduce((sum, row) => sum + pointUnits(model, row, k), 0), inLanguage(item.label)]);
  const first = sums.sort(([a], [b]) => b - a).filter(([sum]) => sum > 0).slice(0, NEEDS_TOLD).map(([, name]) => name);
  const year = projectFact(model, "planned_year", project), isPlanned = !Number.isNaN(year);
  const inTop = rows.filter((row) => model.tier[row] === 1).length;
  const said = [text("why_need", grouped(rows.length), Number.isNaN(homes_) ? text("unknown") : grouped(homes_), grouped(inTop), first.join(language === "zh" ? "、" : ", "))];
  if (lifted) said.push(text("why_lifted", LIFTED_SIGN, grouped(lifted)));
  if (isPlanned) {
    said.push(text("why_planned", year, tenThousands(model, "cost_cny", project), tenThousands(model, "public_cny", project), grouped(projectFact(model, "relief_households", project), 1), grouped(projectFact(model, "need_households", project), 1)));
  } else {
    said.push(text("why_waiting", projectWord(model, "wait", "wait_reason_code", project) || text("unknown")));
  }
  const chance = projectFact(model, "funded_share", project);
  if (!Number.isNaN(chance)) said.push(text("why_sure", shareWords(chance)));
  return said;
}

function drawProject(panel, model, project, actions) {
  const rows = rowsOfProject(model, project), value = (name) => projectFact(model, name, project);
  const lines = [];
  const add = (key, words) => { if (words) lines.push(element("tr", {}, element("th", { scope: "row" }, text(key)), element("td", {}, words))); };
  const year = value("planned_year");
  add("fact_planned_year", Number.isNaN(year) ? text("not_planned") + text("colon") + projectWord(model, "wait", "wait_reason_code", project) : text("planned_in", year));
  const entry = "projects.entry." + language;
  if (model.columns.has(entry)) add("project_entry", once(model, entry, () => model.columns.texts(entry))[project]);
  if (!Number.isNaN(value("funded_share"))) add("fact_funded_share", shareWords(value("funded_share")));
  if (!Number.isNaN(value("replacement_households"))) add("project_replacement", text("project_homes", grouped(value("replacement_households"), 1)));
  if (model.columns.has("projects.readiness_type")) add("project_consent", [projectWord(model, "readiness", "readiness_type", project), Number.isNaN(value("favour_owner_share")) ? "" : shareWords(value("favour_owner_share"))].filter(Boolean).join(" · "));
  if (!Number.isNaN(value("ready_year"))) add("project_ready", String(value("ready_year")));
  const works = model.columns.has("projects.works") ? word(model, "projects.works", project).split("|").filter(Boolean) : [];
  add("project_works", works.map((code) => inLanguage(model.page.project_words.works[code] || { zh: code, en: code })).join(language === "zh" ? "、" : ", "));
  const funds = FUND_COLUMNS.filter((name) => value(name + "_cny") > 0).map((name) => [
    inLanguage(model.page.project_words.fund[name]), grouped(value(name + "_cny") / CENTS_OF_WAN, 2),
  ]);
  if (funds.length) funds.push([text("total"), grouped(value("cost_cny") / CENTS_OF_WAN, 2)]);
  panel.setAttribute("aria-label", text("project"));
  panel.replaceChildren(
    element(
      "div", { class: "panel-buttons" },
      element("button", { type: "button", class: "close", "aria-label": text("close"), title: text("close"), onclick: actions.close }, "×"),
    ),
    element("h2", {}, projectTitle(model, project)),
    element("p", { class: "place" }, [text("project"), label(model, "projects.id", project), word(model, "district_name", rows[0])].filter(Boolean).join(" · ")),
    element("section", { id: "why" }, element("h3", {}, text("why_here")), ...whyHere(model, project, rows).map((said) => element("p", {}, said))),
    element("section", { id: "sure" }, element("table", { class: "sure" }, element("tbody", {}, ...lines))),
    funds.length ? element("section", {}, element("h3", {}, text("project_money")), table([text("project_source"), text("project_wan")], funds, { class: "counts" })) : "",
    pilotPart(model, project, actions),
    element("section", {}, element("h3", {}, text("project_buildings", grouped(rows.length))), buildingList(model, [...rows].sort(byRank(model)), actions)),
  );
}

function byRank(model) {
  return (a, b) => (model.rank[a] || Infinity) - (model.rank[b] || Infinity) || a - b;
}

function pilotPart(model, project, actions) {
  const id = model.columns.has("projects.pilot") ? label(model, "projects.pilot", project) : "", row = rowOfId(model, id);
  if (row < 0) return "";
  return element("section", { id: "pilot" }, element("h3", {}, text("project_pilot"), element("span", { class: "hint" }, projectWord(model, "pilot", "pilot_reason_code", project))), buildingList(model, [row], actions));
}

// The outline of its estate, or else those of its buildings.
function markProject(group, model, project, colour) {
  const rows = rowsOfProject(model, project);
  const estate = estateAt(model, ...middleOf(model.ranked, rows[0]));
  if (estate >= 0 && word(model, "estate_name", rows[0])) markShape(group, model.estates, estate, colour);
  else rows.forEach((row) => markShape(group, model.ranked, row, colour));
}

function estateAt(model, x, y) {
  for (const row of within(model.estates, x, y, x, y)) if (contains(model.estates, row, x, y)) return row;
  return -1;
}

// The project of the first building in the estate at a place; -1 if none.
function projectAt(model, x, y) {
  const estate = hasProjects(model) ? estateAt(model, x, y) : -1;
  if (estate < 0) return -1;
  const { box } = model.estates;
  const rows = within(model.ranked, ...box.slice(4 * estate, 4 * estate + 4)).filter((row) => contains(model.estates, estate, ...middleOf(model.ranked, row)));
  return rows.sort((a, b) => a - b).reduce((found, row) => (found >= 0 ? found : projectOf(model, row)), -1);
}

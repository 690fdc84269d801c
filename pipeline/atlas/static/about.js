// How the ranking came about, and what it does not know.
function drawAbout(box, model) {
  const { page } = model;
  box.replaceChildren(
    part("how", element("p", {}, text("how_text")), element("p", {}, text("reference_year", page.reference_year, page.terrain_cell_m))),
    part("weights", weightsTable(page)),
    part("left_out", ...leftOut(page)),
    part("tiers_heading", element("ul", {}, ...page.tiers.map((tier) => (
      element("li", {}, text("tier_upper", inLanguage(tier.label), percent(tier.upper_rank_share)))
    )))),
    part("gaps", ...gaps(model)),
    part("sources", sourcesTable(page)),
    part("software", element("p", {}, text("software_text"))),
  );
}

function part(key, ...children) {
  return element("section", {}, element("h3", {}, text(key)), ...children);
}

function weightsTable(page) {
  const rows = page.criteria.map((item) => {
    const to = withUnit(item.worst_at, item.unit, decimalsOf(item.worst_at));
    const name = element("span", {}, inLanguage(item.label), element("span", { class: "from" }, inLanguage(item.reason)));
    return [name, grouped(item.weight / 100, 2) + " %", grouped(item.none_at, decimalsOf(item.none_at)) + "–" + to];
  });
  return table([text("criterion"), text("weight"), text("bounds_short")], rows, { class: "weights" });
}

function leftOut(page) {
  if (!page.left_out.length) return [element("p", {}, text("left_out_none"))];
  const lines = page.left_out.map((item) => {
    const value = item.reason === "told" ? item.text : percent(item.known_share || 0, 1);
    return element("li", {}, inLanguage(item.label) + " — " + text("reason_" + item.reason, value));
  });
  return [element("ul", {}, ...lines)];
}

function gaps(model) {
  const { page } = model;
  const lines = [];
  const standIns = page.gaps.stand_in_buildings;
  lines.push(text("gap_stand_in", grouped(standIns), percent(standIns / model.count, 1)));
  lines.push(text("gap_floor", percent(page.floor_known_share, 1)));
  if (page.gaps.without_street_access) lines.push(text("gap_access", grouped(page.gaps.without_street_access)));
  if (page.gaps.unmapped.length) {
    const names = page.gaps.unmapped.map((type) => inLanguage(type.label) + " " + type.count);
    lines.push(text("gap_unmapped", page.gaps.min_facility_count, names.join(language === "zh" ? "、" : ", ")));
  }
  const parts = [element("ul", {}, ...lines.map((line) => element("li", {}, line)))];
  const rejected = Object.entries(page.gaps.rejected);
  if (rejected.length) {
    parts.push(
      element("p", {}, text("gap_rejected")),
      element("ul", {}, ...rejected.map(([reason, count]) => element("li", {}, rejectWord(reason) + " " + grouped(count)))),
    );
  }
  return parts;
}

function sourcesTable(page) {
  const lines = Object.values(page.sources).map((source) => (
    text("role_" + source.role) + text("colon") + [source.publisher, source.date, source.licence].join(" · ")
  ));
  return element("ul", { class: "sources" }, ...[...new Set(lines)].map((line) => element("li", {}, line)));
}

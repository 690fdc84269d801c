// Beside the whole city: what is decided here in a sentence, and the totals of each district.
function drawOverview(box, model, choose, chosen) {
  const { page } = model, districts = page.areas.filter(({ type }) => type === "district");
  const sum = (key) => (districts.some((one) => typeof one[key] === "number") ? districts.reduce((total, one) => total + (one[key] || 0), 0) : null);
  const hasHomes = sum("tier_1_homes") !== null, hasPlan = sum("planned") > 0;
  const told = [text(hasHomes ? "summary_ranked" : "summary_ranked_only", grouped(model.rankedCount), grouped(sum("tier_1")), homes(sum("tier_1_homes")))];
  const lifted = page.lifted_count;
  if (lifted) told.push(text("summary_lifted", LIFTED_SIGN, grouped(lifted)));
  if (sum("planned")) told.push(text("summary_planned", ...ends(page.planned_years), grouped(sum("planned")), homes(sum("planned_homes")), language === "zh" ? grouped(sum("planned_cny") / 1e8, 1) : grouped(sum("planned_cny") / 1e9, 2)));
  const heads = [text("district"), text("tier_1_head"), ...(hasHomes ? [text("tier_1_homes_head")] : []), ...(hasPlan ? [text("planned_homes_head"), text("planned_cost_head")] : [])];
  const rows = districts.map((one) => [
    districts.length > 1 ? element("button", { type: "button", class: "plain-button", "aria-pressed": String(one.name === chosen), onclick: () => choose(one.name) }, one.name) : one.name,
    grouped(one.tier_1), ...(hasHomes ? [homes(one.tier_1_homes)] : []), ...(hasPlan ? [homes(one.planned_homes), grouped(one.planned_cny / 1e8, 1)] : []),
  ]);
  const note = isPublished(page, model.choice) ? "" : element("p", { class: "hint" }, text("totals_published"));
  byId("summary").textContent = told.join(language === "zh" ? "" : " ");
  box.replaceChildren(
    element("h3", {}, text("by_district")), note, table(heads, rows, { class: "counts", id: "totals" }),
  );
}

function homes(count) {
  return count === null || count === undefined ? text("unknown") : grouped(count);
}

function ends(years) {
  return [years[0], years[years.length - 1]];
}

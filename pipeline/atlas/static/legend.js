// Legend, scale, north arrow and zoom buttons on the map.
function addControls(map, model) {
  const zoom = L.control.zoom({ position: "topleft" }).addTo(map);
  L.control.scale({ imperial: false, maxWidth: 140, position: "bottomright" }).addTo(map);
  const north = fixed(map, "topright", "north");
  const legend = fixed(map, "bottomleft", "legend");
  L.DomEvent.disableScrollPropagation(legend);
  L.DomEvent.disableClickPropagation(legend);
  return () => {
    const [zoomIn, zoomOut] = zoom.getContainer().querySelectorAll("a");
    for (const [link, key] of [[zoomIn, "zoom_in"], [zoomOut, "zoom_out"]]) {
      link.title = text(key);
      link.setAttribute("aria-label", text(key));
    }
    north.replaceChildren(northArrow());
    drawLegend(legend, model);
  };
}

function fixed(map, position, name) {
  const control = L.control({ position });
  control.onAdd = () => element("div", { class: name, id: name });
  control.addTo(map);
  return control.getContainer();
}

function northArrow() {
  return drawing(
    "svg", { viewBox: "0 0 30 46", width: 30, height: 46, role: "img", "aria-label": text("north") },
    drawing("path", { d: "M15 16 L23 42 L15 36 L7 42 Z", fill: "#222", stroke: "#fff", "stroke-width": 1 }),
    drawing("text", { x: 15, y: 13, "text-anchor": "middle", "font-size": 14, "font-weight": 600 }, text("north")),
  );
}

function legendTitle(model) {
  const { key, criterion } = model.colouring;
  if (key === "tier") return text("legend_tier");
  if (key === "climb") return text("colour_climb");
  if (key === "slope") return text("colour_slope");
  if (key === "year") return text("colour_year");
  return text("colour_need", inLanguage(model.page.criteria[criterion].label));
}

// One entry a class, most urgent first: label, colour, count.
function legendRows(model) {
  const { key, classes, colours, breaks, criterion } = model.colouring;
  const counts = new Array(256).fill(0);
  for (const place of classes) counts[place] += 1;
  if (key === "tier") {
    return model.page.tiers.map((tier, i) => ({ label: inLanguage(tier.label), colour: tier.colour, count: counts[i], tier }));
  }
  if (key === "year") {
    return model.colouring.bases.map((basis, i) => ({ label: text("basis_" + basis), colour: colours[i], count: counts[i] }))
      .filter(({ count }) => count > 0);
  }
  const rows = colours.map((colour, i) => {
    const words = breaks ? rangeWords(breaks, i) : needWords(model.page.criteria[criterion], i);
    return { label: words, colour, count: counts[i] };
  });
  rows.reverse();
  if (counts[MISSING]) {
    const words = text(breaks ? "missing" : "missing_stand_in");
    rows.push({ label: words, colour: MISSING_COLOUR, count: counts[MISSING] });
  }
  return rows;
}

function rangeWords(breaks, i) {
  if (i === 0) return "< " + breaks[0];
  return i === breaks.length ? "≥ " + breaks[i - 1] : breaks[i - 1] + "–" + breaks[i];
}

function needWords(item, i) {
  const at = (share) => item.none_at + share * (item.worst_at - item.none_at);
  const from = grouped(at(i / 5), item.decimals);
  const to = withUnit(at((i + 1) / 5), item.unit, item.decimals);
  return text("need_range", i * 20, i * 20 + 20) + " (" + from + "–" + to + ")";
}

function drawLegend(box, model) {
  const rows = legendRows(model);
  const hasFloor = model.colouring.key === "tier" && rows[0].tier.floor_share !== undefined;
  const isTier = model.colouring.key === "tier";
  const heads = ["", legendTitle(model), text("buildings_count")];
  if (isTier) heads.push(text("footprint_share"));
  if (hasFloor) heads.push(text("floor_share"));
  const body = rows.map(({ label: words, colour, count, tier }) => {
    const cells = [swatch(colour), words, grouped(count)];
    if (isTier) cells.push(percent(tier.footprint_share) + " %");
    if (hasFloor) cells.push(percent(tier.floor_share) + " %");
    return cells;
  });
  const thick = { stroke: "#6f7884", "stroke-width": 6 };
  const signs = [
    [swatch(OTHER_FILL), text("not_ranked")],
    [stroke([thick, { stroke: "#fdf3cf", "stroke-width": 4 }]), text("main_road_line")],
    [stroke([{ stroke: "#1f3f5b", "stroke-width": 4, "stroke-dasharray": "1.6 2.2" }]), text("steps_line")],
    [stroke([{ stroke: OUTLINE_COLOUR, "stroke-width": 2, "stroke-dasharray": "8 3 2 3" }]), text("district_line")],
    [stroke([{ stroke: "#8b744f", "stroke-width": 1.4 }]), text("contour_line", model.page.contour_interval_m)],
    ...(model.water.count ? [[swatch(WATER_FILL), text("water")]] : []),
  ].map(([sign, words]) => element("li", {}, sign, words));
  const isOpen = !box.firstChild || box.firstChild.open;
  box.replaceChildren(
    element(
      "details", isOpen ? { open: true } : {},
      element("summary", {}, text("legend"), element("span", { class: "hint" }, text("legend_hint"))),
      table(heads, body, { class: "classes" }),
      element("ul", { class: "signs" }, ...signs),
    ),
  );
}

// Scale, north arrow and buttons on the map; the legend stands beside it.
function addControls(map, model, home) {
  const zoom = L.control.zoom({ position: "topleft" }).addTo(map);
  const whole = element("a", { href: "#", role: "button", class: "home", id: "home", onclick: (event) => {
    event.preventDefault();
    home();
  } }, "⌂");
  zoom.getContainer().append(whole);
  L.control.scale({ imperial: false, maxWidth: 140, position: "bottomright" }).addTo(map);
  const north = fixed(map, "topright", "north");
  const legend = byId("legend");
  const redraw = () => {
    const [zoomIn, zoomOut] = zoom.getContainer().querySelectorAll("a");
    for (const [link, key] of [[zoomIn, "zoom_in"], [zoomOut, "zoom_out"], [whole, model.page.district ? "whole_district" : "whole_city"]]) {
      link.title = text(key);
      link.setAttribute("aria-label", text(key));
    }
    north.replaceChildren(northArrow());
    drawLegend(legend, model);
  };
  return { redraw, retell: () => { if (!retellLegend(legend, model)) drawLegend(legend, model); } };
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

// One entry a class, most urgent first, then those without a value and those without a rank.
function legendRows(model) {
  const { colours, words, none, isRising, hidesEmpty } = model.colouring;
  const { counts, areas } = classSums(model);
  const rows = colours.map((colour, i) => ({ label: words(i), colour, count: counts[i], area: areas[i] }));
  if (isRising) rows.reverse();
  if (counts[MISSING]) rows.push({ label: text(none), colour: MISSING_COLOUR, count: counts[MISSING], area: areas[MISSING] });
  if (counts[NOT_RANKED]) rows.push({ label: text("no_rank"), colour: NOT_RANKED_COLOUR, count: counts[NOT_RANKED], area: areas[NOT_RANKED] });
  return hidesEmpty ? rows.filter(({ count }) => count > 0) : rows;
}

function areaWords(area) {
  return grouped(area / 1e4, area < 1e6 ? 1 : 0);
}

function legendLines(model) {
  const rows = legendRows(model);
  const whole = rows.reduce((sum, row) => sum + row.area, 0);
  return rows.map(({ label: words, colour, count, area }) => (
    { words, colour, told: [grouped(count), areaWords(area), whole ? percent(area / whole) : "–"] }
  ));
}

// New numbers for the same classes; false if other lines are needed.
function retellLegend(box, model) {
  const lines = legendLines(model), cells = [...box.querySelectorAll("tbody td")];
  const isSame = box.dataset.key === legendKey(model) && cells.length === 5 * lines.length
    && lines.every(({ words }, i) => cells[5 * i + 1].textContent === words);
  if (!isSame) return false;
  lines.forEach(({ told }, i) => told.forEach((words, k) => {
    const cell = cells[5 * i + 2 + k];
    if (cell.textContent !== words) cell.textContent = words;
  }));
  return true;
}

function legendKey(model) {
  return [model.colouring.key, language, model.shown !== null].join();
}

function drawLegend(box, model) {
  box.dataset.key = legendKey(model);
  const isFloor = model.page.floor_known_share >= 0.8;
  const heads = ["", layerTitle(model, model.colouring.key), text("buildings_count"), text(isFloor ? "floor_area_head" : "footprint_area_head"), text("area_share_head")];
  const body = legendLines(model).map(({ words, colour, told }) => [swatch(colour), words, ...told]);
  const thick = { stroke: "#6f7884", "stroke-width": 6 };
  const signs = [
    [swatch(OTHER_FILL), text("not_ranked")],
    ...(model.page.is_parted ? [[hexSign(), text("hex_sign")]] : []),
    ...(model.shown ? [[swatch(FAINT_COLOUR), text("filtered_out")]] : []),
    [stroke([thick, { stroke: "#fdf3cf", "stroke-width": 4 }]), text("main_road_line")],
    [stroke([{ stroke: "#1f3f5b", "stroke-width": 4, "stroke-dasharray": "1.6 2.2" }]), text("steps_line")],
    [stroke([{ stroke: OUTLINE_COLOUR, "stroke-width": 2, "stroke-dasharray": "8 3 2 3" }]), text("district_line")],
    ...(model.page.estate_count ? [[stroke([{ stroke: ESTATE_COLOUR, "stroke-width": 1.4, "stroke-dasharray": "5 3" }]), text("estate_line")]] : []),
    [stroke([{ stroke: "#8b744f", "stroke-width": 1.4 }]), text("contour_line", model.page.contour_interval_m)],
    ...(model.water.count ? [[swatch(WATER_FILL), text("water")]] : []),
  ].map(([sign, words]) => element("li", {}, sign, words));
  const isOpen = !box.firstChild || box.firstChild.open;
  const hint = TEXTS[language]["hint_" + model.colouring.key.split(".")[0]] || "";
  box.replaceChildren(
    element(
      "details", isOpen ? { open: true } : {},
      element("summary", {}, text("legend"), element("span", { class: "hint" }, hint)),
      table(heads, body, { class: "classes" }),
      element("ul", { class: "signs" }, ...signs),
    ),
  );
}

function hexSign() {
  const corners = HEX_CORNERS.map(([x, y]) => `${11 + 7 * x},${7 + 7 * y}`).join(" ");
  return drawing("svg", { class: "swatch", viewBox: "0 0 22 14", "aria-hidden": "true" }, drawing("polygon", { points: corners, fill: "#fb6a4a", stroke: "#555c66" }));
}

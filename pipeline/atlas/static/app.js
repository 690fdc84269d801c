// Puts the parts together: state, language, selection, printing.
async function start(map) {
  if (typeof DecompressionStream === "undefined") {
    fail("failure_browser");
    return;
  }
  try {
    const { page, columns } = await unpack(byId("pack").textContent, Number(byId("pack").dataset.bytes));
    byId("pack").textContent = "";
    run(map, buildModel(columns, page));
  } catch (error) {
    fail("failure_data");
    throw error;
  }
}

function fail(key) {
  const box = byId("failure");
  box.hidden = false;
  box.replaceChildren(TEXTS.zh[key], element("br"), TEXTS.en[key]);
}

function run(map, model) {
  const state = { row: -1, other: -1, back: null, highlight: L.layerGroup().addTo(map) };
  const tiles = new CanvasTiles(model);
  const labels = new Labels(model);
  const panel = byId("panel");
  const actions = {
    select: (row) => {
      state.back = document.activeElement;
      show(row, -1);
      bringIntoView(map, model, row);
      panel.focus({ preventScroll: true });
    },
    step: (row, direction) => {
      show(row, -1);
      bringIntoView(map, model, row);
      panel.querySelector(`[data-step=${direction}]`).focus();
    },
    close: () => {
      show(-1, -1);
      const isThere = state.back && state.back.isConnected;
      (isThere ? state.back : map.getContainer()).focus({ preventScroll: true });
      state.back = null;
    },
  };
  const redrawControls = addControls(map, model);
  const redrawLists = addLists(map, model, actions);

  function show(row, other) {
    state.row = row;
    state.other = other;
    const isOpening = panel.hidden && (row >= 0 || other >= 0);
    panel.hidden = row < 0 && other < 0;
    drawOpenPanel();
    state.highlight.clearLayers();
    const walk = row >= 0 ? walkOf(model, row) : null;
    if (walk) markWalk(state.highlight, walk);
    if (row >= 0) markShape(state.highlight, model.ranked, row);
    else if (other >= 0) markShape(state.highlight, model.others, other);
    map.invalidateSize({ pan: false });
    if (isOpening) panel.scrollTop = 0;
  }

  function drawOpenPanel() {
    if (state.row >= 0) drawPanel(panel, model, state.row, actions);
    else if (state.other >= 0) drawOtherPanel(panel, model, state.other, actions);
    else panel.replaceChildren();
  }

  function redraw() {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    for (const node of document.querySelectorAll("[data-text]")) {
      if (node.id !== "buildings-tab") node.textContent = text(node.dataset.text);
    }
    map.getContainer().setAttribute("aria-label", text("map"));
    drawHeading(model);
    drawColourChoice(model);
    redrawControls();
    redrawLists();
    drawAbout(byId("about"), model);
    drawOpenPanel();
  }

  // What lies under the pointer: the ranked building, else another one, else a ranked one close by.
  function hit(latlng) {
    const [x, y] = toUnits(latlng);
    const reach = (5 * WORLD_UNITS) / (256 * 2 ** map.getZoom());
    const row = rowAt(model.ranked, model.grid, x, y, reach);
    if (row >= 0 && contains(model.ranked, row, x, y)) return { row, other: -1 };
    const other = rowAt(model.others, model.otherGrid, x, y, 0);
    if (other >= 0 && contains(model.others, other, x, y)) return { row: -1, other };
    return { row, other: -1 };
  }

  map.on("click", (event) => {
    const { row, other } = hit(event.latlng);
    if (row >= 0 || other >= 0) show(row, other);
  });
  map.on("mousemove", (event) => {
    const { row, other } = hit(event.latlng);
    map.getContainer().style.cursor = row >= 0 || other >= 0 ? "pointer" : "";
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) actions.close();
  });
  byId("language-button").addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    redraw();
  });
  byId("colour-by").addEventListener("change", (event) => {
    model.colouring = colouringOf(model, event.target.value);
    tiles.repaint();
    redrawControls();
  });
  byId("side-button").addEventListener("click", () => {
    byId("side").hidden = !byId("side").hidden;
    drawHeading(model);
    map.invalidateSize({ pan: false });
  });
  prepareForPrint(map, tiles, labels);

  redraw();
  map.invalidateSize({ pan: false });
  map.fitBounds(boundsOf(model), { animate: false, padding: [12, 12] });
  tiles.addTo(map);
  tiles.finish();
  labels.addTo(map);
  window.shancheng.model = model;
  window.shancheng.map = map;
  document.documentElement.dataset.readyMs = String(Math.round(performance.now()));
}

// Heading, buttons and notices.
function drawHeading(model) {
  const { page } = model;
  const city = language === "zh" ? page.city.name_zh : page.city.name_en;
  document.querySelector("#heading h1").textContent = text("heading") + " · " + city;
  const parts = [text("subheading", grouped(model.count), grouped(model.others.count))];
  if (page.scenario) parts.push(text("scenario", page.scenario));
  byId("subheading").textContent = parts.join(" · ");
  byId("language-button").textContent = text("other_language");
  byId("language-button").lang = language === "zh" ? "en" : "zh-CN";
  const isOpen = !byId("side").hidden;
  byId("side-button").textContent = text(isOpen ? "hide_side" : "show_side");
  byId("side-button").setAttribute("aria-expanded", String(isOpen));
  byId("foot").textContent = text("attribution", page.attribution.join(" · "));
  const notices = [];
  if (page.city.is_synthetic) {
    notices.push(element("p", { class: "notice synthetic" }, TEXTS.zh.synthetic + " " + TEXTS.en.synthetic));
  }
  const note = inLanguage(page.city.note);
  if (note && !model.isNoteDismissed) {
    const dismiss = () => { model.isNoteDismissed = true; drawHeading(model); window.shancheng.map.invalidateSize({ pan: false }); };
    const button = element("button", { type: "button", onclick: dismiss }, text("dismiss"));
    notices.push(element("p", { class: "notice" }, element("span", {}, note), button));
  }
  byId("notices").replaceChildren(...notices);
}

function drawColourChoice(model) {
  const choice = byId("colour-by");
  const option = (key, words) => element("option", { value: key, selected: model.colouring.key === key }, words);
  const values = [["climb", "main_road_climb_m"], ["slope", "slope_deg"]].filter(([, name]) => hasFact(model, name));
  choice.replaceChildren(
    option("tier", text("colour_tier")),
    element("optgroup", { label: text("colour_group_value") }, ...values.map(([key]) => option(key, text("colour_" + key))), option("year", text("colour_year"))),
    element("optgroup", { label: text("colour_group_need") }, ...model.page.criteria.map((item, k) => (
      option("need." + k, text("colour_need", inLanguage(item.label)))
    ))),
  );
}

function markShape(group, shapes, row) {
  for (let ring = shapes.ringStart[row]; ring < shapes.ringStart[row + 1]; ring += 1) {
    const points = [];
    for (let p = shapes.pointStart[ring]; p < shapes.pointStart[ring + 1]; p += 1) {
      points.push(toLatLng(shapes.x[p], shapes.y[p]));
    }
    points.push(points[0]);
    for (const [weight, color] of [[7, "#ffffff"], [3.5, "#0077b6"]]) {
      group.addLayer(L.polyline(points, { weight, color, opacity: 1, interactive: false }));
    }
  }
}

// The building and its walk whole, never nearer than need be.
function bringIntoView(map, model, row) {
  const walk = walkOf(model, row);
  const [x, y] = middleOf(model.ranked, row);
  if (!walk) {
    map.setView(toLatLng(x, y), Math.max(map.getZoom(), 17));
    return;
  }
  map.fitBounds(boundsOfWalk(walk).extend(toLatLng(x, y)), { maxZoom: 17, padding: [50, 50] });
}

function boundsOf(model) {
  const shapes = model.districts.count ? model.districts : model.ranked;
  let west = Infinity, north = Infinity, east = -Infinity, south = -Infinity;
  for (let i = 0; i < shapes.count; i += 1) {
    west = Math.min(west, shapes.box[4 * i]);
    north = Math.min(north, shapes.box[4 * i + 1]);
    east = Math.max(east, shapes.box[4 * i + 2]);
    south = Math.max(south, shapes.box[4 * i + 3]);
  }
  return L.latLngBounds(toLatLng(west, south), toLatLng(east, north));
}

// Paper is narrower than the screen: lay out for it first, then paint, or the edges stay white.
function prepareForPrint(map, tiles, labels) {
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = { middle: map.getCenter(), zoom: map.getZoom(), bounds: map.getBounds() };
    document.documentElement.classList.add("printing");
    map.invalidateSize({ pan: false });
    map.fitBounds(before.bounds, { animate: false });
    tiles.finish();
    tiles.repaint();
    labels.draw();
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    map.invalidateSize({ pan: false });
    if (before) map.setView(before.middle, before.zoom, { animate: false });
    tiles.finish();
  });
}

// Puts the parts together: state, language, choice, selection.
const SETTLE_DELAY_MS = 160;
const PIN_COLOUR = "#b35900";
const PICK_COLOUR = "#0077b6";

async function run(model, makeMap, unpackPart) {
  const wanted = readAddress(model);
  language = wanted.language || language;
  drawFrame(model);
  const map = makeMap();
  const state = {
    row: -1, other: -1, project: -1, pinned: -1, back: null, filters: noFilters(), hasMoved: false, isWhatIf: false,
    highlight: L.layerGroup().addTo(map),
  };
  const tiles = new CanvasTiles(model);
  const labels = new Labels(model);
  const panel = byId("panel");
  const waiting = []; // what was asked for before the later part came, in its order
  let isPlanned = false, settling = 0, grid = null, whatIf = null;
  const actions = {
    show: (row) => {
      show(row, -1);
      bringIntoView(map, model, row);
    },
    select: (row) => {
      state.back = document.activeElement;
      actions.show(row);
      panel.focus({ preventScroll: true });
    },
    step: (row, direction) => {
      actions.show(row);
      panel.querySelector(`[data-step=${direction}]`).focus();
    },
    close: () => {
      show(-1, -1);
      const isThere = state.back && state.back.isConnected;
      (isThere ? state.back : map.getContainer()).focus({ preventScroll: true });
      state.back = null;
    },
    pin: () => {
      state.pinned = state.row;
      show(state.row, -1);
      byId("pin").focus();
    },
    unpin: () => {
      state.pinned = -1;
      show(state.row, -1);
      panel.focus({ preventScroll: true });
    },
    change: (choice, isFinal) => {
      model.choice = choice;
      settle(model, choice);
      plan();
      clearTimeout(settling);
      if (isFinal) settled();
      else settling = setTimeout(settled, SETTLE_DELAY_MS);
    },
    searched: () => grid.fill(),
    listMovers: (move) => {
      state.filters = { ...noFilters(), move };
      redrawFilters();
      filtered("move");
      if (byId("dock").hidden) actions.toggleTable(true);
    },
    openArea: (area) => whenWhole(() => {
      const places = once(model, "area", () => model.columns.numbers("area"));
      const project = area.type === "estate" ? projectOf(model, places.indexOf(area.area)) : -1;
      state.back = document.activeElement;
      map.setView([area.lat, area.lon], AREA_ZOOM);
      if (project >= 0) show(-1, -1, project);
    }),
    openProject: (project) => {
      show(-1, -1, project);
      panel.focus({ preventScroll: true });
    },
    whenWhole,
    toggleTable: (isOpen) => {
      byId("dock").hidden = !isOpen;
      grid.redraw();
      drawHeading(model);
      map.invalidateSize({ pan: false });
      if (!isOpen) byId("table-button").focus();
    },
  };
  const goHome = () => fitWhole(map, model);
  const controls = addControls(map, model, goHome);
  const lists = addLists(map, model, actions);
  const redrawFilters = addFilters(model, state, (key) => whenWhole(() => filtered(key)));
  const remember = keepAddress(map, model, state, (state_) => whenWhole(() => take(state_)));

  // Map, lists, moves and table hold what the filters leave.
  function filtered(key) {
    recolour();
    if (key === "district") {
      if (state.filters.district) fitTo(map, boundsOfShown(model), 20);
      else goHome();
    }
    lists.rerank();
    whatIf.tellMoves();
    overview();
    grid.fill();
    remember();
  }

  function overview() {
    drawOverview(byId("overview"), model, (name) => {
      state.filters = { ...state.filters, district: state.filters.district === name ? "" : name };
      redrawFilters();
      whenWhole(() => filtered("district"));
    }, state.filters.district);
  }

  function whenWhole(act) {
    if (model.isWhole) act();
    else waiting.push(act);
  }

  // Ranks, facts and texts; then all that was asked for meanwhile.
  async function complete() {
    const rest = model.page.is_parted ? nextTask : async () => {};
    const { columns } = await unpackPart("pack-later", rest);
    await completeModel(model, columns, rest);
    for (const name of ["streets", "estates", "contours"]) {
      await rest();
      model[name];
    }
    tiles.tell();
    grid = addGrid(model, state, actions);
    whatIf = addWhatIf(model, actions);
    whatIf.redraw();
    lists.redraw();
    drawAbout(byId("about"), model);
    waiting.splice(0).forEach((act) => act());
    document.documentElement.dataset.wholeMs = String(Math.round(performance.now()));
  }

  // Colours and legend follow at once, everything else when the slider rests.
  function plan() {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => {
      isPlanned = false;
      recolour();
    });
  }

  function recolour() {
    model.shown = shownRows(model, state.filters);
    setColouring(model, model.colouring.key);
    tiles.repaint();
    controls.retell();
  }

  function settled() {
    labels.draw();
    if (state.isWhatIf !== !isPublished(model.page, model.choice)) redrawFilters(); // one filter more or less
    state.isWhatIf = !isPublished(model.page, model.choice);
    model.shown = shownRows(model, state.filters);
    lists.rerank();
    whatIf.tellMoves();
    overview();
    grid.fill();
    drawOpenPanel();
    drawHeading(model);
    remember();
  }

  function chooseLayer(key) {
    const isKnown = layerGroups(model).some(([, keys]) => keys.includes(key));
    setColouring(model, isKnown ? key : "tier");
    drawColourChoice(model);
  }

  function take({ choice, view, language: wanted, layer, building, pinned, filters, project: projectOfId }) {
    language = wanted || language;
    state.filters = filters;
    settle(model, choice);
    chooseLayer(layer);
    whatIf.take(choice);
    state.pinned = rowOfId(model, pinned);
    show(rowOfId(model, building), -1, projectOf(model, rowOfId(model, projectOfId)));
    redraw();
    recolour();
    if (view) map.setView(view.middle, view.zoom, { animate: false });
    state.hasMoved = Boolean(view);
  }

  function show(row, other, project = -1) {
    Object.assign(state, { row, other, project });
    const isOpen = row >= 0 || other >= 0 || project >= 0, isOpening = isOpen && (panel.hidden || project >= 0);
    panel.hidden = !isOpen;
    drawOpenPanel();
    state.highlight.clearLayers();
    const walk = row >= 0 ? walkOf(model, row) : null;
    if (walk) markWalk(state.highlight, walk);
    if (state.pinned >= 0) markShape(state.highlight, model.ranked, state.pinned, PIN_COLOUR);
    if (row >= 0) markShape(state.highlight, model.ranked, row, PICK_COLOUR);
    else if (other >= 0) markShape(state.highlight, model.others, other, PICK_COLOUR);
    else if (project >= 0) markProject(state.highlight, model, project, PICK_COLOUR);
    map.invalidateSize({ pan: false });
    for (const id of ["overview", "summary"]) byId(id).hidden = !panel.hidden;
    if (isOpening) byId("right").scrollTop = 0;
    grid.fill();
    remember();
  }

  function drawOpenPanel() {
    const isPair = state.pinned >= 0 && state.row >= 0 && state.row !== state.pinned;
    byId("right").classList.toggle("wide", isPair);
    if (isPair) drawCompare(panel, model, state.pinned, state.row, actions);
    else if (state.row >= 0) drawPanel(panel, model, state.row, actions, state.row === state.pinned);
    else if (state.other >= 0) drawOtherPanel(panel, model, state.other, actions);
    else if (state.project >= 0) drawProject(panel, model, state.project, actions);
    else panel.replaceChildren();
  }

  function redraw() {
    drawFrame(model);
    drawParts();
  }

  function drawParts() {
    map.getContainer().setAttribute("aria-label", text("map"));
    controls.redraw();
    redrawFilters();
    lists.redraw();
    overview();
    if (!model.isWhole) return;
    whatIf.redraw();
    grid.redraw();
    drawAbout(byId("about"), model);
    drawOpenPanel();
  }

  // What lies under the pointer: the scored building, else another one, else a scored one close by.
  function hit(latlng) {
    const [x, y] = toUnits(latlng);
    const reach = (5 * WORLD_UNITS) / (256 * 2 ** map.getZoom());
    const row = rowAt(model.ranked, x, y, reach);
    if (row >= 0 && contains(model.ranked, row, x, y)) return { row, other: -1 };
    const other = rowAt(model.others, x, y, 0);
    if (other >= 0 && contains(model.others, other, x, y)) return { row: -1, other };
    return { row, other: -1 };
  }

  map.on("click", (event) => {
    if (isFarOut(model, { zoom: Math.round(map.getZoom()) })) {
      map.setView(event.latlng, Math.min(PIXEL_ZOOM + 1, map.getZoom() + 2));
      return;
    }
    const { row, other } = hit(event.latlng);
    if (row >= 0 || other >= 0) whenWhole(() => show(row, other));
    else if (map.getZoom() >= ESTATE_ZOOM) whenWhole(() => {
      const project = projectAt(model, ...toUnits(event.latlng));
      if (project >= 0) show(-1, -1, project);
    });
  });
  map.on("mousemove", (event) => {
    const { row, other } = hit(event.latlng);
    map.getContainer().style.cursor = row >= 0 || other >= 0 ? "pointer" : "";
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) actions.close();
    if (event.key === "Home" && event.target === map.getContainer()) goHome();
  });
  byId("language-button").addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    redraw();
    labels.draw();
    remember();
  });
  byId("colour-by").addEventListener("change", () => whenWhole(() => {
    setColouring(model, byId("colour-by").value);
    recolour();
    remember();
  }));
  byId("side-button").addEventListener("click", () => {
    byId("side").hidden = !byId("side").hidden;
    drawHeading(model);
    map.invalidateSize({ pan: false });
  });
  byId("table-button").addEventListener("click", () => whenWhole(() => actions.toggleTable(byId("dock").hidden)));
  prepareForPrint(map, model, tiles, labels);
  Object.assign(window.shancheng, {
    model, map,
    idOf: (row) => label(model, "building_id", row),
    bandOf: (row) => bandOf(model, row),
    factOf: (name, row) => fact(model, name, row),
    placeOf: (row) => toLatLng(...middleOf(model.ranked, row)),
    fit: () => fitWhole(map, model, { animate: false }),
    isDrawn: () => tiles.isDrawn(),
    settle: (raw) => settle(model, { ...model.choice, raw }),
  });

  drawParts();
  fitWhole(map, model, { animate: false });
  keepInSight(map, model);
  const isWholeFirst = !model.page.is_parted || location.hash;
  if (isWholeFirst) await complete();
  if (location.hash) take(wanted);
  tiles.addTo(map);
  if (isWholeFirst) tiles.finish();
  else tiles.finish(map.getZoom() <= model.page.sketch_zoom ? sketchOf(model) : model, sightOf(map));
  labels.addTo(map);
  map.on("moveend", () => {
    state.hasMoved = true;
    remember();
  });
  document.documentElement.dataset.readyMs = String(Math.round(performance.now()));
  for (const name of ["ranked", "others"]) {
    await nextTask();
    model[name]; // the thread needs outlines, which take long to unpack
  }
  await nextTask();
  tiles.start(model.columns.text("script.paint"));
  if (!isWholeFirst) {
    tiles.repaint(); // whole squares, from outlines
    await nextTask();
    await complete();
    tiles.repaint();
    labels.draw();
  }
  await warm(model);
}

// All around the map that depends on the language alone.
function drawFrame(model) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-text]")) {
    if (node.id !== "buildings-tab") node.textContent = text(node.dataset.text);
  }
  drawHeading(model);
  drawPages(model.page);
  drawColourChoice(model);
}

window.shancheng.prepare = ({ page, columns }) => buildModel(columns, page);
window.shancheng.run = run;

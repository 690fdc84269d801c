// The page's state behind the # of its address, so that a link shows the same.
const ADDRESS_DELAY_MS = 250;

function readAddress(model) {
  const parts = new URLSearchParams(location.hash.slice(1));
  const choice = publishedChoice(model.page);
  for (const pair of (parts.get("w") || "").split(",")) {
    const [name, units] = pair.split(":");
    const k = model.page.criteria.findIndex((item) => item.name === name);
    if (k >= 0 && /^\d{1,5}$/.test(units || "")) choice.raw[k] = Math.min(WEIGHT_UNITS, Number(units));
  }
  if (!choice.raw.some((weight) => weight > 0)) choice.raw = publishedChoice(model.page).raw;
  const off = (parts.get("g") || "").split(",");
  choice.gates = model.page.gates.map((gate) => !off.includes(gate.key));
  const [zoom, lat, lon] = (parts.get("v") || "").split("/").map(Number);
  const isPlace = [zoom, lat, lon].every(Number.isFinite) && Math.abs(lat) < 85 && Math.abs(lon) <= 180;
  return {
    choice,
    view: isPlace ? { zoom: Math.max(9, Math.min(19, zoom)), middle: [lat, lon] } : null,
    language: parts.get("l") === "en" ? "en" : parts.get("l") === "zh" ? "zh" : null,
    layer: parts.get("c") || "tier",
    building: parts.get("i") || "",
    pinned: parts.get("p") || "",
    project: parts.get("e") || "", // by a building of it
    filters: readFilters(parts),
  };
}

function writtenAddress(map, model, state) {
  const { page, choice } = model;
  const parts = [];
  const weights = page.criteria.map((item, k) => [item.name, choice.raw[k]]).filter(([, raw], k) => raw !== page.criteria[k].weight);
  if (weights.length) parts.push("w=" + weights.map((pair) => pair.join(":")).join(","));
  const off = page.gates.filter((_, i) => !choice.gates[i]).map((gate) => gate.key);
  if (off.length) parts.push("g=" + off.join(","));
  if (model.colouring.key !== "tier") parts.push("c=" + model.colouring.key);
  if (language !== "zh") parts.push("l=" + language);
  if (state.row >= 0) parts.push("i=" + encodeURIComponent(label(model, "building_id", state.row)));
  if (state.project >= 0) parts.push("e=" + encodeURIComponent(label(model, "building_id", rowsOfProject(model, state.project)[0])));
  if (state.pinned >= 0) parts.push("p=" + encodeURIComponent(label(model, "building_id", state.pinned)));
  parts.push(...writtenFilters(state.filters));
  if (state.hasMoved) {
    const { lat, lng } = map.getCenter();
    parts.push(`v=${Number(map.getZoom().toFixed(2))}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
  }
  return parts.length ? "#" + parts.join("&") : "";
}

// Writing is put off until moves end; what was written itself is not read again.
function keepAddress(map, model, state, take) {
  let waiting = 0, own = location.hash;
  window.addEventListener("hashchange", () => {
    if (location.hash === own) return;
    own = location.hash;
    take(readAddress(model));
  });
  return () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      own = writtenAddress(map, model, state);
      if (own === location.hash) return;
      try {
        history.replaceState(null, "", own || location.pathname);
      } catch {
        location.hash = own; // some browsers let no file rewrite its address
      }
    }, ADDRESS_DELAY_MS);
  };
}

function rowOfId(model, id) {
  if (!id) return -1;
  const rows = once(model, "rows by id", () => new Map(Array.from({ length: model.count }, (_, row) => [label(model, "building_id", row), row])));
  return rows.has(id) ? rows.get(id) : -1;
}

// Where the map looks, what is outlined on it, and how it goes to paper.
function markShape(group, shapes, row, colour) {
  for (let ring = shapes.ringStart[row]; ring < shapes.ringStart[row + 1]; ring += 1) {
    const points = [];
    for (let p = shapes.pointStart[ring]; p < shapes.pointStart[ring + 1]; p += 1) {
      points.push(toLatLng(shapes.x[p], shapes.y[p]));
    }
    points.push(points[0]);
    for (const [weight, color] of [[7, "#ffffff"], [3.5, colour]]) {
      group.addLayer(L.polyline(points, { weight, color, opacity: 1, interactive: false }));
    }
  }
}

const MAP_MARGIN = 8;

function fitTo(map, bounds, margin, options) {
  map.fitBounds(bounds, { ...options, padding: [margin, margin] });
}

function fitWhole(map, model, options) {
  fitTo(map, boundsOf(model), MAP_MARGIN, options);
}

// The city cannot be lost: the map goes no further out than all of it, and no further off than its edge.
function keepInSight(map, model) {
  const bounds = boundsOf(model);
  const hold = () => {
    const whole = map.getBoundsZoom(bounds, false, L.point(2 * MAP_MARGIN, 2 * MAP_MARGIN));
    map.options.minZoom = Math.max(9, whole - 1);
  };
  map.setMaxBounds(bounds.pad(0.6));
  map.options.maxBoundsViscosity = 1;
  map.on("resize", hold);
  hold();
}

// The building and its walk whole, never nearer than need be.
function bringIntoView(map, model, row) {
  const walk = walkOf(model, row);
  const [x, y] = middleOf(model.ranked, row);
  if (!walk) {
    map.setView(toLatLng(x, y), Math.max(map.getZoom(), 17));
    return;
  }
  fitTo(map, boundsOfWalk(walk).extend(toLatLng(x, y)), 50, { maxZoom: 17 });
}

function boundsOf(model) {
  return boundsOfShapes(model.districts.count ? model.districts : model.ranked, () => true);
}

function boundsOfShown(model) {
  const isAny = model.shown.includes(1);
  return isAny ? boundsOfShapes(model.ranked, (row) => model.shown[row]) : boundsOf(model);
}

function boundsOfShapes(shapes, isMeant) {
  let west = Infinity, north = Infinity, east = -Infinity, south = -Infinity;
  for (let i = 0; i < shapes.count; i += 1) {
    if (!isMeant(i)) continue;
    west = Math.min(west, shapes.box[4 * i]);
    north = Math.min(north, shapes.box[4 * i + 1]);
    east = Math.max(east, shapes.box[4 * i + 2]);
    south = Math.max(south, shapes.box[4 * i + 3]);
  }
  return L.latLngBounds(toLatLng(west, south), toLatLng(east, north));
}

// Paper is narrower than the screen: lay out for it first, then paint, or the edges stay white.
function prepareForPrint(map, model, tiles, labels) {
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = { middle: map.getCenter(), zoom: map.getZoom(), bounds: map.getBounds() };
    document.documentElement.classList.add("printing");
    map.invalidateSize({ pan: false });
    if (before.bounds.contains(boundsOf(model))) fitWhole(map, model, { animate: false });
    else map.fitBounds(before.bounds, { animate: false });
    tiles.finish();
    labels.draw();
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    map.invalidateSize({ pan: false });
    if (before) map.setView(before.middle, before.zoom, { animate: false });
    tiles.finish();
  });
}

// The walk from a building to its nearest main road: points, lengths, and the line on the map.
const WALK_COLOUR = "#0a58ca";
const CASING_COLOUR = "#ffffff";

// Points of the tree, each a number of steps from the next one towards the road; see walks.py.
function walkTree(model) {
  return once(model, "walk tree", () => {
    const link = model.columns.numbers("tree.link");
    const [x, y, z] = ["x", "y", "z"].map((axis) => model.columns.numbers("tree." + axis));
    let root = -1;
    for (let i = 0; i < link.length; i += 1) {
      const from = link[i] === 0 ? root : i - link[i];
      if (link[i] === 0) root = i;
      if (from < 0) continue;
      x[i] += x[from];
      y[i] += y[from];
      z[i] += z[from];
    }
    return { link, x, y, z, unknown: model.columns.numbers("tree.unknown") };
  });
}

// Each building's own steps; heights of those at the road add up.
function walkStarts(model) {
  return once(model, "walk starts", () => {
    const [link, x, y, z] = ["link", "x", "y", "z"].map((name) => model.columns.numbers("walk." + name));
    let height = 0;
    for (let row = 0; row < model.count; row += 1) {
      if (link[row] !== 1) continue;
      height += z[row];
      z[row] = height;
    }
    return [x, y, z, model.columns.numbers("walk.unknown")];
  });
}

// From the street at the door to the main road: x, y in units of the map, height and distance in
// metres; the distance counts from the road. null where there is no way.
function walkOf(model, row) {
  const join = once(model, "walk.link", () => model.columns.numbers("walk.link"))[row];
  if (join === 0) return null;
  const tree = walkTree(model);
  const own = walkStarts(model).map((values) => values[row]);
  const quantum = model.page.walk_quantum;
  const place = (x, y, z, unknown) => ({
    x: x * quantum, y: y * quantum, height: unknown ? NaN : z / model.page.height_steps_per_m,
  });
  const treePlace = (i) => place(tree.x[i], tree.y[i], tree.z[i], tree.unknown[i]);
  const points = [];
  if (join === 1) {
    const [x, y] = middleOf(model.ranked, row).map((middle) => Math.floor(middle / quantum));
    points.push(place(x + own[0], y + own[1], own[2], own[3]));
  } else {
    let i = join - 2;
    points.push(place(tree.x[i] + own[0], tree.y[i] + own[1], tree.z[i] + own[2], own[3]));
    points.push(treePlace(i));
    for (; tree.link[i] !== 0; i -= tree.link[i]) points.push(treePlace(i - tree.link[i]));
  }
  const door = nearestEdgePoint(model.ranked, row, points[0].x, points[0].y);
  const metres = metresAt(points[0].y);
  let distance = 0;
  points[points.length - 1].distance = 0;
  for (let i = points.length - 2; i >= 0; i -= 1) {
    distance += Math.hypot(points[i].x - points[i + 1].x, points[i].y - points[i + 1].y) * metres;
    points[i].distance = distance;
  }
  const access = Math.hypot(points[0].x - door.x, points[0].y - door.y) * metres;
  return { points, door, length: distance + access };
}

// Metres on the ground of one unit of the map.
function metresAt(y) {
  const latitude = Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / WORLD_UNITS)));
  return (2 * Math.PI * 6378137 * Math.cos(latitude)) / WORLD_UNITS;
}

function markWalk(group, walk) {
  const along = walk.points.map(({ x, y }) => toLatLng(x, y));
  const door = toLatLng(walk.door.x, walk.door.y);
  const line = (points, style) => group.addLayer(L.polyline(points, { interactive: false, opacity: 1, ...style }));
  line([door, along[0]], { className: "walk-access", weight: 5, color: CASING_COLOUR });
  line([door, along[0]], { className: "walk-access", weight: 3, color: WALK_COLOUR, dashArray: "1 5" });
  line(along, { className: "walk-casing", weight: 9, color: CASING_COLOUR });
  line(along, { className: "walk-line", weight: 5, color: WALK_COLOUR });
  const end = (place, name, fill) => group.addLayer(L.circleMarker(place, {
    className: name, radius: 7, weight: 3.5, color: fill === CASING_COLOUR ? WALK_COLOUR : CASING_COLOUR,
    fillColor: fill, fillOpacity: 1, interactive: false, pane: "markerPane",
  }));
  end(along[along.length - 1], "walk-road", CASING_COLOUR);
  end(door, "walk-home", WALK_COLOUR);
}

function boundsOfWalk(walk) {
  return L.latLngBounds([walk.door, ...walk.points].map(({ x, y }) => toLatLng(x, y)));
}

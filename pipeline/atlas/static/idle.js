// What is done between two answers: bigger work in pieces, and what will be asked for soon ahead of it.
const IDLE_MS = 8;

// Goes on when input and frames that wait have had their turn.
function nextTask() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

function whenIdle() {
  if (!window.requestIdleCallback) return new Promise((resolve) => setTimeout(resolve, 2 * IDLE_MS));
  return new Promise((resolve) => window.requestIdleCallback(resolve));
}

// The columns of words that each building has one of; codes have runs of numbers.
function categoriesOf(columns) {
  return [...columns.later].filter((name) => columns.has(name + ".words")
    && columns.entries.get(name).runs === undefined && !/^(streets|roads|estates)/.test(name));
}

// Unpacks what the first click, search and zoom ask for.
async function warm(model) {
  const { columns, page } = model;
  const works = [
    () => gridOf(model.ranked), () => gridOf(model.others),
    () => walkTree(model), () => walkStarts(model),
    () => label(model, "building_id", 0), () => placeById(model, 0),
    () => model.streets.map(gridOf),
    ...[...columns.later].filter((name) => name.startsWith("fact.")).map((name) => () => factReader(model, name.slice(5))),
    ...page.criteria.map((item) => () => once(model, "rest." + item.name, () => columns.narrow("rest." + item.name))),
    ...categoriesOf(columns).map((name) => () => once(model, name, () => columns.categories(name))),
  ];
  let end = 0;
  for (const work of works) {
    if (performance.now() > end) {
      await whenIdle();
      end = performance.now() + IDLE_MS;
    }
    work();
  }
}

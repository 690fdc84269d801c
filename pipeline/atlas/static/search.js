// Search by id, name, estate or road, also by the first letters of their pinyin.
const SEARCHED = ["building_name", "estate_name", "road_name"];

// A test of rows: whether the id or a name holds the wanted words, or the letters begin it in pinyin.
function matcher(model, wanted) {
  const hits = SEARCHED.filter((name) => model.columns.has(name)).map((name) => {
    const { words, places } = once(model, name, () => model.columns.categories(name));
    const lower = once(model, "lower " + name, () => words.map((words_) => words_.toLowerCase()));
    const initials = once(model, "initials " + name, () => (model.columns.has(name + ".initials") ? model.columns.texts(name + ".initials") : []));
    const found = new Uint8Array(words.length + 1);
    const isLetters = /^[a-z0-9]{2,}$/.test(wanted);
    for (let i = 0; i < words.length; i += 1) {
      found[i + 1] = lower[i].includes(wanted) || (isLetters && initials[i] && initials[i].includes(wanted)) ? 1 : 0;
    }
    return { found, places };
  });
  const ids = /\d|^\w+$/.test(wanted) ? once(model, "lower ids", () => Array.from({ length: model.count }, (_, row) => label(model, "building_id", row).toLowerCase())) : null;
  return (row) => hits.some(({ found, places }) => found[places[row]]) || (ids !== null && ids[row].includes(wanted));
}

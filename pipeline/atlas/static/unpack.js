// From the base64 text in the page to typed arrays; the format is told in packing.py.
async function unpack(base64) {
  const letters = atob(base64);
  const packed = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) packed[i] = letters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const headLength = new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headLength)));
  return { page: head.page, columns: new Columns(head.columns, bytes, 4 + headLength) };
}

class Columns {
  constructor(entries, bytes, start) {
    this.entries = new Map();
    let from = start;
    for (const entry of entries) {
      this.entries.set(entry.name, { ...entry, data: bytes.subarray(from, from + entry.bytes) });
      from += entry.bytes;
    }
  }

  has(name) {
    return this.entries.has(name);
  }

  numbers(name) {
    const { count, planes, delta, quantum, data } = this.entries.get(name);
    const values = new Int32Array(count);
    let sum = 0;
    for (let i = 0; i < count; i += 1) {
      let code = data[i];
      for (let plane = 1; plane < planes; plane += 1) {
        code |= data[plane * count + i] << (8 * plane);
      }
      const value = (code >>> 1) ^ -(code & 1);
      sum = delta ? sum + value : value;
      values[i] = sum * quantum;
    }
    return values;
  }

  // Real numbers, NaN where empty.
  measures(name) {
    const { low, decimals } = this.entries.get(name);
    const stored = this.numbers(name);
    const scale = 10 ** decimals;
    const values = new Float64Array(stored.length);
    for (let i = 0; i < stored.length; i += 1) {
      values[i] = stored[i] === 0 ? NaN : (stored[i] - 1 + low) / scale;
    }
    return values;
  }

  decimals(name) {
    return this.entries.get(name).decimals;
  }

  texts(name) {
    const { lines, data } = this.entries.get(name);
    return lines === 0 ? [] : new TextDecoder().decode(data).split("\n");
  }

  // { words, places }: places[row] is 0 where empty, else 1 + the number of the word.
  categories(name) {
    return { words: this.texts(name + ".words"), places: this.numbers(name) };
  }

  // Polygons: shape → rings → points, and the box of each shape.
  polygons(name) {
    const ringStart = runningSum(this.numbers(name + ".rings"));
    const pointStart = runningSum(this.numbers(name + ".points"));
    const x = this.numbers(name + ".x");
    const y = this.numbers(name + ".y");
    const count = ringStart.length - 1;
    const box = new Int32Array(4 * count);
    for (let shape = 0; shape < count; shape += 1) {
      const from = pointStart[ringStart[shape]];
      const to = pointStart[ringStart[shape + 1]];
      setBox(box, shape, x, y, from, to);
    }
    return { count, ringStart, pointStart, x, y, box };
  }

  lines(name) {
    const pointStart = runningSum(this.numbers(name + ".points"));
    const x = this.numbers(name + ".x");
    const y = this.numbers(name + ".y");
    const count = pointStart.length - 1;
    const box = new Int32Array(4 * count);
    for (let line = 0; line < count; line += 1) {
      setBox(box, line, x, y, pointStart[line], pointStart[line + 1]);
    }
    return { count, pointStart, x, y, box };
  }
}

function runningSum(counts) {
  const sums = new Uint32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i += 1) sums[i + 1] = sums[i] + counts[i];
  return sums;
}

function setBox(box, place, x, y, from, to) {
  let west = x[from], east = west, north = y[from], south = north;
  for (let i = from + 1; i < to; i += 1) {
    if (x[i] < west) west = x[i];
    else if (x[i] > east) east = x[i];
    if (y[i] < north) north = y[i];
    else if (y[i] > south) south = y[i];
  }
  box[4 * place] = west;
  box[4 * place + 1] = north;
  box[4 * place + 2] = east;
  box[4 * place + 3] = south;
}

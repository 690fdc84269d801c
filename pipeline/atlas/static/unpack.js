// From the text in the page to typed arrays; the format is told in packing.py.
const CORNERED = 4;
const LETTERS = Array.from({ length: 127 }, (_, i) => i + 1).filter((code) => !"\r<&{".includes(String.fromCharCode(code)));
const DIGITS = /\u0002([1-9])/;
const PIECE_BYTES = 1 << 18;

// `rest` is awaited between pieces, so that the page can answer while a long pack is unpacked.
async function unpack(letters, byteCount, rest) {
  const packed = fromLetters(letters, byteCount);
  const bytes = await inflate(packed, rest);
  const headLength = new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headLength)));
  return { page: head.page, columns: new Columns(head.columns, bytes, 4 + headLength) };
}

// Seven letters for six bytes, high places first; what is left over at the end is filling.
function fromLetters(letters, byteCount) {
  const place = new Uint8Array(256), base = LETTERS.length, base4 = base ** 4;
  LETTERS.forEach((code, i) => { place[code] = i; });
  const end = Math.ceil(byteCount / 6) * 6;
  if (letters.length < (end / 6) * 7) throw new Error("the page is not whole");
  const codes = new TextEncoder().encode(letters);
  const bytes = new Uint8Array(end);
  for (let at = 0, from = 0; at < end; at += 6, from += 7) {
    const high = (place[codes[from]] * base + place[codes[from + 1]]) * base + place[codes[from + 2]];
    const low = ((place[codes[from + 3]] * base + place[codes[from + 4]]) * base + place[codes[from + 5]]) * base + place[codes[from + 6]];
    const whole = high * base4 + low;
    const top = Math.floor(whole / 0x1000000), bottom = whole - top * 0x1000000;
    bytes[at] = top >>> 16;
    bytes[at + 1] = top >>> 8;
    bytes[at + 2] = top;
    bytes[at + 3] = bottom >>> 16;
    bytes[at + 4] = bottom >>> 8;
    bytes[at + 5] = bottom;
  }
  return bytes.subarray(0, byteCount);
}

// The end of a gzip tells how long it becomes.
async function inflate(packed, rest) {
  const size = new DataView(packed.buffer, packed.byteOffset + packed.length - 4).getUint32(0, true);
  const bytes = new Uint8Array(size);
  const { readable, writable } = new DecompressionStream("gzip");
  const fed = feed(writable.getWriter(), packed, rest);
  fed.catch(() => {}); // the reader tells of it too
  const reader = readable.getReader();
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes.set(value, at);
    at += value.length;
  }
  await fed;
  if (at !== size) throw new Error("the page is not whole");
  return bytes;
}

async function feed(writer, packed, rest) {
  for (let from = 0; from < packed.length; from += PIECE_BYTES) {
    await writer.write(packed.subarray(from, from + PIECE_BYTES));
    if (rest) await rest();
  }
  await writer.close();
}

class Columns {
  constructor(entries, bytes, start) {
    this.entries = new Map();
    this.later = new Set();
    let from = start;
    for (const entry of entries) {
      this.entries.set(entry.name, { ...entry, data: bytes.subarray(from, from + entry.bytes) });
      from += entry.bytes;
    }
  }

  // Also of columns that are still to come.
  has(name) {
    return this.entries.has(name) || this.later.has(name);
  }

  expect(names) {
    this.later = new Set(names);
  }

  add({ entries }) {
    for (const [name, entry] of entries) this.entries.set(name, entry);
  }

  numbers(name) {
    const { count, planes, delta, quantum, data, values: listed } = this.entries.get(name);
    const values = new Int32Array(count);
    for (let i = 0, sum = 0; i < count; i += 1) {
      let code = data[i];
      if (planes > 1) {
        code |= data[count + i] << 8;
        if (planes > 2) code |= data[2 * count + i] << 16;
        if (planes > 3) code |= data[3 * count + i] << 24;
      }
      const value = (code >>> 1) ^ -(code & 1);
      sum = delta ? (sum + value) | 0 : value;
      values[i] = sum;
    }
    if (listed) for (let i = 0; i < count; i += 1) values[i] = listed[values[i]];
    else if (quantum !== 1) for (let i = 0; i < count; i += 1) values[i] *= quantum;
    return values;
  }

  // The same in the narrowest array that holds them.
  narrow(name) {
    const values = this.numbers(name);
    let low = 0, high = 0;
    for (let i = 0; i < values.length; i += 1) {
      if (values[i] < low) low = values[i];
      else if (values[i] > high) high = values[i];
    }
    if (low >= 0 && high < 256) return Uint8Array.from(values);
    return low >= -32768 && high < 32768 ? Int16Array.from(values) : values;
  }

  // Real numbers: a function from row to value, NaN where empty; `expected` are whole numbers that
  // some columns tell the distance from.
  measures(name, expected) {
    const { low, decimals, expected: isOff } = this.entries.get(name);
    const stored = this.narrow(name);
    const scale = 10 ** decimals;
    return (row) => {
      const code = stored[row] - 1;
      if (code < 0) return NaN;
      return (isOff ? expected[row] + ((code >>> 1) ^ -(code & 1)) : code + low) / scale;
    };
  }

  decimals(name) {
    return this.entries.get(name).decimals;
  }

  texts(name) {
    const { lines, data } = this.entries.get(name);
    return lines === 0 ? [] : new TextDecoder().decode(data).split("\n");
  }

  text(name) {
    return new TextDecoder().decode(this.entries.get(name).data);
  }

  // { words, places }: places[row] is 0 where empty, else 1 + the number of the word.
  categories(name) {
    return { words: this.texts(name + ".words"), places: this.numbers(name) };
  }

  // Texts whose numbers are packed apart: a function from row to text.
  codes(name) {
    const { words, places } = this.categories(name);
    const numbers = Array.from({ length: this.entries.get(name).runs }, (_, i) => this.numbers(name + "." + i));
    const patterns = words.map((word) => word.split(DIGITS)); // words and widths in turn
    const reader = (row) => {
      const pattern = patterns[places[row] - 1];
      let found = pattern[0];
      for (let i = 1; i < pattern.length; i += 2) {
        found += String(numbers[(i - 1) / 2][row]).padStart(Number(pattern[i]), "0") + pattern[i + 1];
      }
      return found;
    };
    reader.keys = patterns.length === 1 ? joinedNumbers(numbers, patterns[0]) : null;
    return reader;
  }

  // Polygons: shape → rings → points, and the box of each shape.
  polygons(name) {
    const ringStart = runningSum(this.numbers(name + ".rings"));
    return { ringStart, ...this.paths(name, ringStart) };
  }

  // The box of each polygon as if it were its first point.
  firstPoints(name) {
    const rings = this.numbers(name + ".rings"), { grid } = this.entries.get(name + ".points");
    const [x0, y0] = ["x0", "y0"].map((part) => this.numbers(name + "." + part));
    const box = new Int32Array(4 * rings.length);
    for (let i = 0, ring = 0; i < rings.length; ring += rings[i], i += 1) {
      box[4 * i] = box[4 * i + 2] = x0[ring] * grid;
      box[4 * i + 1] = box[4 * i + 3] = y0[ring] * grid;
    }
    return box;
  }

  lines(name) {
    return this.paths(name, null);
  }

  // Points of rings or lines, and the box of each shape, which is `start` of them or one.
  paths(name, start) {
    const pointStart = runningSum(this.numbers(name + ".points"));
    const { grid, closed } = this.entries.get(name + ".points");
    const [x0, y0, xs, ys, x1, y1] = ["x0", "y0", "x", "y", "x1", "y1"].map((part) => this.numbers(name + "." + part));
    const x = new Int32Array(pointStart[pointStart.length - 1]), y = new Int32Array(x.length);
    if (closed) {
      const [across, missX, missY] = ["across", "miss_x", "miss_y"].map((part) => this.numbers(name + "." + part));
      turnRings(x, y, pointStart, { x0, y0, xs, ys, x1, y1, across, missX, missY });
    } else {
      runLines(x, y, pointStart, { x0, y0, xs, ys });
    }
    for (let p = 0; p < x.length; p += 1) {
      x[p] *= grid;
      y[p] *= grid;
    }
    const count = (start || pointStart).length - 1;
    const box = new Int32Array(4 * count);
    for (let i = 0; i < count; i += 1) {
      setBox(box, i, x, y, pointStart[start ? start[i] : i], pointStart[start ? start[i + 1] : i + 1]);
    }
    return { count, pointStart, x, y, box };
  }
}

// The numbers of each row as one; null where they have more digits than a number holds.
function joinedNumbers(numbers, pattern) {
  const widths = pattern.filter((_, i) => i % 2).map(Number);
  if (!widths.length || widths.reduce((sum, width) => sum + width, 0) > 15) return null;
  const keys = new Float64Array(numbers[0].length);
  numbers.forEach((run, i) => {
    const scale = 10 ** widths[i];
    for (let row = 0; row < keys.length; row += 1) keys[row] = keys[row] * scale + run[row];
  });
  return keys;
}

function runLines(x, y, pointStart, { x0, y0, xs, ys }) {
  for (let line = 0, step = 0, began = 0; line + 1 < pointStart.length; line += 1) {
    const from = pointStart[line], to = pointStart[line + 1];
    if (from === to) continue;
    x[from] = x0[began];
    y[from] = y0[began];
    began += 1;
    for (let p = from + 1; p < to; p += 1, step += 1) {
      x[p] = x[p - 1] + xs[step];
      y[p] = y[p - 1] + ys[step];
    }
  }
}

// First point, first step, turns across the step before, and the last corner from where a right
// angle puts it, as mercator.py calculates it.
function turnRings(x, y, pointStart, { x0, y0, xs, ys, x1, y1, across, missX, missY }) {
  for (let ring = 0, began = 0, step = 0, turn = 0, ended = 0; ring + 1 < pointStart.length; ring += 1) {
    const from = pointStart[ring], to = pointStart[ring + 1];
    if (from === to) continue;
    x[from] = x0[began];
    y[from] = y0[began];
    began += 1;
    const hasCorner = to - from >= CORNERED, end = hasCorner ? to - 1 : to;
    if (from + 1 < end) {
      x[from + 1] = x[from] + xs[step];
      y[from + 1] = y[from] + ys[step];
      step += 1;
    }
    for (let p = from + 2; p < end; p += 1, turn += 1) {
      const bx = x[p - 1] - x[p - 2], by = y[p - 1] - y[p - 2];
      const length = Math.max(Math.sqrt(bx * bx + by * by), 1);
      x[p] = x[p - 1] + Math.floor((across[turn] * -by) / length + 0.5) + missX[turn];
      y[p] = y[p - 1] + Math.floor((across[turn] * bx) / length + 0.5) + missY[turn];
    }
    if (!hasCorner) continue;
    const sideX = x[from + 1] - x[from], sideY = y[from + 1] - y[from];
    const gapX = x[from] - x[end - 1], gapY = y[from] - y[end - 1];
    const along = (gapX * sideX + gapY * sideY) / Math.max(sideX * sideX + sideY * sideY, 1);
    x[end] = Math.floor(x[end - 1] + along * sideX + 0.5) + x1[ended];
    y[end] = Math.floor(y[end - 1] + along * sideY + 0.5) + y1[ended];
    ended += 1;
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

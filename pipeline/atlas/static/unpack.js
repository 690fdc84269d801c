// From the text in the page to typed arrays; the format is told in packing.py.
const CORNERED = 4;
const LETTERS = Array.from({ length: 127 }, (_, i) => i + 1).filter((code) => !"\r<&{".includes(String.fromCharCode(code)));
const DIGITS = /\u0002([1-9])/g;

async function unpack(letters, byteCount) {
  const packed = fromLetters(letters, byteCount);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const headLength = new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headLength)));
  return { page: head.page, columns: new Columns(head.columns, bytes, 4 + headLength) };
}

// Seven letters for six bytes, high places first; what is left over at the end is filling.
function fromLetters(letters, byteCount) {
  const place = new Uint8Array(128);
  LETTERS.forEach((code, i) => { place[code] = i; });
  const groups = Math.ceil(byteCount / 6), base = LETTERS.length;
  if (letters.length < groups * 7) throw new Error("the page is not whole");
  const bytes = new Uint8Array(groups * 6);
  for (let group = 0, from = 0, at = 0; group < groups; group += 1) {
    let high = 0, low = 0;
    for (let i = 0; i < 3; i += 1, from += 1) high = high * base + place[letters.charCodeAt(from)];
    for (let i = 0; i < 4; i += 1, from += 1) low = low * base + place[letters.charCodeAt(from)];
    const whole = high * base ** 4 + low;
    const top = Math.floor(whole / 0x1000000), bottom = whole - top * 0x1000000;
    bytes[at] = top >>> 16;
    bytes[at + 1] = top >>> 8;
    bytes[at + 2] = top;
    bytes[at + 3] = bottom >>> 16;
    bytes[at + 4] = bottom >>> 8;
    bytes[at + 5] = bottom;
    at += 6;
  }
  return bytes.subarray(0, byteCount);
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
    const { count, planes, delta, quantum, data, values: listed } = this.entries.get(name);
    const values = new Int32Array(count);
    let sum = 0;
    for (let i = 0; i < count; i += 1) {
      let code = data[i];
      for (let plane = 1; plane < planes; plane += 1) {
        code |= data[plane * count + i] << (8 * plane);
      }
      const value = (code >>> 1) ^ -(code & 1);
      sum = delta ? sum + value : value;
      values[i] = listed ? listed[sum] : sum * quantum;
    }
    return values;
  }

  // Real numbers, NaN where empty; `expected` are whole numbers that some columns tell the distance from.
  measures(name, expected) {
    const { low, decimals, expected: isOff } = this.entries.get(name);
    const stored = this.numbers(name);
    const scale = 10 ** decimals;
    const values = new Float64Array(stored.length);
    for (let i = 0; i < stored.length; i += 1) {
      const code = stored[i] - 1;
      const whole = isOff ? expected[i] + ((code >>> 1) ^ -(code & 1)) : code + low;
      values[i] = stored[i] === 0 ? NaN : whole / scale;
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
    return (row) => {
      let run = -1;
      return words[places[row] - 1].replace(DIGITS, (_, width) => {
        run += 1;
        return String(numbers[run][row]).padStart(Number(width), "0");
      });
    };
  }

  // Polygons: shape → rings → points, and the box of each shape.
  polygons(name) {
    const ringStart = runningSum(this.numbers(name + ".rings"));
    return { ringStart, ...this.paths(name, ringStart) };
  }

  lines(name) {
    return this.paths(name, null);
  }

  // Points of rings or lines, and the box of each shape, which is `start` of them or one.
  paths(name, start) {
    const pointStart = runningSum(this.numbers(name + ".points"));
    const { grid, closed } = this.entries.get(name + ".points");
    const [x0, y0, xs, ys, x1, y1] = ["x0", "y0", "x", "y", "x1", "y1"].map((part) => this.numbers(name + "." + part));
    const [across, missX, missY] = ["across", "miss_x", "miss_y"].map((part) => (closed ? this.numbers(name + "." + part) : null));
    const x = new Int32Array(pointStart[pointStart.length - 1]), y = new Int32Array(x.length);
    let step = 0, turn = 0, began = 0, ended = 0;
    for (let path = 0; path + 1 < pointStart.length; path += 1) {
      const from = pointStart[path], to = pointStart[path + 1];
      if (from === to) continue;
      x[from] = x0[began];
      y[from] = y0[began];
      began += 1;
      const hasCorner = closed && to - from >= CORNERED;
      for (let p = from + 1; p < (hasCorner ? to - 1 : to); p += 1) {
        if (closed && p > from + 1) {
          const bx = x[p - 1] - x[p - 2], by = y[p - 1] - y[p - 2];
          const length = Math.max(Math.sqrt(bx * bx + by * by), 1);
          x[p] = x[p - 1] + Math.floor((across[turn] * -by) / length + 0.5) + missX[turn];
          y[p] = y[p - 1] + Math.floor((across[turn] * bx) / length + 0.5) + missY[turn];
          turn += 1;
          continue;
        }
        x[p] = x[p - 1] + xs[step];
        y[p] = y[p - 1] + ys[step];
        step += 1;
      }
      if (hasCorner) {
        [x[to - 1], y[to - 1]] = squareCorner(x, y, from, to - 1);
        x[to - 1] += x1[ended];
        y[to - 1] += y1[ended];
        ended += 1;
      }
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

// Where the last corner of a ring lies if its angles are right, as mercator.py calculates it.
function squareCorner(x, y, first, last) {
  const sideX = x[first + 1] - x[first], sideY = y[first + 1] - y[first];
  const gapX = x[first] - x[last - 1], gapY = y[first] - y[last - 1];
  const along = (gapX * sideX + gapY * sideY) / Math.max(sideX * sideX + sideY * sideY, 1);
  return [Math.floor(x[last - 1] + along * sideX + 0.5), Math.floor(y[last - 1] + along * sideY + 0.5)];
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

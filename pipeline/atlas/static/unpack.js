// From the text in the page to typed arrays; the format is told in packing.py.
const LETTER_BITS = 13;
const LETTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter((letter) => !"&<{".includes(letter));
const DIGITS = /\u0002([1-9])/g;

async function unpack(letters, byteCount) {
  const packed = fromLetters(letters, byteCount);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const headLength = new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headLength)));
  return { page: head.page, columns: new Columns(head.columns, bytes, 4 + headLength) };
}

// Two letters for thirteen bits; what is left over at the end is filling.
function fromLetters(letters, byteCount) {
  const place = new Uint8Array(128);
  LETTERS.forEach((letter, i) => { place[letter.charCodeAt(0)] = i; });
  if (letters.length * LETTER_BITS < byteCount * 16) throw new Error("the page is not whole");
  const bytes = new Uint8Array(byteCount);
  let held = 0, count = 0, at = 0;
  for (let i = 0; i + 1 < letters.length; i += 2) {
    held = (held << LETTER_BITS) | (place[letters.charCodeAt(i)] * LETTERS.length + place[letters.charCodeAt(i + 1)]);
    count += LETTER_BITS;
    while (count >= 8) {
      count -= 8;
      bytes[at] = held >>> count;
      at += 1;
    }
    held &= (1 << count) - 1;
  }
  return bytes;
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
    const { grid } = this.entries.get(name + ".points");
    const [x, y] = ["x", "y"].map((axis) => {
      const first = this.numbers(name + "." + axis + "0"), steps = this.numbers(name + "." + axis);
      const values = new Int32Array(first.length + steps.length);
      let step = 0, began = 0;
      for (let path = 0; path + 1 < pointStart.length; path += 1) {
        if (pointStart[path] === pointStart[path + 1]) continue;
        values[pointStart[path]] = first[began] * grid;
        began += 1;
        for (let p = pointStart[path] + 1; p < pointStart[path + 1]; p += 1) {
          values[p] = values[p - 1] + steps[step] * grid;
          step += 1;
        }
      }
      return values;
    });
    const count = (start || pointStart).length - 1;
    const box = new Int32Array(4 * count);
    for (let i = 0; i < count; i += 1) {
      setBox(box, i, x, y, pointStart[start ? start[i] : i], pointStart[start ? start[i + 1] : i + 1]);
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

// Points as pixels of an image: a canvas takes several times as long to draw 10,000 small pictures as this takes for
// 100,000, and no graphics card is needed.

// "#rrggbb" as a pixel of an image, whose lowest byte is red.
export function pixelOf(colour) {
  const number = Number.parseInt(colour.slice(1), 16);
  return (0xff000000 | ((number & 0xff) << 16) | (number & 0xff00) | (number >> 16)) >>> 0;
}

// An image with a margin of `margin` pixels, in which a marker may end, so that none is cut while it is drawn.
export function makeRaster(width, height, margin) {
  const [wide, high] = [width + 2 * margin, height + 2 * margin];
  const pixels = new Uint32Array(wide * high);
  return { margin, wide, high, pixels, bytes: new Uint8ClampedArray(pixels.buffer) };
}

// A marker as the pixels that it covers, for images `wide` pixels wide, with the opacity `alpha`; `data` and `width`
// are those of the ImageData of a square picture of it.
export function stampOf({ data, width }, alpha, wide) {
  const covered = [];
  for (let i = 0; i < width * width; i++) {
    const cover = Math.round((data[4 * i + 3] * alpha * 256) / 255);
    if (cover) covered.push([i, cover]);
  }
  const stamp = { size: width };
  for (const name of ["offset", "redBlue", "green", "rest"]) stamp[name] = new Int32Array(covered.length);
  for (const [n, [i, cover]] of covered.entries()) {
    stamp.offset[n] = Math.floor(i / width) * wide + (i % width);
    stamp.redBlue[n] = Math.imul((data[4 * i + 2] << 16) | data[4 * i], cover);
    stamp.green[n] = data[4 * i + 1] * cover;
    stamp.rest[n] = 256 - cover;
  }
  return stamp;
}

// Stamps the rows for which `counts(row)` is true, in their order: a point x, y at the pixel left + x · unit,
// top - y · unit of the image without its margin. `stamps` has one by code.
export function stampRows(raster, rows, points, codes, stamps, { left, top, unit }, counts) {
  const { margin, wide, high, pixels } = raster;
  for (let n = 0; n < rows.length; n++) {
    const row = rows[n];
    const stamp = stamps.get(codes[row]);
    if (!stamp || !counts(row)) continue;
    const { size, offset, redBlue, green, rest } = stamp;
    const x = Math.round(left + points[4 * row] * unit - size / 2) + margin;
    const y = Math.round(top - points[4 * row + 1] * unit - size / 2) + margin;
    if (x < 0 || y < 0 || x + size > wide || y + size > high) continue;
    const at = y * wide + x;
    for (let i = 0; i < offset.length; i++) {
      const to = at + offset[i];
      const under = pixels[to];
      const mixed = (redBlue[i] + Math.imul(under & 0xff00ff, rest[i])) >>> 8; // red and blue in one go
      pixels[to] = 0xff000000 | (mixed & 0xff00ff) | ((green[i] + ((under >>> 8) & 0xff) * rest[i]) & 0xff00);
    }
  }
}

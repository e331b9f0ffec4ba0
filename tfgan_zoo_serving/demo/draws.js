// The latents and labels of `model.generate`, from a seed: tfgan_zoo_serving/draws.py in JavaScript.
// Philox4x32-10 (Salmon et al. 2011, Sec. 3.3), and Box & Muller 1958. The tests hold both against each other.

const GENERATE = 0x7B0663BB, LABELS = 0x1ABE15; // the purposes of latents and of labels
const BLOCK = 256; // rows of one seed
const TENSORFLOW_KEY = [0x3EC8F720, 0x02461E29]; // under which TensorFlow scrambles a stateless seed

const high = (a, b) => Number((BigInt(a) * BigInt(b)) >> 32n);

export function philox([c0, c1, c2, c3], [k0, k1]) {
  for (let round = 0; round < 10; round++) {
    [c0, c1, c2, c3] = [
      (high(0xCD9E8D57, c2) ^ c1 ^ k0) >>> 0, Math.imul(0xCD9E8D57, c2) >>> 0,
      (high(0xD2511F53, c0) ^ c3 ^ k1) >>> 0, Math.imul(0xD2511F53, c0) >>> 0,
    ];
    [k0, k1] = [(k0 + 0x9E3779B9) >>> 0, (k1 + 0xBB67AE85) >>> 0];
  }
  return [c0, c1, c2, c3];
}

function bits(count, [a, b]) {
  const words = [a >>> 0, a < 0 ? 0xFFFFFFFF : 0, b >>> 0, b < 0 ? 0xFFFFFFFF : 0]; // two integers of 64 bits
  const [k0, k1, c2, c3] = philox(words, TENSORFLOW_KEY), drawn = [];
  for (let block = 0; drawn.length < count; block++) drawn.push(...philox([block, 0, c2, c3], [k0, k1]));
  return drawn.slice(0, count);
}

const fractions = (count, seed) => bits(count, seed).map((word) => (word >>> 8) * 2 ** -24); // exact in float32
const uniform = (count, seed, low, top) => {
  const width = Math.fround(top - low);
  return fractions(count, seed).map((u) => Math.fround(Math.fround(low) + Math.fround(width * u)));
};

function normal(rows, width, seed) {
  const even = 2 * Math.ceil(width / 2), u = fractions(rows * even, seed);
  return Array.from({length: rows * width}, (_, at) => {
    const pair = Math.floor(at / width) * even + 2 * Math.floor((at % width) / 2);
    const radius = Math.sqrt(-2 * Math.log(1 - u[pair])), angle = 2 * Math.PI * u[pair + 1];
    return Math.fround(radius * ((at % width) % 2 ? Math.sin(angle) : Math.cos(angle)));
  });
}

function drawn(prior, rows, width, seed) {
  if (prior.class === "Normal") return normal(rows, width, seed).map((z) => Math.fround(Math.fround(prior.stddev) * z));
  if (prior.class === "Uniform") return uniform(rows * width, seed, prior.low, prior.high);
  const codes = prior.categorical.reduce((sum, values) => sum + values, prior.continuous), free = width - codes;
  const folded = (number) => [bits(1, seed)[0] | 0, number];
  const noise = drawn(prior.noise, rows, free, seed), chosen = prior.categorical.map(
    (values, index) => uniform(rows, folded(1 + index), 0, values).map(Math.floor));
  const continuous = uniform(rows * prior.continuous, folded(0), -1, 1);
  return Array.from({length: rows}, (_, row) => [
    ...noise.slice(row * free, (row + 1) * free),
    ...prior.categorical.flatMap((values, i) => Array.from({length: values}, (_, k) => +(k === chosen[i][row]))),
    ...continuous.slice(row * prior.continuous, (row + 1) * prior.continuous),
  ]).flat();
}

/** Float32Array of num_images * latent_dim, row by row; row i depends on (seed, i) alone. */
export function latents(prior, rows, width, seed) {
  const all = [];
  for (let first = 0, block = 0; first < rows; first += BLOCK, block++) {
    const own = block ? [bits(1, [seed, GENERATE])[0] | 0, block] : [seed, GENERATE];
    all.push(...drawn(prior, Math.min(BLOCK, rows - first), width, own));
  }
  return Float32Array.from(all);
}

/** Int32Array of the labels that `generate` draws where none are given. */
export const labels = (rows, classes, seed) => Int32Array.from(uniform(rows, [seed, LABELS], 0, classes).map(Math.floor));

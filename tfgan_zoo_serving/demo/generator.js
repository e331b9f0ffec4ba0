// An exported generator in a web page: its card, its LiteRT file of one image, and the draws of `model.generate`.

import {loadAndCompile, loadLiteRt, Tensor} from "@litertjs/core";
import * as draws from "./draws.js";

const FORMATS = ["tflite_batch1", "tflite_float16_batch1", "tflite_dynamic_range_batch1", "tflite_int8_batch1"];

/** The generator of the export above this page: {card, format, latents, labels, draw, generate}. */
export async function load() {
  const card = await (await fetch("../card.json")).json(), {model, formats} = card;
  const format = FORMATS.find((name) => name in formats);
  await loadLiteRt("./vendor/core/wasm/", {threads: false, jspi: false});
  const network = await loadAndCompile(`../${formats[format].path}`, {accelerator: "wasm"});
  const count = model.image_shape.reduce((product, size) => product * size, 1);

  /** One image, Float32Array (height * width * channels) in [-1, 1]. */
  async function draw(latents, label) {
    if (latents.length !== model.latent_dim || !latents.every(Number.isFinite)) {
      throw new RangeError(`latents: give ${model.latent_dim} finite numbers.`);
    }
    const inputs = {latents: new Tensor(Float32Array.from(latents), [1, model.latent_dim])};
    if (model.num_classes !== null) {
      if (!Number.isInteger(label) || label < 0 || label >= model.num_classes) {
        throw new RangeError(`label ${label}: give an integer from 0 to ${model.num_classes - 1}.`);
      }
      inputs.labels = new Tensor(Int32Array.of(label), [1]);
    }
    const {images} = await network.run("serving_default", inputs);
    const pixels = Float32Array.from(await images.data());
    for (const tensor of [...Object.values(inputs), images]) tensor.delete();
    if (pixels.length !== count) throw new Error(`The file gives ${pixels.length} numbers instead of ${count}.`);
    return pixels;
  }

  function checked(numImages, seed) {
    if (!Number.isInteger(numImages) || numImages < 1) throw new RangeError(`${numImages} images: ask for at least 1.`);
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 31) {
      throw new RangeError(`seed ${seed}: give an integer from 0 to 2147483647.`);
    }
  }

  /** The latents of the first images of a seed, one Float32Array each. */
  function latents(numImages, seed) {
    checked(numImages, seed);
    const all = draws.latents(model.prior, numImages, model.latent_dim, seed);
    return Array.from({length: numImages}, (_, row) => all.slice(row * model.latent_dim, (row + 1) * model.latent_dim));
  }

  /** The classes that `generate` draws where none are given; undefined for each image of a model without classes. */
  function labels(numImages, seed) {
    checked(numImages, seed);
    return model.num_classes === null ? Array(numImages).fill() : [...draws.labels(numImages, model.num_classes, seed)];
  }

  /** The images of model.generate(numImages, labels, seed), one Float32Array each. */
  async function generate(numImages, seed, told = labels(numImages, seed)) {
    const images = [];
    for (const [row, z] of latents(numImages, seed).entries()) images.push(await draw(z, told[row]));
    return images;
  }

  return {card, format, latents, labels, draw, generate};
}

// An exported generator in a web page: its card, its LiteRT file of one image, and the draws of `model.generate`.

import {loadAndCompile, loadLiteRt, Tensor} from "@litertjs/core";
import * as draws from "./draws.js";

const FORMATS = ["tflite_batch1", "tflite_float16_batch1", "tflite_dynamic_range_batch1", "tflite_int8_batch1"];

const UNIFORM = {class: "Uniform", low: 0, high: 1}; // of what a translator draws beside its pictures

/** The generator of the export above this page: {card, format, latents, labels, draw, generate}, or translate, of. */
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
    return of({latents}, label);
  }

  /** The image of what one starts from, by the file's names: arrays of numbers; and its label or its attributes. */
  async function of(start, told) {
    const inputs = {};
    for (const [name, values] of Object.entries(start)) {
      const shape = model.start?.[name] ?? [model.latent_dim];
      inputs[name] = new Tensor(Float32Array.from(values), [1, ...shape]);
    }
    if (model.num_classes !== null) {
      if (!Number.isInteger(told) || told < 0 || told >= model.num_classes) {
        throw new RangeError(`label ${told}: give an integer from 0 to ${model.num_classes - 1}.`);
      }
      inputs.labels = new Tensor(Int32Array.of(told), [1]);
    } else if (model.attribute_names) {
      const names = model.attribute_names;
      if (told?.length !== names.length || !told.every((value) => value >= 0 && value <= 1)) {
        throw new RangeError(`attributes ${told}: give ${names.length} numbers from 0 to 1: ${names.join(", ")}.`);
      }
      inputs.attributes = new Tensor(Float32Array.from(told), [1, names.length]);
    }
    const {images} = await network.run("serving_default", inputs);
    const pixels = Float32Array.from(await images.data());
    for (const tensor of [...Object.values(inputs), images]) tensor.delete();
    if (pixels.length !== count) throw new Error(`The file gives ${pixels.length} numbers instead of ${count}.`);
    return pixels;
  }

  /** The translation of a picture, Float32Array in [-1, 1], as model.translate gives it for one alone. */
  function translate(sources, told, seed = 0) {
    checked(1, seed);
    const {sources: shape, ...others} = model.start, size = shape.reduce((product, side) => product * side, 1);
    if (sources.length !== size || !sources.every((value) => Math.abs(value) <= 1.001)) {
      throw new RangeError(`sources: give ${size} numbers from -1 to 1 (${shape.join(" x ")}).`);
    }
    const start = {sources};
    for (const [name, [width]] of Object.entries(others)) start[name] = draws.latents(UNIFORM, 1, width, seed);
    return of(start, told);
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

  return model.translates ? {card, format, translate, of} : {card, format, latents, labels, draw, generate};
}

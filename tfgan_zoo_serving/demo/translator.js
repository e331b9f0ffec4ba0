// The page of an export that translates: a picture from a file or the camera, and what the model makes of it.

/** The largest window of a model's proportions in the middle of a picture: [left, top, width, height] in pixels. */
export function middle(width, height, [rows, columns]) {
  const scale = Math.min(width / columns, height / rows), size = [columns * scale, rows * scale];
  return [(width - size[0]) / 2, (height - size[1]) / 2, ...size];
}

/** Bytes RGBA as floats in [-1, 1] of so many channels; grey as ITU-R 601 has it, in Pillow's whole numbers. */
export function floats(bytes, channels) {
  const pixels = new Float32Array(bytes.length / 4 * channels);
  for (let pixel = 0; pixel < bytes.length / 4; pixel++) {
    const [red, green, blue] = bytes.subarray(4 * pixel, 4 * pixel + 3);
    const grey = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
    const levels = channels < 3 ? [grey] : [red, green, blue, 255];
    for (let channel = 0; channel < channels; channel++) pixels[pixel * channels + channel] = levels[channel] / 127.5 - 1;
  }
  return pixels;
}

/** A sentence for what a browser throws where it gives no camera. */
export function withoutCamera(error) {
  const reasons = {
    NotAllowedError: "The camera was refused: allow it in this page's settings, or choose a picture.",
    NotFoundError: "There is no camera here: choose a picture.",
    NotReadableError: "The camera is in use elsewhere: end that, or choose a picture.",
  };
  return new Error(reasons[error.name] ?? `The camera gives no picture (${error.message}): choose one.`);
}

/** A picture that a browser can draw, cut and resized to a model's sources: Float32Array in [-1, 1]. */
function seen(source, width, height, [rows, columns, channels]) {
  let [left, top, wide, high] = middle(width, height, [rows, columns]);
  const half = () => Math.max(wide / 2, columns) > columns * 1.5; // by halves, or browsers leave pixels out
  for (let last = false; !last;) {
    last = !half();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = last ? [columns, rows] : [Math.round(wide / 2), Math.round(high / 2)];
    const context = canvas.getContext("2d", {willReadFrequently: last});
    context.fillStyle = "white"; // beneath what is transparent
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(source, left, top, wide, high, 0, 0, canvas.width, canvas.height);
    [source, left, top, wide, high] = [canvas, 0, 0, canvas.width, canvas.height];
  }
  return floats(source.getContext("2d").getImageData(0, 0, columns, rows).data, channels);
}

/** Controls of what an image is to become; returns a function that says it as `translate` takes it. */
function conditionOf({attribute_names: names = null, attribute_groups: groups = [], num_classes, class_names}, place, changed) {
  function control(title, element) {
    const label = document.createElement("label");
    label.append(`${title} `, element);
    element.onchange = changed;
    place.append(label);
    return element;
  }
  const choice = (title, options) => {
    const element = control(title, document.createElement("select"));
    options.forEach((text, value) => element.add(new Option(text, value)));
    return element;
  };
  if (num_classes !== null) {
    const chosen = choice("To", Array.from({length: num_classes}, (_, label) => class_names?.[label] ?? label));
    return () => Number(chosen.value);
  }
  if (names === null) return () => undefined;
  const given = groups.map((group) => [group, choice("To", group)]);
  const alone = names.filter((name) => !groups.flat().includes(name)).map((name) =>
    [name, control(name, Object.assign(document.createElement("input"), {type: "checkbox"}))]);
  return () => names.map((name) => Number(
    alone.some(([one, {checked}]) => one === name && checked) ||
    given.some(([group, {value}]) => group[value] === name)));
}

/** Show a translator: what is chosen or taken, before and after. */
export function open(generator, {at, picture, number, shown}) {
  const {model} = generator.card, shape = model.start.sources, [rows, columns] = shape;
  let before = null, stream = null;
  at("translator").hidden = false;
  at("size").textContent = `It sees ${columns} × ${rows} pixels${shape[2] < 3 ? ", in grey" : ""}: the middle of yours.`;
  const told = conditionOf(model, at("condition"), () => shown(translated));

  async function translated() {
    if (before === null) return;
    const after = await generator.translate(before, told(), number("seed"));
    at("before").src = picture(before, shape);
    at("after").src = picture(after, model.image_shape);
    at("pair").hidden = false;
  }

  function look(source, width, height) {
    if (!width || !height) throw new Error("There is no picture yet: wait until the camera shows one.");
    before = seen(source, width, height, shape);
    return translated();
  }

  function end() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = at("video").srcObject = null;
    at("viewfinder").hidden = true;
  }

  at("file").onchange = () => shown(async () => {
    const [file] = at("file").files;
    if (!file) return;
    const bitmap = await createImageBitmap(file).catch(() => {
      throw new Error(`${file.name} is no picture that this browser reads: choose a PNG, a JPEG or a WebP.`);
    });
    await look(bitmap, bitmap.width, bitmap.height);
    bitmap.close();
  });
  at("camera").onclick = () => shown(async () => {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("A browser gives a camera to pages from https:// and of this machine only: choose a picture.");
    }
    end();
    stream = await navigator.mediaDevices.getUserMedia({video: true}).catch((error) => { throw withoutCamera(error); });
    at("video").srcObject = stream;
    at("viewfinder").hidden = false;
    await at("video").play();
  });
  at("take").onclick = () => shown(async () => {
    await look(at("video"), at("video").videoWidth, at("video").videoHeight);
    end();
  });
  at("close").onclick = end;
  at("seed").onchange = () => shown(translated);
  return translated;
}

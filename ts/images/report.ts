/** How good a net for pictures is, and what its training came to, as plain data. */
import { classActivationMap } from '../conv/index.js'
import { type Sequential, tensor } from '../index.js'
import { plainRows } from './augment.js'
import type { ImageSet, SkippedImage } from './image-set.js'
import { NETS, type NetKind } from './nets.js'
import { measure, probabilitiesOf } from './probabilities.js'

/** A picture, what the net took it for, and where the net looked. */
export interface ImagePicture {
  name: string
  class: string
  predicted: string
  /** Of the predicted class. */
  probability: number
  /** The picture as the net saw it, [size, size, channels]. */
  pixels: Uint8Array
  /** `classActivationMap` of the predicted class, [size, size], 255 where it is 1. */
  map: Uint8Array
}

/** A net that learned. */
export interface TriedNet {
  net: NetKind
  parameters: number
  /** Epochs that it learned for. */
  epochs: number
  /** Cross-entropy and accuracy of the pictures set aside, of its best epoch. */
  validationLoss: number
  accuracy: number
}

/** How good a net is on pictures whose classes are known. */
export interface ImageEvaluation {
  classes: readonly string[]
  /** Pictures that were named. */
  count: number
  accuracy: number
  logLoss: number
  /** Accuracy of naming the most common class. */
  baseline: number
  /** By true class (rows) and predicted class (columns). */
  confusion: readonly (readonly number[])[]
  /** Pictures taken for another class; those of which the net is surest, first. */
  mistakes: readonly ImagePicture[]
  /** For each class, the right answer of which the net is surest; of the first 12 classes that have one. */
  surest: readonly ImagePicture[]
  /** Pictures that could not be read. */
  skipped: readonly SkippedImage[]
}

/** How good a net is on pictures that it did not learn from, and what it learned from. */
export interface ImageReport extends Omit<ImageEvaluation, 'count'> {
  /** Pictures of each class, all together. */
  counts: readonly number[]
  trainCount: number
  validationCount: number
  /** The net that was kept. */
  net: NetKind
  parameters: number
  /** All nets that learned. */
  nets: readonly TriedNet[]
}

/** Pictures of a kind that a report keeps. */
const KEPT = 12

/** What a net says of rows of a set, beside their classes. */
export function evaluationOf(model: Sequential, set: ImageSet, rows: Int32Array): ImageEvaluation {
  const { classes, labels, names, pixels, size, channels, skipped } = set
  const confusion = classes.map(() => classes.map(() => 0))
  const probabilities = probabilitiesOf(model, set, rows)
  const { loss: logLoss, accuracy } = measure(probabilities, set, rows)
  const answers = probabilities.map((own, i): Answer => {
    const [row, predicted] = [rows[i], own.indexOf(Math.max(...own))]
    return { row, label: labels[row], predicted, probability: own[predicted] }
  })
  for (const { label, predicted } of answers) confusion[label][predicted]++
  answers.sort((a, b) => b.probability - a.probability)
  const mistakes = answers.filter(({ label, predicted }) => label !== predicted)
  const surest = classes.flatMap((_, c) => answers.find(({ label, predicted }) => label === c && predicted === c) ?? [])
  const width = size * size * channels
  const shown = ({ row, label, predicted, probability }: Answer): ImagePicture => ({
    ...{ name: names[row], class: classes[label], predicted: classes[predicted], probability },
    pixels: pixels.slice(row * width, (row + 1) * width),
    map: Uint8Array.from(mapOf(model, set, row, predicted), (value) => Math.round(255 * value)),
  })
  return {
    ...{ classes: [...classes], count: rows.length, confusion, skipped, accuracy, logLoss },
    baseline: Math.max(...confusion.map((row) => row.reduce((sum, n) => sum + n, 0))) / rows.length,
    mistakes: mistakes.slice(0, KEPT).map(shown),
    surest: surest.slice(0, KEPT).map(shown),
  }
}

export function reportOf(
  model: Sequential,
  set: ImageSet,
  { train, held, net, nets }: { train: Int32Array; held: Int32Array; net: NetKind; nets: readonly TriedNet[] },
): ImageReport {
  const { count, ...evaluation } = evaluationOf(model, set, held)
  const counts = set.classes.map(() => 0)
  for (const c of set.labels) counts[c]++
  return {
    ...evaluation,
    ...{ counts, trainCount: train.length, validationCount: count, net, nets },
    parameters: model.parameters().reduce((sum, { size }) => sum + size, 0),
  }
}

/** True if a report from a file has all its parts, so that it can be shown. */
export function isReport(
  given: unknown,
  { size, channels, classes }: Pick<ImageSet, 'size' | 'channels' | 'classes'>,
): given is ImageReport {
  const report = Object(given) as Record<keyof ImageReport, unknown>
  const isList = (value: unknown, fits: (item: unknown) => boolean, length?: number) =>
    Array.isArray(value) && (length ?? value.length) === value.length && value.every(fits)
  const isNumber = (value: unknown) => typeof value === 'number'
  const isText = (value: unknown) => typeof value === 'string'
  const areCounts = (value: unknown) => isList(value, isNumber, classes.length)
  const isBytes = (value: unknown, length: number) => value instanceof Uint8Array && value.length === length
  /** An object whose properties of these names fit. */
  const has = <T>(value: unknown, names: readonly (keyof T)[], fits: (item: unknown) => boolean) =>
    names.every((name) => fits((Object(value) as T)[name]))
  const isPicture = (value: unknown) =>
    has<ImagePicture>(value, ['name', 'class', 'predicted'], isText) &&
    has<ImagePicture>(value, ['probability'], isNumber) &&
    has<ImagePicture>(value, ['pixels'], (pixels) => isBytes(pixels, size * size * channels)) &&
    has<ImagePicture>(value, ['map'], (map) => isBytes(map, size * size))
  const isNet = (value: unknown) => (NETS as readonly unknown[]).includes(value)
  const isTried = (value: unknown) =>
    has<TriedNet>(value, ['net'], isNet) && has<TriedNet>(value, ['parameters', 'epochs', 'validationLoss', 'accuracy'], isNumber)
  return (
    isList(report.classes, (name) => classes.includes(name as string), classes.length) &&
    has<ImageReport>(report, ['trainCount', 'validationCount', 'parameters', 'accuracy', 'logLoss', 'baseline'], isNumber) &&
    areCounts(report.counts) &&
    isList(report.confusion, areCounts, classes.length) &&
    isNet(report.net) &&
    isList(report.nets, isTried) &&
    isList(report.skipped, (value) => has<SkippedImage>(value, ['name', 'reason'], isText)) &&
    isList(report.mistakes, isPicture) &&
    isList(report.surest, isPicture)
  )
}

/** What the net says of a picture. */
interface Answer {
  row: number
  label: number
  predicted: number
  probability: number
}

/** Where the net sees a class in a picture: [size · size], 0 to 1. */
export function mapOf(net: Sequential, set: Pick<ImageSet, 'pixels' | 'size' | 'channels'>, row: number, c: number): Float32Array {
  const { size, channels } = set
  return classActivationMap(net, tensor(plainRows(set, [row]), [1, size, size, channels]), c).data() as Float32Array
}

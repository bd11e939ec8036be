/** What a training on pictures came to, as plain data. */
import type { ImageSet, SkippedImage } from './image-set.js'

/** A picture that the net takes for another class. */
export interface ImageMistake {
  name: string
  class: string
  predicted: string
  /** Of the class that it was taken for. */
  probability: number
  /** The picture as the net saw it, [size, size, channels]. */
  pixels: Uint8Array
}

/** How good a net is on pictures that it did not learn from. */
export interface ImageReport {
  classes: readonly string[]
  /** Pictures of each class, all together. */
  counts: readonly number[]
  trainCount: number
  validationCount: number
  parameters: number
  accuracy: number
  logLoss: number
  /** Accuracy of naming the most common class. */
  baseline: number
  /** By true class (rows) and predicted class (columns). */
  confusion: readonly (readonly number[])[]
  /** Those of which the net is surest, first. */
  mistakes: readonly ImageMistake[]
  skipped: readonly SkippedImage[]
}

/** Mistakes that a report keeps. */
const MISTAKES = 12

export function reportOf(
  set: ImageSet,
  {
    train,
    held,
    probabilities,
    parameters,
  }: { train: Int32Array; held: Int32Array; probabilities: readonly Float32Array[]; parameters: number },
): ImageReport {
  const { classes, labels, names, pixels, size, channels, skipped } = set
  const counts = classes.map(() => 0)
  for (const c of labels) counts[c]++
  const confusion = classes.map(() => classes.map(() => 0))
  const mistakes: ImageMistake[] = []
  let logLoss = 0
  for (const [i, row] of held.entries()) {
    const own = probabilities[i]
    const predicted = own.indexOf(Math.max(...own))
    confusion[labels[row]][predicted]++
    logLoss -= Math.log(Math.max(own[labels[row]], 1e-12))
    const width = size * size * channels
    if (predicted !== labels[row])
      mistakes.push({
        ...{ name: names[row], class: classes[labels[row]], predicted: classes[predicted], probability: own[predicted] },
        pixels: pixels.slice(row * width, (row + 1) * width),
      })
  }
  const of = (part: Int32Array, c: number) => part.reduce((n, row) => n + (labels[row] === c ? 1 : 0), 0)
  const right = confusion.reduce((sum, row, c) => sum + row[c], 0)
  return {
    ...{ classes: [...classes], counts, trainCount: train.length, validationCount: held.length, parameters, confusion, skipped },
    accuracy: right / held.length,
    logLoss: logLoss / held.length,
    baseline: Math.max(...classes.map((_, c) => of(held, c))) / held.length,
    mistakes: mistakes.sort((a, b) => b.probability - a.probability).slice(0, MISTAKES),
  }
}

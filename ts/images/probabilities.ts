/** What a net says of pictures. */
import { type Module, softmax, tensor } from '../index.js'
import { plainRows } from './augment.js'
import type { ImageSet } from './image-set.js'

/** Pictures that go through the net at once. */
const PART = 256

/** Probability of each class for rows of a set. */
export function probabilitiesOf(model: Module, set: Pick<ImageSet, 'pixels' | 'size' | 'channels'>, rows: Int32Array): Float32Array[] {
  const { size, channels } = set
  const all: Float32Array[] = []
  for (let from = 0; from < rows.length; from += PART) {
    const part = rows.subarray(from, from + PART)
    const logits = model.predict(tensor(plainRows(set, part), [part.length, size, size, channels]))
    const values = softmax(logits).data() as Float32Array
    const classes = values.length / part.length
    for (let i = 0; i < part.length; i++) all.push(values.slice(i * classes, (i + 1) * classes))
  }
  return all
}

/** Cross-entropy of rows of a set, and the share that is named right. */
export function measure(
  probabilities: readonly Float32Array[],
  { labels }: Pick<ImageSet, 'labels'>,
  rows: Int32Array,
): { loss: number; accuracy: number } {
  let [loss, right] = [0, 0]
  for (const [i, row] of rows.entries()) {
    const own = probabilities[i]
    loss -= Math.log(Math.max(own[labels[row]], 1e-12))
    if (own.indexOf(Math.max(...own)) === labels[row]) right++
  }
  return { loss: loss / rows.length, accuracy: right / rows.length }
}

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

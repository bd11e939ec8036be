/** Heads from files. */
import { loadState } from '../files/state-file.js'
import type { ModelSource } from '../index.js'
import { Head } from './head.js'
import { readState } from './head-state.js'
import { MultiLabelHead } from './multi-label.js'
import { readSetsState } from './multi-label-state.js'
import type { Label } from './vectors.js'

/**
 * A head from a file that {@link Head.save} wrote. It predicts with its weights rounded to 11 significant bits; it can learn and name examples if it was
 * saved with them.
 *
 * @param source a path, URL, Blob, or the bytes
 * @example
 * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
 * await head.save('head.safetensors')
 * const again = await loadHead<'cat' | 'dog'>('head.safetensors')
 * again.predict([0, 3]).label // 'cat'
 * @throws Error for a file that is not there, RangeError for one that is damaged, TypeError for one that holds no head
 */
export async function loadHead<L extends Label = Label>(source: ModelSource): Promise<Head<L>> {
  return new Head<L>(readState<L>(await loadState(source)))
}

/**
 * A head with arrays as labels from a file that {@link MultiLabelHead.save} wrote.
 *
 * @param source a path, URL, Blob, or the bytes
 * @example
 * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 2]], [['news'], ['news'], ['fun'], ['news', 'fun']])
 * const again = await loadMultiLabelHead<'news' | 'fun'>(head.bytes())
 * again.labels // ['fun', 'news']
 * @throws as {@link loadHead} does
 */
export async function loadMultiLabelHead<L extends Label = Label>(source: ModelSource): Promise<MultiLabelHead<L>> {
  return new MultiLabelHead<L>(readSetsState<L>(await loadState(source)))
}

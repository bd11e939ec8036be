/** All objects of a training in one file: models, optimizers, schedulers, scalers, together with any JSON values. */
import { typeError } from '../common/errors.js'
import { readerOf } from '../common/saved.js'
import { show } from '../common/show.js'
import type { Bytes, DecodeOptions } from './safetensors.js'
import { decodeTree, TreeWriter } from './tree.js'

/** The name of the format in the file. */
const KEY = 'gradus-state/1'

/** An object with a state to save: models, optimizers, wrappers, schedulers, averages, scalers, tables. */
export interface Stateful {
  state(): object
}

/**
 * Parts of a training as the bytes of one file. Models, optimizers, schedulers, scalers and tables give their `state()`; numbers,
 * texts, typed arrays, and arrays and objects of these are kept as they are, infinite numbers included. The file is a
 * [safetensors](https://github.com/huggingface/safetensors) file: others find the weights in it, as `model.0.weight` with its shape.
 *
 * @param parts by names of your own
 * @example
 * const bytes = encodeState({ model, optimizer, epoch: 3 }) // fs.writeFileSync('checkpoint.safetensors', bytes)
 *
 * const saved = decodeState(bytes)
 * model.loadState(saved.model)
 * optimizer.loadState(saved.optimizer) // the next steps have the bits that they would have had
 * saved.epoch // 3
 * @throws TypeError naming the place of a value that cannot be kept, such as a function; NonFiniteError naming the tensor for a model whose weights
 *   are NaN or infinite, as after a training that diverged. `model.state()` in its place is numbers, which are kept as they are
 */
export function encodeState(parts: object): Bytes {
  if (typeof parts !== 'object' || parts === null || ArrayBuffer.isView(parts))
    throw typeError(`encodeState: wants parts by name, { model, optimizer }, got ${show(parts)}`)
  const writer = new TreeWriter('encodeState')
  return writer.encode(KEY, writer.visit(parts, ''))
}

/**
 * The value that {@link encodeState} got, with states in the place of models and optimizers. Pass each state to its `loadState`, states of scalers
 * and tables to `scalerFromState` and `encoderFromState`.
 *
 * @example
 * const saved = decodeState(encodeState({ best: Infinity, losses: Float32Array.of(2, 1) }))
 * saved.best // Infinity
 * saved.losses // Float32Array.of(2, 1)
 * @throws RangeError for a file that is damaged, or that another program wrote: `decodeSafetensors` reads such files
 */
// biome-ignore lint/suspicious/noExplicitAny: like the result of JSON.parse, saved values can be of any type
export function decodeState<T = Record<string, any>>(file: Uint8Array | ArrayBuffer, options: DecodeOptions = {}): T {
  return decodeTree('decodeState', file, options, { key: KEY, foreign }) as T
}

function foreign(metadata: Readonly<Record<string, string>>): string {
  const model = metadata['gradus-model/1']
  if (model !== undefined) return `the file holds a model; ${readerOf(model) ?? 'loadModel'} reads it`
  return 'encodeState did not make this file; decodeSafetensors gives its tensors'
}

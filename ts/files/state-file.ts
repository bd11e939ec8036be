/** States in files, written all or nothing, and back. Nothing here imports the engine, so that a head is loaded without it. */
import { reword } from '../common/errors.js'
import { readOptions, type Schema } from '../common/options.js'
import type { DecodeOptions } from '../io/safetensors.js'
import { decodeState, encodeState } from '../io/state.js'
import { bytesFrom, checkPath, earlierOf, filesHere, KEPT, type ModelSource } from './storage.js'

/** Options of {@link saveState}, and with `EncodeModelOptions` of `saveModel`. */
export interface SaveOptions {
  /** Number of earlier files that are kept: the one before `net.safetensors` is `net.1.safetensors`, and so on. Default 2. */
  keep?: number
}

export const SAVE = { keep: { is: KEPT, default: 2 } } satisfies Schema<SaveOptions>
/**
 * Saves values in a file, as `encodeState` takes them, all or nothing, as `saveModel` does: for training loops of your own.
 *
 * @example
 * await saveState({ model, optimizer, epoch: 3 }, 'run.safetensors')
 * const saved = await loadState('run.safetensors')
 * model.loadState(saved.model)
 * saved.epoch // 3
 * @throws TypeError as `encodeState` does; Error if the file cannot be written: the previous file then stays as it was
 */
export async function saveState(parts: object, path: string, options: SaveOptions = {}): Promise<void> {
  const { keep } = readOptions('saveState', options, SAVE)
  await writeFile('saveState', path, () => encodeState(parts), keep)
}

/**
 * The values that {@link saveState} saved, as `decodeState` returns them.
 *
 * @param source as for `loadModel`
 * @example
 * await saveState({ losses: Float32Array.of(2, 1) }, 'run.safetensors')
 * const { losses } = await loadState('run.safetensors') // Float32Array.of(2, 1)
 * @throws Error for a file that does not exist, RangeError for a damaged file
 */
// biome-ignore lint/suspicious/noExplicitAny: like the result of JSON.parse, saved values can be of any type
export async function loadState<T = Record<string, any>>(source: ModelSource, options?: DecodeOptions): Promise<T> {
  return readFile('loadState', source, (bytes) => decodeState<T>(bytes, options))
}

/** @internal writes all or nothing. @param who for messages */
export async function writeFile(who: string, path: string, encode: () => Uint8Array, keep: number): Promise<void> {
  checkPath(who, path)
  const files = filesHere(who)
  const bytes = encode()
  try {
    await files.write(path, bytes, earlierOf(path, keep))
  } catch (error) {
    throw addName(who, error)
  }
}

/** @internal */
export async function readFile<T>(who: string, source: ModelSource, decode: (bytes: Uint8Array | ArrayBuffer) => T): Promise<T> {
  const bytes = await bytesFrom(who, source)
  try {
    return decode(bytes)
  } catch (error) {
    throw typeof source === 'string' || source instanceof URL ? addName(`${who}('${shortName(source)}')`, error) : error
  }
}

function shortName(source: string | URL): string {
  const text = String(source)
  return text.length > 80 ? `…${text.slice(-80)}` : text
}

/** Puts the caller and the path in front of an error's message. */
function addName(who: string, error: unknown): unknown {
  reword(error, (message) => `${who}: ${message}`)
  return error
}

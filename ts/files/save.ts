/** Models and states in files, written all or nothing, and back. */
import { reword } from '../common/errors.js'
import { readOptions, type Schema } from '../common/options.js'
import type { DecodeOptions } from '../io/safetensors.js'
import { decodeState, encodeState } from '../io/state.js'
import type { Module } from '../nn/module.js'
import {
  type DecodeModelOptions,
  decodeModelFile,
  ENCODE_MODEL,
  type EncodeModelOptions,
  encodeModel,
  type ModelFile,
} from './model-file.js'
import { bytesFrom, checkPath, earlierOf, filesHere, KEPT, type ModelSource } from './storage.js'

/** Options of {@link saveState}, and with {@link EncodeModelOptions} of {@link saveModel}. */
export interface SaveOptions {
  /** Number of earlier files that are kept: the one before `net.safetensors` is `net.1.safetensors`, and so on. Default 2. */
  keep?: number
}

export const SAVE = { keep: { is: KEPT, default: 2 } } satisfies Schema<SaveOptions>
export const SAVE_MODEL = { ...SAVE, ...ENCODE_MODEL } satisfies Schema<EncodeModelOptions & SaveOptions>

/**
 * Saves a model in a file, from which {@link loadModel} rebuilds it in any runtime; {@link encodeModel} lists the contents.
 *
 * Saving is all or nothing, even if the process is killed while it saves: the bytes are on the disk before they replace the previous file, which is
 * kept as `net.1.safetensors`. In a browser the path is a name in the origin's IndexedDB, with the same guarantee. The model is read at once, so
 * training may continue while it is written.
 *
 * @param path of the file; in a browser any name
 * @param parts values saved with the model, under names of your choice. Default: none
 * @example
 * await saveModel(model, 'net.safetensors', { classNames: ['no', 'yes'] })
 * const again = await loadModel('net.safetensors')
 * again.predict(inputs).shape // [n, 3]
 * @throws TypeError, RangeError as {@link encodeModel} does; Error if the file cannot be written: the previous file then stays as it was
 */
export async function saveModel(
  model: object,
  path: string,
  parts: Readonly<Record<string, unknown>> = {},
  options: EncodeModelOptions & SaveOptions = {},
): Promise<void> {
  const { keep, ...rest } = readOptions('saveModel', options, SAVE_MODEL)
  await writeFile('saveModel', path, () => encodeModel(model, parts, rest), keep)
}

/**
 * A model from a file that {@link saveModel} wrote: it predicts, and may be trained on.
 *
 * @param source a path, or in a browser a name; a `URL`, or a text that begins with `https:`, `data:` or the like, which is fetched; a Blob, File or
 *   Response; or bytes
 * @example
 * await saveModel(new Sequential([new Dense(4, 3)]), 'net.safetensors')
 * const model = await loadModel('net.safetensors')
 * model.predict([[1, 2, 3, 4]]).shape // [1, 3]
 * @throws Error for a file that does not exist, RangeError for a file that is damaged or that {@link decodeModel} refuses
 */
export async function loadModel<M extends object = Module>(source: ModelSource, options?: DecodeModelOptions): Promise<M> {
  return (await loadModelFile<M>(source, options)).model
}

/**
 * Loads the model, as {@link loadModel} does, and the parts that were saved with it, as `decodeModelFile` returns them.
 *
 * @example
 * await saveModel(model, 'net.safetensors', { optimizer, classNames: ['no', 'yes'] })
 * const file = await loadModelFile('net.safetensors')
 * const goOn = new Adam(file.model.parameters())
 * goOn.loadState(file.optimizer)
 * file.classNames // ['no', 'yes']
 * @throws as {@link loadModel}
 */
// biome-ignore lint/suspicious/noExplicitAny: like the result of JSON.parse, saved values can be of any type
export async function loadModelFile<M extends object = Module, Parts = Record<string, any>>(
  source: ModelSource,
  options?: DecodeModelOptions,
): Promise<ModelFile<M, Parts>> {
  return readFile('loadModel', source, (bytes) => decodeModelFile<M, Parts>(bytes, options))
}

/**
 * Saves values in a file, as `encodeState` takes them, all or nothing, as {@link saveModel} does: for training loops of your own.
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
 * @param source as for {@link loadModel}
 * @example
 * await saveState({ losses: Float32Array.of(2, 1) }, 'run.safetensors')
 * const { losses } = await loadState('run.safetensors') // Float32Array.of(2, 1)
 * @throws Error for a file that does not exist, RangeError for a damaged file
 */
// biome-ignore lint/suspicious/noExplicitAny: like the result of JSON.parse, saved values can be of any type
export async function loadState<T = Record<string, any>>(source: ModelSource, options?: DecodeOptions): Promise<T> {
  return readFile('loadState', source, (bytes) => decodeState<T>(bytes, options))
}

async function writeFile(who: string, path: string, encode: () => Uint8Array, keep: number): Promise<void> {
  checkPath(who, path)
  const files = filesHere(who)
  const bytes = encode()
  try {
    await files.write(path, bytes, earlierOf(path, keep))
  } catch (error) {
    throw addName(who, error)
  }
}

async function readFile<T>(who: string, source: ModelSource, decode: (bytes: Uint8Array | ArrayBuffer) => T): Promise<T> {
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

/** Models in files, written all or nothing, and back. */
import { readOptions, type Schema } from '../common/options.js'
import type { Module } from '../nn/module.js'
import {
  type DecodeModelOptions,
  decodeModelFile,
  ENCODE_MODEL,
  type EncodeModelOptions,
  encodeModel,
  type ModelFile,
} from './model-file.js'
import { readFile, SAVE, type SaveOptions, writeFile } from './state-file.js'
import type { ModelSource } from './storage.js'

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

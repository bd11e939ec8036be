/** What model files know of a kind of layer. The layers of `gradus` are in layers.ts; a room registers those of its own. */
import type { Backend } from '../backend/index.js'
import type { Shape } from '../common/shape.js'
import type { LayerExports } from '../export/layer-exports.js'
import type { Module } from '../nn/module.js'

/** The options of a layer in a file. */
export type LayerConfig = Readonly<Record<string, unknown>>

/** Shapes by name. A layer of any number of parts gives them one after the other, so that the first that the file lacks ends it. */
type LayerTensors = Readonly<Record<string, Shape>> | Iterable<readonly [name: string, shape: Shape]>

/** One kind of layer. For an untrusted file, `load` checks everything that the constructors do not. */
export interface LayerKind {
  /** The options of the layer. Names never change their meaning: files of older versions contain them. */
  save(layer: Module): LayerConfig
  /** Names that files may have; another one says that the file is of a newer version. */
  readonly names: readonly string[]
  /** @param options for the constructor */
  load(config: LayerConfig, options: { backend?: Backend }): Module
  /** The shapes of the layer's own tensors by name. They are compared with the file before a layer of that size is made. */
  shapes?(config: LayerConfig): LayerTensors
  /** How other programs have the layer, for `gradus/export`. */
  readonly exports?: LayerExports
}

/** A {@link LayerKind} with the types of its layer and options. */
interface Kind<L extends Module, C extends LayerConfig> {
  /** Default: the fields of the layer that have these names. */
  save?: (layer: L) => C
  names: readonly (keyof C & string)[]
  load: (config: C, options: { backend?: Backend }) => L
  shapes?: (config: C) => LayerTensors
  exports?: LayerExports
}

/** @internal a kind whose layers are saved by their fields, unless it says how */
export function kind<L extends Module, C extends LayerConfig>(how: Kind<L, C>): LayerKind {
  const save = (layer: L) => Object.fromEntries(how.names.map((name) => [name, layer[name as keyof Module]]))
  return { save, ...how } as unknown as LayerKind
}

/** @internal a class of layers, by the name that it has in files */
export type LayerInFiles = readonly [name: string, Class: abstract new (...args: never[]) => Module, kind: LayerKind]

/** @internal the entry of a class of layers, with the types of its layer and options */
export function layerInFiles<L extends Module, C extends LayerConfig>(name: string, Class: LayerInFiles[1], how: Kind<L, C>): LayerInFiles {
  return [name, Class, kind(how)]
}

/** @internal layers of the rooms that the program imports */
export const ROOMS: LayerInFiles[] = []

/**
 * @internal Lets model files hold the layers of a room. A room calls it in a file of its own, which its index imports and package.json lists under
 * `sideEffects`: `import 'gradus/<room>'` is enough to read a file with such layers.
 */
export function registerLayers(layers: readonly LayerInFiles[]): void {
  ROOMS.push(...layers)
}

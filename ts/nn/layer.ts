/** What the layers of this library have in common. */

import { Module } from './module.js'

/**
 * A layer of this library: what its `forward` does depends on nothing but its input, kernels, and the fields of the layer. Training relies
 * on that (train/fast/model-fields.ts) and watches modules of any other class more closely. A class of yours extends {@link Module}.
 */
export abstract class Layer extends Module {}

/** @internal whether a module is exactly a layer of this library: a subclass of one may do more, and so may a `forward` of its own */
export function isLayer(module: Module): boolean {
  return Object.getPrototypeOf(module.constructor) === Layer && !Object.hasOwn(module, 'forward')
}

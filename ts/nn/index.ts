/** Layers, models and initialisers. */
export { Dense, type DenseOptions } from './dense.js'
export { Embedding, type EmbeddingOptions } from './embedding.js'
export type { Initializer, InitializerName } from './initializer.js'
export { Activation, Dropout, Flatten, Lambda } from './layers.js'
export { type BuildContext, Module, type ModuleOptions, type PredictOptions, type SavedValues } from './module.js'
export { Sequential } from './sequential.js'
export { summary } from './summary.js'

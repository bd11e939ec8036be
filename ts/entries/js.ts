/**
 * The entry `gradus/js`: the exports of `gradus` and of the entries that share its engine, on the pure-JS backend alone, without a byte of
 * WebAssembly.
 */
export * from '../curvature/index.js'
export * from '../debug/index.js'
export * from '../export/index.js'
export * from '../index.js'
export * from '../metrics/index.js'
export * from '../optim/index.js'
export * from '../plot/index.js'
export * from '../solve/index.js'

/** The entry `gradus/js`: everything that `gradus` has, on the pure-JS backend alone, without a byte of WebAssembly. */
export * from '../index.js'

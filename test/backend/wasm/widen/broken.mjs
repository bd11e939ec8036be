/**
 * `--import` this for an engine whose optimized kernels have other bits: from the hundredth call on, a gradient of cross-entropy is off by one bit.
 */
const { Instance } = WebAssembly
const GOOD_CALLS = 100

WebAssembly.Instance = class {
  constructor(module, imports) {
    const { exports } = new Instance(module, imports)
    let calls = 0
    const crossEntropyProbabilities = (prediction, target, weights, gradient, ...rest) => {
      exports.crossEntropyProbabilities(prediction, target, weights, gradient, ...rest)
      if (++calls > GOOD_CALLS) new Uint8Array(exports.memory.buffer)[gradient] ^= 1
    }
    this.exports = exports.crossEntropyProbabilities ? { ...exports, crossEntropyProbabilities } : exports
  }
}

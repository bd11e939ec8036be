/** `--import` this for an engine whose optimised kernels have other bits: from the hundredth call on, softmax is off by one bit. */
const { Instance } = WebAssembly
const GOOD_CALLS = 100

WebAssembly.Instance = class {
  constructor(module, imports) {
    const { exports } = new Instance(module, imports)
    let calls = 0
    const softmax = (x, y, rows, columns) => {
      exports.softmax(x, y, rows, columns)
      if (++calls > GOOD_CALLS) new Uint8Array(exports.memory.buffer)[y] ^= 1
    }
    this.exports = exports.softmax ? { ...exports, softmax } : exports
  }
}

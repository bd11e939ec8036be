/**
 * `gradus/debug`: checks and traces of the kernels that a function calls.
 * @module gradus/debug
 */

export { checkKernels } from '../backend/js/checked.js'
export { supportedVariants } from '../backend/wasm/load.js'
export { type Trace, type TracedKernel, type TraceOptions, trace } from '../trace.js'

/** Every operation. */
export { activate, elu, gelu, leakyRelu, relu, sigmoid, silu, softplus, tanh } from './activation.js'
export { dense } from './dense.js'
export { dropout } from './dropout.js'
export {
  abs,
  add,
  broadcastTo,
  clip,
  cos,
  div,
  equal,
  erf,
  exp,
  greater,
  greaterEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reciprocal,
  sign,
  sin,
  sqrt,
  square,
  sub,
  where,
} from './elementwise.js'
export { gather } from './gather.js'
export { type MatmulOptions, matmul } from './matmul.js'
export { type Axes, argmax, logSumExp, max, mean, min, sum, variance } from './reduce.js'
export { concat, reshape, slice, stack, transpose } from './shape.js'
export { logSoftmax, softmax } from './softmax.js'

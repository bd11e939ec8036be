/** Activations and their derivatives: for each name one pair of loops; the number of an activation is its place in ACTIVATIONS. */
import type { FloatArray, Heap } from '../heap.js'
import { ACTIVATIONS, type Activation, type Kernels } from '../kernels.js'
import { normalCdf, normalPdf, SELU_ABOVE, SELU_BELOW, sigmoid } from './math.js'
import { floatShift } from './shift.js'

const LEAKY_SLOPE = 0.01

/** f[y + i] = φ(f[x + i]) for i < n */
type Forward = (f: FloatArray, x: number, y: number, n: number) => void
/** f[dx + i] = f[dy + i] · φ′(f[s + i]) for i < n, s = the saved output or, for SAVES_INPUT, input */
type Backward = (f: FloatArray, s: number, dy: number, dx: number, n: number) => void

export function activationKernels(heap: Heap): Pick<Kernels, 'activationForward' | 'activationBackward'> {
  const shift = floatShift(heap)
  return {
    activationForward(x, y, n, activation) {
      forward[ACTIVATIONS[activation]](heap.floats, x >>> shift, y >>> shift, n)
    },
    activationBackward(saved, dy, dx, n, activation) {
      backward[ACTIVATIONS[activation]](heap.floats, saved >>> shift, dy >>> shift, dx >>> shift, n)
    },
  }
}

const forward: Record<Activation, Forward> = {
  linear(f, x, y, n) {
    f.copyWithin(y, x, x + n)
  },
  relu(f, x, y, n) {
    for (let i = 0; i < n; i++) f[y + i] = Math.max(f[x + i], 0)
  },
  leakyRelu(f, x, y, n) {
    for (let i = 0; i < n; i++) f[y + i] = f[x + i] > 0 ? f[x + i] : LEAKY_SLOPE * f[x + i]
  },
  sigmoid(f, x, y, n) {
    for (let i = 0; i < n; i++) f[y + i] = sigmoid(f[x + i])
  },
  tanh(f, x, y, n) {
    for (let i = 0; i < n; i++) f[y + i] = Math.tanh(f[x + i])
  },
  gelu(f, x, y, n) {
    for (let i = 0; i < n; i++) f[y + i] = f[x + i] * normalCdf(f[x + i])
  },
  silu(f, x, y, n) {
    for (let i = 0; i < n; i++) f[y + i] = f[x + i] * sigmoid(f[x + i])
  },
  softplus(f, x, y, n) {
    for (let i = 0; i < n; i++) f[y + i] = Math.max(f[x + i], 0) + Math.log1p(Math.exp(-Math.abs(f[x + i])))
  },
  elu(f, x, y, n) {
    for (let i = 0; i < n; i++) f[y + i] = f[x + i] > 0 ? f[x + i] : Math.expm1(f[x + i])
  },
  mish(f, x, y, n) {
    for (let i = 0; i < n; i++) f[y + i] = f[x + i] * mishGate(f[x + i])
  },
  selu(f, x, y, n) {
    for (let i = 0; i < n; i++) f[y + i] = f[x + i] > 0 ? SELU_ABOVE * f[x + i] : SELU_BELOW * Math.expm1(f[x + i])
  },
}

/** tanh(ln(1 + eˣ)) = n / (n + 2) with n = eˣ·(eˣ + 2), which is 1 from 20 on */
function mishGate(x: number): number {
  const e = Math.exp(Math.min(x, 20))
  const n = e * (e + 2)
  return n / (n + 2)
}

/** The derivative of x·tanh(ln(1 + eˣ)), with u = 1 + eˣ: eˣ·q·((u + 1) / 2 + x·u·q), q = 2 / (u² + 1) */
function mishSlope(at: number): number {
  const x = Math.min(at, 20)
  const e = Math.exp(x)
  const u = 1 + e
  const q = 2 / (u * u + 1)
  return e * q * (x * (u * q) + 0.5 * (u + 1))
}

const backward: Record<Activation, Backward> = {
  linear(f, _s, dy, dx, n) {
    f.copyWithin(dx, dy, dy + n)
  },
  relu(f, s, dy, dx, n) {
    for (let i = 0; i < n; i++) f[dx + i] = f[s + i] <= 0 ? 0 : f[dy + i]
  },
  leakyRelu(f, s, dy, dx, n) {
    // the slope of NaN is NaN
    for (let i = 0; i < n; i++) f[dx + i] = f[s + i] <= 0 ? LEAKY_SLOPE * f[dy + i] : f[s + i] > 0 ? f[dy + i] : f[s + i]
  },
  sigmoid(f, s, dy, dx, n) {
    for (let i = 0; i < n; i++) f[dx + i] = f[dy + i] * f[s + i] * (1 - f[s + i])
  },
  tanh(f, s, dy, dx, n) {
    for (let i = 0; i < n; i++) f[dx + i] = f[dy + i] * (1 - f[s + i] * f[s + i])
  },
  gelu(f, s, dy, dx, n) {
    for (let i = 0; i < n; i++) f[dx + i] = f[dy + i] * (normalCdf(f[s + i]) + f[s + i] * normalPdf(f[s + i]))
  },
  silu(f, s, dy, dx, n) {
    for (let i = 0; i < n; i++) {
      const p = sigmoid(f[s + i])
      f[dx + i] = f[dy + i] * p * (1 + f[s + i] * (1 - p))
    }
  },
  softplus(f, s, dy, dx, n) {
    for (let i = 0; i < n; i++) f[dx + i] = f[dy + i] * -Math.expm1(-f[s + i])
  },
  elu(f, s, dy, dx, n) {
    for (let i = 0; i < n; i++) f[dx + i] = f[s + i] > 0 ? f[dy + i] : f[dy + i] * Math.exp(f[s + i])
  },
  mish(f, s, dy, dx, n) {
    for (let i = 0; i < n; i++) f[dx + i] = f[dy + i] * mishSlope(f[s + i])
  },
  selu(f, s, dy, dx, n) {
    for (let i = 0; i < n; i++) f[dx + i] = f[dy + i] * (f[s + i] > 0 ? SELU_ABOVE : SELU_BELOW * Math.exp(f[s + i]))
  },
}

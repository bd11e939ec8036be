/** Initial weights. All are drawn from the counter-based generator, so the same seed gives the same weights on every backend. */

import { withNormals, withRandom } from '../backend/families.js'
import type { Activation } from '../backend/kernels.js'
import { rangeError, typeError } from '../common/errors.js'
import type { Kind } from '../common/options.js'
import { show } from '../common/show.js'
import type { Parameter } from '../parameter.js'
import type { Generator } from '../random.js'

/**
 * Names of the ready-made initializers. With fan-in and fan-out of a weight [in, out]: `glorotUniform` ±√(6/(in+out)), `glorotNormal` σ =
 * √(2/(in+out)) (Glorot & Bengio 2010); `heUniform` ±√(6/in), `heNormal` σ = √(2/in) (He et al. 2015); `lecunUniform` ±√(3/in), `lecunNormal` σ =
 * √(1/in) (LeCun et al. 1998); `orthogonal` (Saxe et al. 2014); `zeros`; `ones`.
 */
export type InitializerName =
  | 'glorotUniform'
  | 'glorotNormal'
  | 'heUniform'
  | 'heNormal'
  | 'lecunUniform'
  | 'lecunNormal'
  | 'orthogonal'
  | 'zeros'
  | 'ones'

/** @internal an option that is an initializer */
export const initializing: Kind = {
  wants: 'the name of an initializer, or a function',
  fits: (value) => typeof value === 'string' || typeof value === 'function',
}

const RELU_FAMILY: readonly Activation[] = ['relu', 'leakyRelu', 'gelu', 'silu', 'elu', 'mish', 'softplus']

/** @internal the default initializer of weights in front of an activation */
export function initializerFor(activation: Activation): InitializerName {
  if (RELU_FAMILY.includes(activation)) return 'heUniform'
  // the fixed point of selu, mean 0 and variance 1, is that of weights of variance 1/in
  if (activation === 'selu') return 'lecunNormal'
  return activation === 'linear' ? 'lecunUniform' : 'glorotUniform'
}

/** Fills a parameter in place. */
export type Initializer = (parameter: Parameter, generator: Generator) => void

/** Uniform numbers in [low, high). @example new Dense(2, 1, { weightInitializer: initializers.uniform(-0.1, 0.1) }) */
export function uniform(low: number, high: number): Initializer {
  return (p, g) => withRandom(p.backend).randomUniform(p.address, p.size, g.seedLow, g.seedHigh, g.stream, g.counter++, low, high)
}

/** Normal numbers. @example new Dense(2, 1, { weightInitializer: initializers.normal(0, 0.02) }) */
export function normal(mean: number, std: number): Initializer {
  return (p, g) => withNormals(p.backend).randomNormal(p.address, p.size, g.seedLow, g.seedHigh, g.stream, g.counter++, mean, std)
}

/** −1 and 1, each with probability ½. @example new Scale(8, { members: 4, weightInitializer: initializers.signs() }) */
export function signs(): Initializer {
  return (p, g) => {
    uniform(-1, 1)(p, g)
    const values = p.view()
    for (let i = 0; i < values.length; i++) values[i] = values[i] < 0 ? -1 : 1
  }
}

/** The same number everywhere. @example new Dense(2, 1, { biasInitializer: initializers.constant(0.5) }) */
export function constant(value: number): Initializer {
  return (p) => p.backend.kernels.fill(p.address, p.size, value)
}

/**
 * A matrix with orthonormal rows or columns (whichever are fewer), times gain: Gram-Schmidt on normal numbers, in doubles.
 *
 * @example new Dense(8, 8, { weightInitializer: initializers.orthogonal(Math.SQRT2) })
 */
export function orthogonal(gain = 1): Initializer {
  return (p, g) => {
    const cols = p.shape[p.rank - 1] ?? 1
    const rows = cols === 0 ? 0 : p.size / cols
    normal(0, 1)(p, g)
    const values = p.view()
    const vectors = Math.min(rows, cols)
    const length = Math.max(rows, cols)
    const at = rows <= cols ? (v: number, i: number) => v * cols + i : (v: number, i: number) => i * cols + v
    const basis = Array.from({ length: vectors }, (_, v) => Float64Array.from({ length }, (_, i) => values[at(v, i)]))
    basis.forEach((vector, v) => orthonormalize(vector, basis.slice(0, v)))
    basis.forEach((vector, v) => {
      for (let i = 0; i < length; i++) values[at(v, i)] = gain * vector[i]
    })
  }
}

/**
 * Makes a vector orthogonal to the earlier ones and of length 1, in two passes, since a single pass loses digits if the vector is close to their
 * span.
 */
function orthonormalize(vector: Float64Array, earlier: Float64Array[]): void {
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0)
  for (let pass = 0; pass < 2; pass++) {
    for (const other of earlier) {
      const along = dot(vector, other)
      for (let i = 0; i < vector.length; i++) vector[i] -= along * other[i]
    }
  }
  const norm = Math.sqrt(dot(vector, vector))
  for (let i = 0; i < vector.length; i++) vector[i] /= norm
}

/** @internal the initializer of that name for a weight of this shape. @throws RangeError listing the valid names */
export function initializer(name: InitializerName | Initializer, fanIn: number, fanOut: number, what: string): Initializer {
  if (typeof name === 'function')
    return (p, g) => {
      if (typeof (name(p, g) as unknown) === 'function') throw typeError(`${what}: call the initializer first`)
    }
  const root = (a: number, n: number) => Math.sqrt(a / Math.max(n, 1))
  const range = (a: number, n: number) => uniform(-root(a, n), root(a, n))
  const spread = (a: number, n: number) => normal(0, root(a, n))
  const makers: Record<InitializerName, () => Initializer> = {
    glorotUniform: () => range(6, fanIn + fanOut),
    glorotNormal: () => spread(2, fanIn + fanOut),
    heUniform: () => range(6, fanIn),
    heNormal: () => spread(2, fanIn),
    lecunUniform: () => range(3, fanIn),
    lecunNormal: () => spread(1, fanIn),
    orthogonal: () => orthogonal(),
    zeros: () => constant(0),
    ones: () => constant(1),
  }
  if (!Object.hasOwn(makers, name))
    throw rangeError(`${what}: initializer wants one of ${Object.keys(makers).join(', ')}, got ${show(name)}`)
  return makers[name]()
}

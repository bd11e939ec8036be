/** A parameter of one number for tests of wrappers, in doubles, and batches with a gradient that is known. */
import { createBackend, Parameter } from '../../ts/index.js'
import type { OptimizerLike } from '../../ts/optim/index.js'

export const backend = createBackend({ backend: 'js', dtype: 'float64' })
export const scalar = (value = 0) => new Parameter([value], { backend })
export const pairs = <T>(make: () => T): [T, T] => [make(), make()]

/** A batch whose gradient is g. */
export function batch(optimizer: OptimizerLike, p: Parameter, g: number): void {
  const before = p.gradientState === 'ready' ? p.gradientView()[0] : 0
  p.gradientView()[0] = before + g
  optimizer.step()
}

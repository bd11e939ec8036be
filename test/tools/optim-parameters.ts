/** Parameters with invented values and gradients, and steps on them. */
import type { Backend } from '../../ts/backend/index.js'
import type { Optimizer } from '../../ts/index.js'
import { Parameter } from '../../ts/parameter.js'

/** Parameters of these shapes. */
export function make(shapes: number[][], backend: Backend): Parameter[] {
  let k = 0
  return shapes.map((shape, i) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.sin(++k * 12.9898))
    return new Parameter(values, { shape, name: `p${i}`, backend })
  })
}

/** The same gradients for the same k and parameter. */
export function fill(parameters: readonly Parameter[], k: number, scale = 1): void {
  for (const [i, p] of parameters.entries()) {
    const g = p.gradientView()
    for (let j = 0; j < g.length; j++) g[j] = scale * (Math.sin(1 + j + 7 * k + 3 * i) + 0.1 * p.view()[j])
  }
}

/** Takes steps, and gives all values. */
export function run(optimizer: Optimizer, parameters: readonly Parameter[], steps: number, from = 0, scale = 1): number[] {
  for (let k = from; k < from + steps; k++) {
    fill(parameters, k, scale)
    optimizer.step()
  }
  return parameters.flatMap((p) => [...p.view()])
}

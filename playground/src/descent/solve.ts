/** Races of second-order methods, whose code is fetched with the first of them. */
import { slice, sum, type Tensor, tensor } from 'gradus'
import { hessian, hvp, valueAndGrad } from 'gradus/curvature'
import { type MinimizeMethod, minimize } from 'gradus/solve'
import { doubles } from '../engine/doubles'
import { compile } from './formula'
import { empty, FAR, type RaceInput, type Racer, type Track, trimmed } from './track'

/** Second-order methods choose their own steps. */
export function solve({ ground, start, steps }: RaceInput, racer: Racer): Track {
  const f = compile(ground)
  const track = empty(steps, racer)
  const loss = (p: Tensor) => sum(f(slice(p, 0, 1), slice(p, 1, 2)))
  const point = tensor(Float64Array.from(start), { backend: doubles() })
  const { value, gradient } = valueAndGrad(loss)(point)
  const visit = (step: number, x: ArrayLike<number>, v: number, g: ArrayLike<number>) => {
    track.path.set([x[0], x[1]], 2 * step)
    track.values[step] = v
    track.gradientNorms[step] = Math.hypot(g[0], g[1])
    track.gradients.set([g[0], g[1]], 2 * step)
    track.steps = step
  }
  visit(0, start, value, gradient.data())
  if (!Number.isFinite(value + track.gradientNorms[0])) return trimmed({ ...track, end: 'undefined' })
  if (racer.id === 'newton') {
    Object.assign(track, newton(loss, point, steps, visit))
    return trimmed(track)
  }
  const result = minimize(loss, point, {
    method: racer.id as MinimizeMethod,
    maxIterations: steps,
    hessianProduct: (x, v) => {
      track.products++
      return hvp(loss)(tensor(x, { backend: doubles() }), tensor(v, { backend: doubles() })).data()
    },
    onIteration: ({ iteration, x, value, gradient, evaluations }) => {
      if (iteration > steps) return false
      visit(iteration, x, value, gradient)
      track.evaluations = evaluations
      return Math.abs(value) < FAR
    },
  })
  track.end = result.converged ? 'converged' : Math.abs(result.value) < FAR ? 'steps' : 'diverged'
  return trimmed(track)
}

/**
 * Newton's method with the whole Hessian, H·d = −g by Cramer's rule; where H is not positive definite, d = −g. A step that does not lower f
 * is halved until it does. `NEWTON` in code.ts is the same as a program.
 */
function newton(
  loss: (p: Tensor) => Tensor,
  start: Tensor,
  steps: number,
  visit: (step: number, x: ArrayLike<number>, v: number, g: ArrayLike<number>) => void,
): Pick<Track, 'end' | 'evaluations' | 'products'> {
  const at = (x: number[]) => tensor(Float64Array.from(x), { backend: doubles() })
  let [x, y] = start.data()
  for (let step = 0; ; step++) {
    const { value, gradient } = valueAndGrad(loss)(at([x, y]))
    const [p, q] = gradient.data()
    visit(step, [x, y], value, [p, q])
    const beyond = Number.isNaN(value) ? 'undefined' : 'diverged'
    const end = Math.hypot(p, q) < 1e-8 ? 'converged' : Math.abs(value) < FAR ? 'steps' : beyond
    if (step === steps || end !== 'steps') return { end, evaluations: step + 1, products: 2 * step }
    const [a, b, , c] = hessian(loss)(at([x, y])).data()
    const det = a * c - b * b
    const [dx, dy] = a > 0 && det > 0 ? [(b * q - c * p) / det, (b * p - a * q) / det] : [-p, -q]
    let share = 1
    while (share > 1e-9 && !(loss(at([x + share * dx, y + share * dy])).item() < value)) share /= 2
    ;[x, y] = [x + share * dx, y + share * dy]
  }
}

/** The kind of a point. */
import { slice, sum, type Tensor, tensor } from 'gradus'
import { hessian, inspectPoint, type PointKind, valueAndGrad } from 'gradus/curvature'
import { doubles } from '../engine/doubles'
import { compile, type Ground } from './formula'

export interface Verdict {
  kind: PointKind
  value: number
  gradient: [number, number]
  /** Eigenvalues of the Hessian, rising, and their unit eigenvectors. */
  eigenvalues: [number, number]
  eigenvectors: [[number, number], [number, number]]
  explanation: string
}

export function inspect({ ground, at }: { ground: Ground; at: readonly [number, number] }): Verdict {
  const f = compile(ground)
  const backend = doubles()
  const loss = (p: Tensor) => sum(f(slice(p, 0, 1), slice(p, 1, 2)))
  const point = tensor(Float64Array.from(at), { backend })
  const { kind, value, explanation } = inspectPoint(loss, point, { gradientTolerance: 1e-5 })
  const gradient = valueAndGrad(loss)(point).gradient
  const [a, b, , d] = hessian(loss)(point).data()
  return { kind, value, explanation, gradient: pair(gradient.data()), ...eigen(a, b, d) }
}

const pair = ([a, b]: ArrayLike<number> & Iterable<number>): [number, number] => [a, b]

/** Eigenvalues and eigenvectors of [[a, b], [b, d]]. */
function eigen(a: number, b: number, d: number): Pick<Verdict, 'eigenvalues' | 'eigenvectors'> {
  const mean = (a + d) / 2
  const radius = Math.hypot((a - d) / 2, b)
  const angle = Math.atan2(2 * b, a - d) / 2
  const major: [number, number] = [Math.cos(angle), Math.sin(angle)]
  return { eigenvalues: [mean - radius, mean + radius], eigenvectors: [[-major[1], major[0]], major] }
}

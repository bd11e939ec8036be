/** Residuals of a user's function and their Jacobian: given, by differences, or by backpropagation. */

import { doubleBackend } from '../../backend/index.js'
import { rangeError, typeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { allFinite, copied, dot } from '../../common/vector.js'
import { gradients } from '../../ops/gradients.js'
import { Tensor, type TensorFunction } from '../../tensor.js'
import type { Box } from '../box.js'
import { FunctionError } from '../result.js'
import type { LeastSquaresProblem } from './damped.js'
import { equationsFor, type NormalEquations } from './equations.js'

/** Residuals at a point. The function must not keep or change `x`. */
export type Residuals = (x: Float64Array) => ArrayLike<number>

/** The Jacobian ∂rᵢ/∂xⱼ, as rows or as one row-major array of m·n numbers. */
export type Jacobian = (x: Float64Array) => ArrayLike<number> | ArrayLike<ArrayLike<number>>

const ROOT_EPSILON = Math.sqrt(Number.EPSILON)
const CUBE_ROOT_EPSILON = Math.cbrt(Number.EPSILON)

const EMPTY = new Float64Array(0)

/** Share of the first sum of squares that counts as 0. */
const NOTHING = 1e-14

/** A sum of squares of a user's function. @internal */
export class FunctionProblem implements LeastSquaresProblem {
  readonly equations: NormalEquations
  evaluations = 0
  /** Residuals at the last linearization. */
  accepted: Float64Array = EMPTY
  /** Residuals at the point of the last value(). */
  latest: Float64Array = EMPTY
  private columns = EMPTY
  private start: Float64Array = EMPTY
  private rows = -1
  /** F at the start. */
  private first = Number.NaN
  private central = false
  /** A copy of x for the user's function, which may change it. */
  private readonly lent: Float64Array

  constructor(
    private readonly owner: string,
    private readonly f: Residuals,
    private readonly jacobian: Jacobian | undefined,
    readonly size: number,
    private readonly box: Box | null = null,
  ) {
    this.lent = new Float64Array(size)
    this.equations = equationsFor(size)
  }

  value(x: Float64Array): number {
    if (this.rows < 0) this.latest = this.firstCall(x)
    else this.call(x, this.latest)
    const sum = dot(this.latest, this.latest)
    if (Number.isNaN(this.first)) this.first = 0.5 * sum
    return Number.isFinite(sum) ? 0.5 * sum : Number.NaN
  }

  /** Determines the number of residuals, and allocates arrays for them. */
  private firstCall(x: Float64Array): Float64Array {
    this.start = copied(x)
    const r = this.ask(x)
    const m = Number((r as ArrayLike<number> | undefined)?.length)
    if (Number.isNaN(m)) this.wrongKind(r)
    if (!(m > 0)) this.wrongLength(m)
    this.rows = m
    this.columns = new Float64Array(this.size * m)
    this.accepted = new Float64Array(m)
    return copied(r)
  }

  /** The residuals at x into `out`. */
  private call(x: Float64Array, out: Float64Array): void {
    const r = this.ask(x)
    if (r.length !== this.rows) this.wrongLength(r.length)
    for (let i = 0; i < out.length; i++) out[i] = r[i]
  }

  private wrongKind(r: unknown): never {
    const hint = r instanceof Tensor ? 'a tensor: for a function of tensors give the start as a tensor, too' : show(r)
    throw new FunctionError(typeError(`${this.owner}: wants residuals as an array of numbers, got ${hint}`))
  }

  private wrongLength(length: number): never {
    const before = this.rows < 0 ? '' : ` after ${this.rows}`
    throw new FunctionError(rangeError(`${this.owner}: wants at least one residual and always as many: got ${length}${before}`))
  }

  private ask(x: Float64Array): ArrayLike<number> {
    this.evaluations++
    // For few numbers set() takes longer than a loop.
    for (let i = 0; i < x.length; i++) this.lent[i] = x[i]
    return this.guarded(this.f)
  }

  private guarded<T>(f: (x: Float64Array) => T): T {
    try {
      return f(this.lent)
    } catch (error) {
      throw new FunctionError(error)
    }
  }

  linearize(x: Float64Array): void {
    const { equations } = this
    const residuals = this.latest
    // The other array may be overwritten: it holds data of the previous point.
    this.latest = this.accepted
    this.accepted = residuals
    if (this.jacobian !== undefined) this.given(x, this.jacobian)
    else this.differences(x, residuals)
    equations.clear()
    equations.add(this.columns, this.rows, residuals)
    equations.finish()
  }

  release(): void {
    this.equations.release()
  }

  /**
   * Switches to central differences; false if nothing can be gained: if the residuals are nearly 0, so are the effects of errors in the Jacobian.
   * Afterwards the residuals are those at x.
   */
  refine(x: Float64Array, value: number): boolean {
    if (this.jacobian !== undefined || this.central || value <= NOTHING * this.first) return false
    this.central = true
    this.value(x)
    return true
  }

  private given(x: Float64Array, jacobian: Jacobian): void {
    const { rows: m, size: n, columns } = this
    this.lent.set(x)
    const rows = this.guarded(jacobian)
    const flatten = typeof rows[0] === 'number' ? (rows as ArrayLike<number>) : flattened(rows as ArrayLike<ArrayLike<number>>)
    if (flatten.length !== m * n)
      throw new FunctionError(rangeError(`${this.owner}: the Jacobian wants ${m}·${n} numbers, got ${flatten.length}`))
    for (let i = 0, at = 0; i < m; i++) for (let j = 0; j < n; j++, at++) columns[j * m + i] = flatten[at]
  }

  /**
   * √ε steps: half of the digits for n calls, which is enough on the way to the minimum; then ∛ε steps to both sides: two thirds of the digits for 2n
   * calls. Bounds limit the steps: at a bound there is one side only, and fixed parameters are not varied.
   */
  private differences(x: Float64Array, r: Float64Array): void {
    const { box } = this
    const at = x.slice()
    for (let j = 0; j < this.size; j++) {
      const h = CUBE_ROOT_EPSILON * this.widthOf(j, x[j])
      if (box?.fixes(j)) this.columns.fill(0, j * this.rows, (j + 1) * this.rows)
      else if (box !== null && box.reach(j, x[j], h) < h) this.forwardColumn(at, j, r)
      else if (this.central || !this.forwardColumn(at, j, r)) this.centralColumn(at, j, h)
    }
  }

  /** The unit of a step: |x|, or, near zero, a thousandth of the start, or of 1 for a start of zero. */
  private widthOf(j: number, x: number): number {
    return Math.max(Math.abs(x), 1e-3 * (Math.abs(this.start[j]) || 1))
  }

  /** False if the function is not finite on that side. */
  private forwardColumn(at: Float64Array, j: number, r: Float64Array): boolean {
    const m = this.rows
    const xj = at[j]
    const step = ROOT_EPSILON * this.widthOf(j, xj)
    at[j] = xj + (this.box?.inward(j, xj, step) ?? step)
    const h = at[j] - xj
    const column = this.columns.subarray(j * m, (j + 1) * m)
    this.call(at, column)
    at[j] = xj
    for (let i = 0; i < m; i++) column[i] = (column[i] - r[i]) / h
    return allFinite(column)
  }

  private centralColumn(at: Float64Array, j: number, h: number): void {
    const m = this.rows
    const xj = at[j]
    const column = this.columns.subarray(j * m, (j + 1) * m)
    at[j] = xj + h
    this.call(at, column)
    at[j] = xj - h
    // The next value() writes over it.
    const minus = this.latest
    this.call(at, minus)
    at[j] = xj
    for (let i = 0; i < m; i++) column[i] = (column[i] - minus[i]) / (2 * h)
  }
}

function flattened(rows: ArrayLike<ArrayLike<number>>): number[] {
  const out: number[] = []
  for (let i = 0; i < rows.length; i++) for (let j = 0; j < rows[i].length; j++) out.push(rows[i][j])
  return out
}

/** Residuals of a function of a tensor, their Jacobian by one backward pass a row. @internal */
export function tensorProblem(owner: string, f: TensorFunction, x0: Tensor, jacobian: Jacobian | undefined): FunctionProblem {
  const backend = x0.backend.dtype === 'float64' ? x0.backend : doubleBackend()
  const run = <T>(x: Float64Array, use: (r: Tensor, at: Tensor) => T): T => {
    const at = Tensor.onHost(backend, x0.shape, x.slice(), true)
    const r = f(at)
    if (!(r instanceof Tensor)) throw typeError(`${owner}: a function of a tensor wants to return a tensor, got ${show(r)}`)
    const result = use(r, at)
    backend.arena.end()
    return result
  }
  const rows = (x: Float64Array) => run(x, (r, at) => rowsOf(r, [at]))
  return new FunctionProblem(owner, (x) => run(x, (r) => Float64Array.from(r.data())), jacobian ?? rows, x0.size)
}

/**
 * The Jacobian of r by rows, row-major, with respect to `inputs` end to end; by backpropagation, once per row. Zeros for
 * inputs that do not require a gradient. @internal
 */
export function rowsOf(r: Tensor, inputs: readonly Tensor[]): Float64Array {
  const n = inputs.reduce((sum, input) => sum + input.size, 0)
  const out = new Float64Array(r.size * n)
  if (!r.requiresGrad) return out
  const wanted = inputs.filter((input) => input.requiresGrad)
  for (let i = 0, at = 0; i < r.size; i++) {
    const seed = r.backend.dtype === 'float64' ? new Float64Array(r.size) : new Float32Array(r.size)
    seed[i] = 1
    const found = gradients(r, wanted, { seed: Tensor.onHost(r.backend, r.shape, seed), retainGraph: true })[Symbol.iterator]()
    for (const input of inputs) {
      if (input.requiresGrad) out.set(found.next().value!.data(), at)
      at += input.size
    }
  }
  return out
}

/** The normal equations of least squares, H = JᵀJ and g = Jᵀr, and their solution: in plain arrays, or in kernels. */
import { DoubleWorkspace, doubleHome } from '../../backend/double.js'
import { addGram, addProduct, cholesky, solveCholesky } from '../../backend/js/normal-equations.js'
import type { Ptr } from '../../backend/kernels.js'

/** Parameters that stay fixed: their start in the vector of all parameters, and their number. @internal */
export interface Frozen {
  at: number
  size: number
}

/** H and g of n parameters, and a factor of the damped H. @internal */
export interface NormalEquations {
  readonly size: number
  /** Jᵀr */
  readonly gradient: Float64Array
  /** The diagonal of H. */
  readonly diagonal: Float64Array
  /** H ← 0, g ← 0 */
  clear(): void
  /** H ← H + J·Jᵀ, g ← g + J·r for J as n rows of m numbers. */
  add(j: Float64Array, m: number, r: Float64Array): void
  /**
   * gradient and diagonal after the last add(). The rows of J for frozen parameters are zeros; In H they get diagonal elements of the size of the
   * others, so that they do not move and H stays regular without a damping.
   */
  finish(frozen?: readonly Frozen[]): void
  /** H + μ·diag(d) = L·Lᵀ, d = null for ones; false if it is not positive definite. */
  factor(mu: number, d: Float64Array | null): boolean
  /** x ← (L·Lᵀ)⁻¹·x */
  solve(x: Float64Array): void
  /** H in full, row-major. */
  matrix(): Float64Array
  release(): void
}

/** Number of parameters from which on kernels are worth the copies to their memory. */
const MANY = 8

/** Makes equations for n parameters, of the kind that is faster for this number. @internal */
export function equationsFor(n: number): NormalEquations {
  return n < MANY ? new PlainEquations(n) : new KernelEquations(n, new DoubleWorkspace(doubleHome()))
}

/** Equations in plain arrays, for a few parameters: there, calls of kernels cost more than the arithmetic. */
class PlainEquations implements NormalEquations {
  readonly gradient: Float64Array
  readonly diagonal: Float64Array
  private readonly h: Float64Array
  private readonly l: Float64Array

  constructor(readonly size: number) {
    this.h = new Float64Array(size * size)
    this.l = new Float64Array(size * size)
    this.gradient = new Float64Array(size)
    this.diagonal = new Float64Array(size)
  }

  clear(): void {
    this.h.fill(0)
    this.gradient.fill(0)
  }

  add(j: Float64Array, m: number, r: Float64Array): void {
    addGram(j, this.size, m, m, this.h)
    addProduct(j, this.size, m, m, r, this.gradient)
  }

  finish(frozen: readonly Frozen[] = []): void {
    finishDiagonal(this.h, this.diagonal, frozen)
  }

  factor(mu: number, d: Float64Array | null): boolean {
    return cholesky(this.h, this.size, mu, d, this.l)
  }

  solve(x: Float64Array): void {
    solveCholesky(this.l, this.size, x, x)
  }

  matrix(): Float64Array {
    return symmetric(this.h.slice(), this.size)
  }

  release(): void {}
}

/** Equations in the memory of a backend. @internal */
export class KernelEquations implements NormalEquations {
  readonly gradient: Float64Array
  readonly diagonal: Float64Array
  /** H and g, for kernels that add to them. */
  readonly h: Ptr
  readonly g: Ptr
  private readonly l: Ptr
  private readonly d: Ptr
  private readonly x: Ptr
  private jacobian: { ptr: Ptr; size: number } | null = null

  constructor(
    readonly size: number,
    readonly workspace: DoubleWorkspace,
  ) {
    this.h = workspace.take(size * size)
    this.l = workspace.take(size * size)
    this.g = workspace.take(size)
    this.d = workspace.take(size)
    this.x = workspace.take(size)
    this.gradient = new Float64Array(size)
    this.diagonal = new Float64Array(size)
  }

  clear(): void {
    this.workspace.view(this.h, this.size * this.size).fill(0)
    this.workspace.view(this.g, this.size).fill(0)
  }

  add(j: Float64Array, m: number, r: Float64Array): void {
    const { workspace, size } = this
    if (this.jacobian?.size !== m) this.jacobian = { ptr: workspace.take((size + 1) * m), size: m }
    const { ptr } = this.jacobian
    const view = workspace.view(ptr, (size + 1) * m)
    view.set(j)
    view.set(r, size * m)
    this.addAt(ptr, m, m, ptr + 8 * size * m)
  }

  /** {@link add} for J and r in the memory. */
  addAt(j: Ptr, m: number, stride: number, r: Ptr): void {
    const { kernels } = this.workspace
    kernels.doubleGram(j, this.size, m, stride, this.h)
    kernels.doubleProduct(j, this.size, m, stride, r, this.g)
  }

  /** H ← these numbers, row-major; only the lower triangle counts. */
  load(h: Float64Array): void {
    this.workspace.view(this.h, this.size * this.size).set(h)
  }

  finish(frozen: readonly Frozen[] = []): void {
    const { workspace, size } = this
    this.gradient.set(workspace.view(this.g, size))
    finishDiagonal(workspace.view(this.h, size * size), this.diagonal, frozen)
  }

  factor(mu: number, d: Float64Array | null): boolean {
    const { workspace, size } = this
    if (d !== null) workspace.view(this.d, size).set(d)
    return workspace.kernels.doubleCholesky(this.h, size, mu, d === null ? 0 : this.d, this.l) === 1
  }

  solve(x: Float64Array): void {
    const { workspace, size } = this
    workspace.view(this.x, size).set(x)
    workspace.kernels.doubleSolve(this.l, size, this.x)
    x.set(workspace.view(this.x, size))
  }

  matrix(): Float64Array {
    return symmetric(this.workspace.view(this.h, this.size * this.size).slice(), this.size)
  }

  release(): void {
    this.workspace.release()
  }
}

function finishDiagonal(h: Float64Array, diagonal: Float64Array, frozen: readonly Frozen[]): void {
  const n = diagonal.length
  for (let i = 0; i < n; i++) diagonal[i] = h[i * n + i]
  if (frozen.length === 0) return
  const largest = diagonal.reduce((a, b) => Math.max(a, b), 0) || 1
  for (const { at, size } of frozen) for (let i = at; i < at + size; i++) h[i * n + i] = diagonal[i] = largest
}

/** Fills the upper triangle from the lower one. */
function symmetric(h: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) h[j * n + i] = h[i * n + j]
  return h
}

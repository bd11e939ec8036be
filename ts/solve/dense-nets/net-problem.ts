/** Sums of squares of nets: predictions less targets, over chunks of rows that fit in the cache. */
import { DoubleWorkspace, doubleHome } from '../../backend/double.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import { ShapeError } from '../../common/errors.js'
import { formatShape } from '../../common/shape.js'
import type { Tensor } from '../../tensor.js'
import type { LeastSquaresProblem } from '../least-squares/damped.js'
import { type Frozen, KernelEquations } from '../least-squares/equations.js'
import { clearFrozen, DenseNet, type LayerPlan, unitMajor } from './dense-net.js'

/** Number of elements of the Jacobian that are held at a time, and least number of rows of a chunk. */
const CHUNK_FLOATS = 1 << 17
const MIN_ROWS = 32

/** Row ranges of a data set and the matrices over them. @internal */
export interface Chunk {
  count: number
  /** Unit-major. */
  inputs: Float64Array
  /** Unit-major. */
  targets: Float64Array
}

/** Cuts row-major data into chunks, for methods that hold `perRow` numbers per row at a time. @internal */
export function chunksOf(plan: readonly LayerPlan[], perRow: number, x: ArrayLike<number>, y: ArrayLike<number>): Chunk[] {
  const inputs = plan[0].inputs
  const { outputs } = plan[plan.length - 1]
  const rows = x.length / inputs
  const perChunk = Math.max(MIN_ROWS, Math.floor(CHUNK_FLOATS / perRow))
  const chunks: Chunk[] = []
  for (let from = 0; from < rows; from += perChunk) {
    const to = Math.min(rows, from + perChunk)
    chunks.push({ count: to - from, inputs: unitMajor(x, inputs, from, to), targets: unitMajor(y, outputs, from, to) })
  }
  return chunks
}

/** @throws ShapeError for inputs or targets that do not fit the net @internal */
export function checkNetData(owner: string, plan: readonly LayerPlan[], x: Tensor, y: Tensor, targetsPerRow?: number): void {
  const inputs = plan[0].inputs
  const outputs = targetsPerRow ?? plan[plan.length - 1].outputs
  if (x.rank !== 2 || x.shape[1] !== inputs || x.shape[0] === 0)
    throw new ShapeError(`${owner}: wants inputs [rows, ${inputs}], got ${formatShape(x.shape)}`)
  if (y.size !== x.shape[0] * outputs)
    throw new ShapeError(`${owner}: wants ${outputs} targets for each of ${x.shape[0]} rows, got ${formatShape(y.shape)}`)
}

/** A chunk in the workspace of a problem. */
interface Placed {
  count: number
  inputs: Ptr
  targets: Ptr
}

/** Copies chunks to the memory that kernels read. */
function place(chunks: readonly Chunk[], workspace: DoubleWorkspace): Placed[] {
  return chunks.map(({ count, inputs, targets }) => ({ count, inputs: workspace.put(inputs), targets: workspace.put(targets) }))
}

/** r = prediction − target of a dense net, all outputs of all rows. @internal */
export class NetProblem implements LeastSquaresProblem {
  readonly equations: KernelEquations
  private readonly workspace: DoubleWorkspace
  private readonly net: DenseNet
  private readonly chunks: readonly Placed[]
  private readonly x: Ptr
  private readonly columns: Ptr
  private readonly residuals: Ptr

  constructor(
    backend: Backend,
    plan: readonly LayerPlan[],
    readonly size: number,
    chunks: readonly Chunk[],
    private readonly frozen: readonly Frozen[] = [],
  ) {
    const workspace = new DoubleWorkspace(doubleHome(backend))
    const most = chunks[0].count
    this.workspace = workspace
    try {
      this.net = new DenseNet(workspace, plan, most)
      this.equations = new KernelEquations(size, workspace)
      this.chunks = place(chunks, workspace)
      this.x = workspace.take(size)
      this.columns = workspace.take(size * most * this.net.outputs)
      this.residuals = workspace.take(most * this.net.outputs)
    } catch (error) {
      workspace.release()
      throw error
    }
  }

  value(x: Float64Array): number {
    this.workspace.view(this.x, this.size).set(x)
    let sum = 0
    for (const chunk of this.chunks) sum += this.chunkValue(chunk)
    return 0.5 * sum
  }

  private chunkValue({ inputs, targets, count }: Placed): number {
    const outputs = this.net.forward(this.x, inputs, count)
    return this.workspace.kernels.doubleResidual(outputs, targets, this.residuals, this.net.outputs * count)
  }

  linearize(): void {
    const { equations } = this
    equations.clear()
    for (const chunk of this.chunks) {
      // With a single chunk the pass that value() made at this point is still there.
      if (this.chunks.length > 1) this.chunkValue(chunk)
      this.jacobian(chunk)
      const m = this.net.outputs * chunk.count
      equations.addAt(this.columns, m, m, this.residuals)
    }
    equations.finish(this.frozen)
  }

  private jacobian({ inputs, count }: Placed): void {
    const { net } = this
    const m = net.outputs * count
    net.slopes(count)
    for (let k = 0; k < net.outputs; k++) net.jacobianOf(k, this.x, inputs, count, this.columns, m, k * count)
    clearFrozen(this.workspace, this.frozen, this.columns, m)
  }

  release(): void {
    this.workspace.release()
  }
}

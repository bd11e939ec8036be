/** Cuts a broadcast of any rank into calls of the two-dimensional kernels. */
import type { Binary } from '../backend/kernels.js'
import { type Shape, sameShape, sizeOf } from '../common/shape.js'
import type { Tensor } from '../tensor.js'

export interface BroadcastPlan {
  rows: number
  cols: number
  aRow: number
  aCol: number
  bRow: number
  bCol: number
  /** Start of each call, in elements. */
  blocks: { aOffset: number; bOffset: number; yOffset: number }[]
}

interface Axis {
  length: number
  a: number
  b: number
}

/** @internal row-major strides of `shape` seen as `out`: 0 along every axis that is repeated */
export function stridesAs(shape: Shape, out: Shape): number[] {
  const strides = new Array<number>(out.length).fill(0)
  let stride = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1) strides[out.length - shape.length + i] = stride
    stride *= shape[i]
  }
  return strides
}

/** Merges neighboring axes that both operands can walk as a single axis. */
function collapse(a: Shape, b: Shape, out: Shape): Axis[] {
  const [sa, sb] = [stridesAs(a, out), stridesAs(b, out)]
  const axes: Axis[] = []
  for (let i = 0; i < out.length; i++) {
    if (out[i] === 1) continue
    const last = axes[axes.length - 1]
    if (last && last.a === sa[i] * out[i] && last.b === sb[i] * out[i]) {
      axes[axes.length - 1] = { length: last.length * out[i], a: sa[i], b: sb[i] }
    } else axes.push({ length: out[i], a: sa[i], b: sb[i] })
  }
  return axes
}

/** The plan for shapes that broadcast to `out`. */
function broadcastPlan(a: Shape, b: Shape, out: Shape): BroadcastPlan {
  const none = { length: 1, a: 0, b: 0 }
  const axes = collapse(a, b, out)
  const col = axes.pop() ?? none
  const row = axes.pop() ?? none
  const size = sizeOf(out) === 0 ? 0 : row.length * col.length
  let blocks = [{ aOffset: 0, bOffset: 0, yOffset: 0 }]
  let yStride = size
  for (const axis of axes.reverse()) {
    const before = blocks
    blocks = []
    for (let i = 0; i < axis.length; i++)
      for (const { aOffset, bOffset, yOffset } of before)
        blocks.push({ aOffset: aOffset + i * axis.a, bOffset: bOffset + i * axis.b, yOffset: yOffset + i * yStride })
    yStride *= axis.length
  }
  return { rows: size === 0 ? 0 : row.length, cols: col.length, aRow: row.a, aCol: col.a, bRow: row.b, bCol: col.b, blocks }
}

/** @internal y ← a kernel of a and b, broadcast to `shape` */
export function runBinary(kernel: Binary, a: Tensor, b: Tensor, shape: Shape, y: number, elementSize: number): void {
  const [aAt, bAt] = [a.address, b.address]
  if (sameShape(a.shape, shape) && sameShape(b.shape, shape)) return kernel(aAt, bAt, y, 1, a.size, 0, 1, 0, 1)
  const plan = broadcastPlan(a.shape, b.shape, shape)
  for (const { aOffset, bOffset, yOffset } of plan.blocks)
    kernel(
      aAt + aOffset * elementSize,
      bAt + bOffset * elementSize,
      y + yOffset * elementSize,
      plan.rows,
      plan.cols,
      plan.aRow,
      plan.aCol,
      plan.bRow,
      plan.bCol,
    )
}

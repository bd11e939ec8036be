/** Matrix products. */

import { apply } from '../autograd.js'
import { withProducts } from '../backend/families.js'
import { ShapeError } from '../common/errors.js'
import { checkOptions, flag, type Schema } from '../common/options.js'
import { broadcastShapes, formatShape, type Shape, sizeOf } from '../common/shape.js'
import type { Product, Text, Turned, Unless } from '../common/shape-types.js'
import { asFloats, type Operand, type ShapeOf, Tensor, type TensorLike } from '../tensor.js'
import { stridesAs } from './broadcast.js'
import { reshape, transpose } from './shape.js'
import { sumTo } from './sum.js'

/** Flags for operands of {@link matmul} that are used transposed. */
export interface MatmulOptions<A extends boolean = boolean, B extends boolean = boolean> {
  transposeA?: A
  transposeB?: B
}

type Multiplied<A, B, TA extends boolean, TB extends boolean> = Product<Turned<ShapeOf<A>, TA>, Turned<ShapeOf<B>, TB>>
type Refused<A, B, TA, TB> = `${Factor<A, TA>} · ${Factor<B, TB>}: wants two matrices whose inner sizes agree`
type Factor<A, T> = `${Text<ShapeOf<A>>}${[T] extends [true] ? 'ᵀ' : ''}`

export const MATMUL = { transposeA: { is: flag }, transposeB: { is: flag } } satisfies Schema<MatmulOptions>

/**
 * The matrix product a[..., m, k] · b[..., k, n]; with options aᵀ or bᵀ is used without a copy being made. Axes before the last two are stacks of
 * matrices, which broadcast: a stack [8, m, k] times one matrix [k, n] is [8, m, n].
 *
 * @example
 * matmul([[1, 2]], [[3], [4]]) // [[11]]
 * matmul(ones([8, 4, 2, 3]), ones([8, 1, 3, 5])).shape // [8, 4, 2, 5]
 * @throws ShapeError unless both are matrices, or stacks of matrices, whose inner dimensions agree and whose other axes broadcast
 */
export function matmul<A extends Operand, B extends Operand, TA extends boolean = false, TB extends boolean = false>(
  left: A,
  right: Unless<Multiplied<A, B, TA, TB>, B, Refused<A, B, TA, TB>>,
  options: MatmulOptions<TA, TB> = {},
): Tensor<Multiplied<A, B, TA, TB>> {
  const { transposeA = false, transposeB = false } = checkOptions('matmul', options, MATMUL)
  const a = asFloats(left, (right as unknown) instanceof Tensor ? (right as Tensor).backend : undefined, 'matmul')
  const b = asFloats(right as TensorLike, a.backend, 'matmul')
  if (a.rank < 2 || b.rank < 2)
    throw new ShapeError(
      `matmul: wants two matrices, or stacks of matrices, got ${formatShape(a.shape)} and ${formatShape(b.shape)}; reshape a vector to [1, n] or [n, 1]`,
    )
  const [m, k] = sidesOf(a, transposeA)
  const [inner, n] = sidesOf(b, transposeB)
  if (k !== inner) {
    const mark = (t: boolean) => (t ? 'ᵀ' : '')
    throw new ShapeError(
      `matmul: ${formatShape(a.shape)}${mark(transposeA)} · ${formatShape(b.shape)}${mark(transposeB)}: inner dimensions ${k} and ${inner} differ`,
    )
  }
  if (transposeA && transposeB) return matmul(turned(a), b, { transposeB })
  // all rows of a stack times one matrix are one product
  if (a.rank > 2 && b.rank === 2 && !transposeA)
    return reshape(matmul(reshape(a, [sizeOf(a.shape.slice(0, -1)), k]) as Tensor, b, { transposeB } as MatmulOptions), [
      ...a.shape.slice(0, -1),
      n,
    ])
  const [ofA, ofB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  const stack = broadcastShapes(ofA, ofB, 'matmul')
  const [fromA, fromB] = [placesIn(ofA, stack), placesIn(ofB, stack)]
  return apply(
    [a, b],
    [...stack, m, n],
    (y, backend) => {
      const kernels = withProducts(backend)
      const product = transposeA ? kernels.matmulTN : transposeB ? kernels.matmulNT : kernels.matmul
      const { elementSize, scratch } = backend.heap
      const [aAt, bAt] = [a.address, b.address]
      for (let i = 0; i < fromA.length; i++) {
        const [left, right] = [aAt + fromA[i] * m * k * elementSize, bAt + fromB[i] * k * n * elementSize]
        product(left, right, y + i * m * n * elementSize, m, n, k, 0, scratch)
      }
    },
    () => ({
      operation: 'matmul',
      vjp: (g) => [
        a.requiresGrad ? sumTo(leftGradient(g, b, options), a.shape) : null,
        b.requiresGrad ? sumTo(rightGradient(g, a, options), b.shape) : null,
      ],
    }),
  )
}

/** Rows and columns of the matrices of a stack. */
function sidesOf({ shape }: Tensor, isTransposed: boolean): number[] {
  const sides = shape.slice(-2)
  return isTransposed ? sides.reverse() : sides
}

/** The number of the matrix in a stack of this shape, for each matrix of the stack that it is broadcast to. */
function placesIn(shape: Shape, stack: Shape): number[] {
  const strides = stridesAs(shape, stack)
  return stack.reduce((places, length, axis) => places.flatMap((at) => range(length).map((i) => at + i * strides[axis])), [0])
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i)

/** dA = g·Bᵀ, or for Aᵀ: B·gᵀ */
function leftGradient(g: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions): Tensor {
  if (transposeA) return matmul(b, g, { transposeB: true })
  return matmul(g, b, { transposeB: !transposeB })
}

/** dB = Aᵀ·g, or for Bᵀ: gᵀ·A */
function rightGradient(g: Tensor, a: Tensor, { transposeA = false, transposeB = false }: MatmulOptions): Tensor {
  if (transposeB) return matmul(g, a, { transposeA: true })
  return matmul(a, g, { transposeA: !transposeA })
}

/** The transposes of the matrices of a stack. */
function turned(a: Tensor): Tensor {
  const { rank } = a
  return transpose(a, [...range(rank - 2), rank - 1, rank - 2])
}

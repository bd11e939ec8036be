/** Matrix products. */

import { apply } from '../autograd.js'
import { withOperations, withProducts } from '../backend/families.js'
import { ShapeError } from '../common/errors.js'
import { checkOptions, flag, type Schema } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import type { Product, Text, Turned, Unless } from '../common/shape-types.js'
import { asFloats, type Operand, type ShapeOf, Tensor, type TensorLike } from '../tensor.js'

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
 * The matrix product a[m,k] · b[k,n]; with options aᵀ or bᵀ is used without a copy being made.
 * @example matmul([[1, 2]], [[3], [4]]) // [[11]]
 * @throws ShapeError unless both are matrices whose inner dimensions agree
 */
export function matmul<A extends Operand, B extends Operand, TA extends boolean = false, TB extends boolean = false>(
  left: A,
  right: Unless<Multiplied<A, B, TA, TB>, B, Refused<A, B, TA, TB>>,
  options: MatmulOptions<TA, TB> = {},
): Tensor<Multiplied<A, B, TA, TB>> {
  const { transposeA = false, transposeB = false } = checkOptions('matmul', options, MATMUL)
  const a = asFloats(left, (right as unknown) instanceof Tensor ? (right as Tensor).backend : undefined, 'matmul')
  const b = asFloats(right as TensorLike, a.backend, 'matmul')
  if (a.rank !== 2 || b.rank !== 2)
    throw new ShapeError(`matmul: wants two matrices, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`)
  const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : a.shape
  const [inner, n] = transposeB ? [b.shape[1], b.shape[0]] : b.shape
  if (k !== inner) {
    const mark = (t: boolean) => (t ? 'ᵀ' : '')
    throw new ShapeError(
      `matmul: ${formatShape(a.shape)}${mark(transposeA)} · ${formatShape(b.shape)}${mark(transposeB)}: inner dimensions ${k} and ${inner} differ`,
    )
  }
  if (transposeA && transposeB) return matmul(materializeTranspose(a), b, { transposeB })
  return apply(
    [a, b],
    [m, n],
    (y, backend) => {
      const kernels = withProducts(backend)
      const product = transposeA ? kernels.matmulTN : transposeB ? kernels.matmulNT : kernels.matmul
      product(a.address, b.address, y, m, n, k, 0, backend.heap.scratch)
    },
    () => ({
      operation: 'matmul',
      vjp: (g) => [a.requiresGrad ? leftGradient(g, b, options) : null, b.requiresGrad ? rightGradient(g, a, options) : null],
    }),
  )
}

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

function materializeTranspose(a: Tensor): Tensor {
  return apply(
    [a],
    [a.shape[1], a.shape[0]],
    (y, backend) => withOperations(backend).transpose(a.address, y, a.shape[0], a.shape[1]),
    () => ({ vjp: (g) => [materializeTranspose(g)] }),
  )
}

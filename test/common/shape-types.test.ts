/** Shapes that the compiler checks: what it accepts, what it refuses, and in which words. `make check` runs it over this file. */
import { describe, expect, test } from 'vitest'
import {
  add,
  argmax,
  broadcastTo,
  concat,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  dropout,
  eye,
  Flatten,
  full,
  Generator,
  gather,
  type Loss,
  logSoftmax,
  logSumExp,
  Module,
  matmul,
  max,
  maximum,
  mean,
  mse,
  mul,
  neg,
  noGrad,
  ones,
  Parameter,
  relu,
  reshape,
  Sequential,
  type Shape,
  slice,
  softmax,
  stack,
  sum,
  Tensor,
  type TensorFunction,
  type TensorLike,
  tanh,
  tensor,
  transpose,
  variance,
  where,
  zeros,
} from '../../ts/index.js'
import { compilerErrors } from '../tools/snippets.js'

const backend = createBackend({ backend: 'js' })
const here = { backend }

/** The same type, not one that is merely assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only if the compiler knows exactly this shape for a tensor; at run time the tensor must have it. */
function isOf<S extends Shape>(...shape: number[] & S): <T extends Shape>(t: Same<T, S> extends true ? Tensor<T> : never) => void {
  return (t) => expect((t as Tensor).shape).toEqual([...shape])
}

/** Compiles only if nothing is known about the shape. */
function isOpen<S extends Shape>(t: Same<S, Shape> extends true ? Tensor<S> : never): void {
  expect(t).toBeInstanceOf(Tensor)
}

const is = {
  scalar: isOf<[]>(),
  '2': isOf<[2]>(2),
  '3': isOf<[3]>(3),
  '23': isOf<[2, 3]>(2, 3),
  '32': isOf<[3, 2]>(3, 2),
  '24': isOf<[2, 4]>(2, 4),
}

const x = zeros([2, 3], here)
const rows: number[][] = [
  [1, 2, 3],
  [4, 5, 6],
]
const n: number = Number('2')

describe('what is known', () => {
  test('of a tensor that is made', () => {
    is['23'](x)
    is['23'](ones([2, 3], here))
    is['23'](full([2, 3], 7, here))
    is['3'](tensor([1, 2, 3], here))
    is['32'](
      tensor(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        here,
      ),
    )
    is['23'](tensor(new Float32Array(6), [2, 3], here))
    is.scalar(tensor(4, here))
    isOf<[number, 3]>(2, 3)(zeros([n, 3], here))
    isOf<[2, number]>(2, 3)(tensor([new Float32Array(3), new Float32Array(3)], here))
    isOpen(
      tensor(
        Array.from({ length: 2 }, () => new Float32Array(3)),
        here,
      ),
    )
    isOpen(tensor(rows, here))
    isOpen(tensor(new Float32Array(6), here))
    isOpen(zeros([2, 3] as number[], here))
    isOpen(tensor([1, 2], undefined as Shape | undefined, here))
    is['23'](x.detach())
    is['23'](noGrad(() => x.keep()))
  })

  test('after element-wise operations', () => {
    is['23'](relu(neg(x)))
    is['23'](softmax(logSoftmax(dropout(x, 0.5, new Generator(1)))))
    is['23'](add(x, 1))
    is['23'](mul(2, x))
    is['23'](add(x, [1, 2, 3]))
    is['23'](maximum(ones([2, 1], here), ones([3], here)))
    is['23'](where(ones([3], here), x, 0))
    is['23'](broadcastTo(ones([3], here), [2, 3]))
    isOpen(add(x, rows))
    isOf<[2, 3]>(2, 3)(add(x, zeros([n, 3], here)))
  })

  test('after products and reductions', () => {
    is['24'](matmul(x, zeros([3, 4], here)))
    is['24'](matmul(transpose(x), zeros([3, 4], here), { transposeA: true }))
    is['24'](matmul(x, zeros([4, 3], here), { transposeB: true }))
    isOf<[5, 2, 4]>(5, 2, 4)(matmul(zeros([5, 2, 3], here), zeros([3, 4], here)))
    isOf<[6, 5, 2, 4]>(6, 5, 2, 4)(matmul(zeros([6, 1, 3, 2], here), zeros([5, 3, 4], here), { transposeA: true }))
    is['32'](transpose(x))
    isOf<[4, 2, 3]>(4, 2, 3)(transpose(zeros([2, 3, 4], here), [2, 0, 1]))
    is.scalar(sum(x))
    is['3'](mean(x, 0))
    is['2'](max(x, -1))
    isOf<[2, 1]>(2, 1)(logSumExp(x, 1, true))
    isOf<[1, 1]>(1, 1)(sum(x, undefined, true))
    is.scalar(sum(x, [0, -1]))
    isOf<[1, 3]>(1, 3)(variance(x, 0, { keepDims: true }))
    is['2'](argmax(x))
    is['3'](argmax(x, 0))
    isOpen(sum(x, n - 1))
    isOpen(sum(x, 0, n > 1))
  })

  test('after moving elements', () => {
    is['32'](reshape(x, [3, 2]))
    isOf<[3, number]>(3, 2)(reshape(x, [3, -1]))
    isOf<[number, 3]>(4, 3)(concat([x, x]))
    isOf<[2, number]>(2, 6)(concat([x, x], 1))
    isOf<[2, 2, 3]>(2, 2, 3)(stack([x, x]))
    isOf<[number, 3]>(1, 3)(slice(x, 1))
    isOf<[2, 3]>(2, 3)(gather(zeros([5, 3], here), tensor([0, 4], here)))
    isOf<[2, 1]>(2, 1)(gather(zeros([5, 3], here), 1, zeros([2, 1], here)))
    isOf<[2, 3]>(2, 3)(eye(2, 3, here))
    isOf<[2, 2]>(2, 2)(eye(2, here))
  })

  test('through layers and losses', () => {
    const layer = new Dense(3, 4, here)
    is['24'](layer.forward(x))
    const model = new Sequential([layer, new Dropout(0.1), new Dense(4, 2)], here)
    isOf<[2, 2]>(2, 2)(model.predict(x))
    isOf<[1, 2]>(1, 2)(model.predict([[1, 2, 3]]))
    isOf<[2, 2]>(2, 2)(model.forward(x))
    isOpen(model.predict(rows))
    isOpen(new Sequential([new Flatten(), new Dense(3, 4)], here).predict(x))
    is.scalar(mse(x, x))
    is.scalar(crossEntropy(x, [0, 1]))
    is.scalar(crossEntropy(x, x))
  })
})

describe('what is refused', () => {
  test('shapes that do not fit', () => {
    // @ts-expect-error the last axes differ
    expect(() => add(x, zeros([4], here))).toThrow()
    // @ts-expect-error so they do in rows that are written out
    expect(() => mul(x, [1, 2])).toThrow()
    // @ts-expect-error inner sizes differ
    expect(() => matmul(x, zeros([2, 3], here))).toThrow()
    // @ts-expect-error and if one is used transposed
    expect(() => matmul(x, zeros([3, 4], here), { transposeA: true })).toThrow()
    // @ts-expect-error stacks of two and of three matrices
    expect(() => matmul(zeros([2, 2, 3], here), zeros([3, 3, 4], here))).toThrow()
    // @ts-expect-error a vector is not a matrix
    expect(() => matmul(x, ones([3], here))).toThrow()
    // @ts-expect-error six elements do not fill eight
    expect(() => reshape(x, [4, 2])).toThrow()
    // @ts-expect-error nor 784 × 10 a net's 28 × 28 × 11
    expect(() => reshape(zeros([10, 784], here), [10, 28, 29])).toThrow()
    // @ts-expect-error columns differ
    expect(() => concat([x, zeros([2, 4], here)])).toThrow()
    // @ts-expect-error not of one shape
    expect(() => stack([x, zeros([3, 2], here)])).toThrow()
    // @ts-expect-error three do not broadcast to four
    expect(() => broadcastTo(x, [2, 4])).toThrow()
    // @ts-expect-error neither does the other choice
    expect(() => where(x, x, zeros([5], here))).toThrow()
  })

  test('inputs of the wrong width, targets of another shape', () => {
    // @ts-expect-error four columns into three inputs
    expect(() => new Dense(3, 4, here).forward(zeros([2, 4], here))).toThrow()
    // @ts-expect-error four columns into the three inputs of a model
    expect(() => new Sequential([new Dense(3, 4)], here).predict([[1, 2]])).toThrow()
    // @ts-expect-error a target for each of two rows
    expect(() => crossEntropy(x, [0, 1, 2])).toThrow()
    // @ts-expect-error another shape
    expect(() => mse(x, zeros([3, 2], here))).toThrow()
    mse(zeros([3, 1], here), [1, 2, 3])
    // @ts-expect-error [2] is not [3, 1]
    expect(() => mse(zeros([3, 1], here), [1, 2])).toThrow()
  })

  test('a tensor where one of another shape is wanted', () => {
    const takes = (t: Tensor<[number, 3]>) => t.shape[0]
    expect(takes(x)).toBe(2)
    // @ts-expect-error four columns
    takes(zeros([2, 4], here))
    // @ts-expect-error one axis
    takes(zeros([3], here))
    // @ts-expect-error options are still checked
    expect(() => zeros([3], { requiresgrad: true })).toThrow('did you mean requiresGrad')
  })
})

describe('what is not known is not judged', () => {
  test('sizes that are numbers', () => {
    const wide = zeros([n, 3], here)
    add(x, wide)
    matmul(x, zeros([n + 1, 4], here))
    reshape(wide, [3, 2])
    new Dense(n + 1, 4, here).forward(x)
    new Sequential([new Dense(3, n), new Dense(n, 2)], here).predict(x)
    isOf<[1 | 3]>(3)(zeros([n > 1 ? 3 : 1], here))
    add(x, zeros([n > 1 ? 3 : 1], here))
  })

  test('helpers for any tensor take and give known ones', () => {
    const scale = (t: Tensor): Tensor => mul(t, 2)
    const generic = <S extends Shape>(t: Tensor<S>): Tensor<S> => relu(add(t, 1))
    const twice = <T extends Tensor>(t: T) => add(mul(t, 2), t)
    is['23'](generic(x))
    isOf<[2, 3]>(2, 3)(twice(x))
    let h = zeros([1, 3], here)
    h = scale(h)
    for (const row of [x, scale(x)]) h = tanh(add(h, slice(row, 0, 1)))
    let seen = zeros([0, 3], here)
    for (const row of rows) seen = concat([seen, tensor([row], here)])
    expect([h.shape, seen.shape]).toEqual([
      [1, 3],
      [2, 3],
    ])
    const functions: TensorFunction[] = [relu, softmax, scale, generic]
    expect(functions.map((f) => f(x).size)).toEqual([6, 6, 6, 6])
    const losses: Loss[] = [mse, crossEntropy]
    expect(losses.map((loss) => loss(x, x).size)).toEqual([1, 1])
  })

  test('operations chosen at run time', () => {
    const table = { relu, neg, tanh, own: (t: TensorLike): Tensor => relu(t) }
    const unary = (name: keyof typeof table) => table[name](x)
    expect(unary('own').size).toBe(6)
    const binary = (name: 'add' | 'mul') => ({ add, mul })[name](x, 2)
    expect(binary('mul').shape).toEqual([2, 3])
    expect([x, x].reduce(add).size).toBe(6)
    expect([x, x].reduce((a, b) => add(a, b), zeros([3], here) as Tensor).size).toBe(6)
    const either = n > 1 ? x : zeros([3], here)
    expect(add(either, x).size).toBe(6)
  })

  test('layers of one width among layers of any', () => {
    const layers: Dense[] = [new Dense(3, 4, here), new Dense(4, 2, here)]
    const modules: Module[] = layers
    class Two extends Module {
      first = new Dense(3, 4)
      second: Dense = new Dense(4, 2)
      forward(t: Tensor): Tensor {
        return this.second.forward(this.first.forward(t))
      }
    }
    expect([...modules, new Two(here)].length).toBe(3)
    expect(new Two(here).predict(x).shape).toEqual([2, 2])
    expect(new Parameter(x).shape).toEqual([2, 3])
  })
})

describe('what the compiler says', () => {
  const NAMES = 'add, concat, crossEntropy, Dense, evaluateModel, matmul, mse, reshape, Sequential, type Tensor, zeros'

  /** The first line of each error in a program. */
  function errorsIn(code: string): string[] {
    const snippet = { name: 'snippet', language: 'ts', code: `import { ${NAMES} } from 'gradus'\n${code}` }
    return compilerErrors('.cache/shape-types', [snippet], { noUnusedLocals: false }).map((text) =>
      text.replace(/^\S+ error TS\d+: /, '').replace(/^.*? is not assignable to /s, ''),
    )
  }

  test('names both shapes, or the layer, and the nearest name of a metric', () => {
    const errors = errorsIn(`
add(zeros([2, 3]), zeros([4]))
matmul(zeros([2, 3]), zeros([4, 5]))
matmul(zeros([2, 3]), zeros([3, 5]), { transposeA: true })
reshape(zeros([2, 3]), [4, 2])
concat([zeros([2, 3]), zeros([2, 4])])
new Dense(784, 128).forward(zeros([32, 64]))
new Sequential([new Dense(784, 128), new Dense(128, 10)]).predict(zeros([Number('3'), 64]))
crossEntropy(zeros([2, 3]), zeros([5]))
new Sequential([new Dense(784, 128), new Dense(64, 10)])
const t: Tensor<[2, 3]> = zeros([3, 2])
void t
evaluateModel(new Dense(1, 1), { inputs: [[1]], targets: [1], loss: mse, metrics: ['f1', 'acuracy'] })
`)
    expect(errors).toEqual([
      `parameter of type '"shapes [2, 3] and [4] do not broadcast"'.`,
      `parameter of type '"[2, 3] · [4, 5]: wants two matrices whose inner sizes agree"'.`,
      `parameter of type '"[2, 3]ᵀ · [3, 5]: wants two matrices whose inner sizes agree"'.`,
      `parameter of type '"[2, 3] does not fill [4, 2]"'.`,
      `parameter of type '"[2, 3], [2, 4] do not fit together along axis 0"'.`,
      `parameter of type '"Dense(784, 128) wants 784 columns, got [32, 64]"'.`,
      `parameter of type '"Dense(784, 128) wants 784 columns, got [number, 64]"'.`,
      `parameter of type '"prediction has shape [2, 3], target [5]"'.`,
      expect.stringMatching(/"Dense\(64, 10\) wants 64 inputs, but the layer before it gives 128"/),
      expect.stringMatching(/^type 'Tensor<\[2, 3\]>'/),
      expect.stringMatching(/Did you mean '"accuracy"'\?$/),
    ])
  })
})

/** Arguments of operations: what is meant where nothing is said, sizes of zero, whole numbers, and the first values that are refused. */
import { describe, expect, test } from 'vitest'
import {
  activate,
  argmax,
  argmin,
  argsort,
  broadcastTo,
  clip,
  concat,
  cumsum,
  dense,
  dropout,
  Generator,
  gather,
  gradients,
  logSumExp,
  matmul,
  max,
  mean,
  min,
  mul,
  norm,
  oneHot,
  Parameter,
  prod,
  reshape,
  slice,
  softmax,
  sort,
  split,
  square,
  squeeze,
  stack,
  std,
  sum,
  type Tensor,
  tensor,
  tile,
  topK,
  transpose,
  variance,
  zeros,
} from '../../ts/index.js'
import { batchNorm } from '../../ts/ops/batch-norm.js'
import { indicesIn, rowsAt } from '../../ts/ops/gather.js'
import { normalize } from '../../ts/ops/normalize.js'
import { maskOf } from '../../ts/ops/steps.js'
import { newEngines } from '../tools/small-nets.js'

const SHAPE = [2, 4, 3] as const
const SIZE = 24
/** Distinct numbers without order. */
const shuffled = Array.from({ length: SIZE }, (_, i) => (i * 7) % SIZE)

describe.each(newEngines())('$variant', (backend) => {
  const cube = () => tensor(Float64Array.from(shuffled), [...SHAPE], { backend }) as Tensor
  const whole = (values: readonly number[], shape: number[]) => tensor(Int32Array.from(values), shape, { backend }) as Tensor
  const list = (x: Tensor) => [...x.data()]

  describe('the axis is the last where none is given', () => {
    const calls: [string, (x: Tensor, ...axis: number[]) => Tensor][] = [
      ['cumsum', (x, ...axis) => cumsum(x, ...axis)],
      ['sort', (x, ...axis) => sort(x, ...axis)],
      ['argsort', (x, ...axis) => argsort(x, ...axis)],
      ['topK', (x, ...axis) => topK(x, 2, ...axis).values as unknown as Tensor],
      ['positions of topK', (x, ...axis) => topK(x, 2, ...axis).indices as unknown as Tensor],
      ['argmax', (x, ...axis) => argmax(x, ...axis)],
      ['argmin', (x, ...axis) => argmin(x, ...axis)],
    ]
    test.each(calls)('%s', (_, call) => {
      const [said, unsaid, middle] = [call(cube(), 2), call(cube()), call(cube(), 1)]
      expect(unsaid.toArray()).toEqual(said.toArray())
      expect(unsaid.toArray()).not.toEqual(middle.toArray())
    })
  })

  test('argmax, argmin and argsort along every axis are those of a loop', () => {
    const x = cube()
    for (let axis = 0; axis < 3; axis++) {
      const inner = SHAPE.slice(axis + 1).reduce((a, b) => a * b, 1)
      const length = SHAPE[axis]
      const lines = Array.from({ length: SIZE / length }, (_, line) =>
        Array.from({ length }, (_, i) => shuffled[Math.floor(line / inner) * length * inner + i * inner + (line % inner)]),
      )
      expect(list(argmax(x, axis) as Tensor), `argmax ${axis}`).toEqual(lines.map((line) => line.indexOf(Math.max(...line))))
      expect(list(argmin(x, axis) as Tensor), `argmin ${axis}`).toEqual(lines.map((line) => line.indexOf(Math.min(...line))))
      const places = argsort(x, axis) as Tensor
      expect(places.dtype).toBe('int32')
      const inOrder = list(transpose(places, [0, 1, 2].filter((i) => i !== axis).concat(axis)) as Tensor)
      expect(inOrder, `argsort ${axis}`).toEqual(lines.flatMap((line) => [...line.keys()].sort((a, b) => line[a] - line[b])))
    }
  })

  test('a reduced axis goes unless it is to stay', () => {
    const reductions = {
      ...{ sum, mean, max, min, logSumExp, prod },
      ...{ variance: (x: Tensor, axis: number, keepDims?: boolean) => variance(x, axis, { keepDims }) },
      ...{ std: (x: Tensor, axis: number, keepDims?: boolean) => std(x, axis, { keepDims }) },
      ...{ norm: (x: Tensor, axis: number, keepDims?: boolean) => norm(x, axis, { keepDims }) },
      ...{ 'norm of order 1': (x: Tensor, axis: number, keepDims?: boolean) => norm(x, axis, { order: 1, keepDims }) },
    } as Record<string, (x: Tensor, axis: number, keepDims?: boolean) => Tensor>
    for (const [name, reduce] of Object.entries(reductions)) {
      expect(reduce(cube(), 1).shape, name).toEqual([2, 3])
      expect(reduce(cube(), 1, true).shape, name).toEqual([2, 1, 3])
      expect(list(reduce(cube(), 1, true)), name).toEqual(list(reduce(cube(), 1)))
    }
  })

  test('variance, std and norm without options reduce the axis', () => {
    expect([variance(cube(), 1), std(cube(), 1), norm(cube(), 1)].map(({ shape }) => shape)).toEqual([
      [2, 3],
      [2, 3],
      [2, 3],
    ])
  })

  test('whole numbers are sliced, split, gathered and joined as floats are', () => {
    const values = Array.from(shuffled)
    const [ints, floats] = [whole(values, [...SHAPE]), cube()]
    for (const [axis, start, end] of [
      [0, 1, undefined],
      [1, 1, 3],
      [1, -3, -1],
      [2, 0, 1],
      [2, 1, 1],
    ] as const) {
      const cut = slice(ints, start, end, axis) as Tensor
      expect(cut.dtype).toBe('int32')
      expect(cut.toArray()).toEqual((slice(floats, start, end, axis) as Tensor).toArray())
    }
    expect((slice(whole([], [0, 3]), 0) as Tensor).shape).toEqual([0, 3])
    expect(split(ints, 2, 1).map((part) => part.toArray())).toEqual(split(floats, 2, 1).map((part) => part.toArray()))
    expect((concat([ints, ints], 1) as Tensor).toArray()).toEqual((concat([floats, floats], 1) as Tensor).toArray())
    const table = slice(floats, 0, 1) as Tensor
    const rows = [3, 0, 3]
    const byFloats = gather(reshape(table, [4, 3]) as Tensor, tensor(rows, { backend }))
    expect((byFloats as Tensor).toArray()).toEqual((gather(reshape(table, [4, 3]) as Tensor, whole(rows, [3])) as Tensor).toArray())
  })

  test('ends of a slice count from the end where they are negative', () => {
    const x = cube()
    expect((slice(x, -2, undefined, 1) as Tensor).toArray()).toEqual((slice(x, 2, 4, 1) as Tensor).toArray())
    expect((slice(x, 0, -3, 1) as Tensor).toArray()).toEqual((slice(x, 0, 1, 1) as Tensor).toArray())
    // 0 is the beginning, also as an end
    expect((slice(x, 0, 0, 1) as Tensor).shape).toEqual([2, 0, 3])
  })

  test('a dense layer takes one row without an axis of rows', () => {
    const y = dense(tensor([1, 2], { backend }), tensor([[1, 2, 3], [10, 20, 30]], { backend }), tensor([100, 0, 0], { backend })) as Tensor // biome-ignore format: a matrix
    expect([y.shape, list(y)]).toEqual([[3], [121, 42, 63]])
  })

  test('layers of zero rows or columns have results and gradients', () => {
    const parameter = (shape: number[]) =>
      tensor(new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(0.5), shape, { requiresGrad: true, backend })
    for (const [m, k, n] of [
      [3, 0, 2],
      [0, 4, 2],
      [3, 4, 0],
    ]) {
      const [x, w, b] = [parameter([m, k]), parameter([k, n]), parameter([n])]
      const y = dense(x, w, b, 'relu') as Tensor
      expect(y.shape).toEqual([m, n])
      if (k === 0) expect(list(y)).toEqual(new Array(6).fill(0.5))
      for (const createGraph of [false, true]) {
        const found = gradients(sum(square(dense(x, w, b, 'sigmoid'))) as Tensor, [x, w, b], { createGraph })
        expect(found.map(({ shape }) => shape)).toEqual([[m, k], [k, n], [n]])
      }
      expect((matmul(x, w) as Tensor).shape).toEqual([m, n])
      if (k === 0) expect(list(matmul(x, w) as Tensor)).toEqual(new Array(6).fill(0))
    }
    expect((dense(parameter([2, 3, 0]), parameter([0, 2]), parameter([2])) as Tensor).shape).toEqual([2, 3, 2])
    for (const shape of [
      [0, 3],
      [3, 0],
    ]) {
      const x = parameter(shape)
      expect((softmax(x) as Tensor).shape).toEqual(shape)
      expect(normalize(x, 1e-5).shape).toEqual(shape)
      const [dx] = gradients(sum(square(normalize(x, 1e-5))) as Tensor, [x], { createGraph: true })
      expect(dx.shape).toEqual(shape)
      expect((mul(x, tensor([[2], [3], [4]].slice(0, shape[0]), [shape[0], 1], { backend })) as Tensor).shape).toEqual(shape)
    }
    expect((prod(zeros([2, 0], { backend }), 1) as Tensor).toArray()).toEqual([1, 1])
  })

  test('a product along an axis of one number is that number', () => {
    expect((prod(tensor([[3], [4]], { backend }), 1) as Tensor).toArray()).toEqual([3, 4])
    expect((prod(tensor([[3, 5, 7]], { backend }), 1) as Tensor).toArray()).toEqual([105])
  })

  test('NaN counts as largest wherever it stands, and equal values stay in their order', () => {
    const x = tensor([NaN, 2, NaN, 1, 2, NaN, 0], { backend })
    expect(list(argsort(x) as Tensor)).toEqual([6, 3, 1, 4, 0, 2, 5])
    expect(list(argsort(x, 0, { descending: true }) as Tensor)).toEqual([0, 2, 5, 1, 4, 3, 6])
    expect(list(topK(x, 4).indices as unknown as Tensor)).toEqual([0, 2, 5, 1])
  })

  test('columns of rows are indices, in a step and outside of one', () => {
    const x = tensor(
      [
        [1, 5, 2],
        [3, 0, 4],
      ],
      { backend },
    ) as Tensor
    for (const column of [0, 1, 2]) {
      const wanted = [x.data()[column], x.data()[3 + column]]
      expect([...indicesIn(x, column).read()]).toEqual(wanted)
      const w = new Parameter([[1], [2], [3], [4], [5], [6]], { backend })
      const inStep = mul(rowsAt(w as unknown as Tensor, indicesIn(mul(x, 1) as Tensor, column), 'test'), 2)
      expect(list(inStep as Tensor)).toEqual(wanted.map((i) => 2 * (i + 1)))
    }
  })

  test('one number is joined, squeezed and widened like any other', () => {
    expect((squeeze(tensor([[[4]]], { backend })) as Tensor).shape).toEqual([])
    expect((broadcastTo(tensor(4, [], { backend }), [2, 2]) as Tensor).toArray()).toEqual([
      [4, 4],
      [4, 4],
    ])
    expect((stack([tensor(4, [], { backend }), 5]) as Tensor).toArray()).toEqual([4, 5])
    expect(() => dense(tensor(4, [], { backend }), tensor([[1]], { backend }), null)).toThrow(/dense: wants inputs of shape/)
  })

  test('a product of all but one axis sums what was widened', () => {
    const at = (shape: number[]) => {
      const size = shape.reduce((a, b) => a * b, 1)
      return tensor(
        Float64Array.from({ length: size }, (_, i) => 1 + ((i * 5) % 7)),
        shape,
        { backend },
      ) as Tensor
    }
    for (const [a, b] of [
      [
        [2, 1, 3, 1, 2],
        [1, 2, 3, 2, 1],
      ],
      [
        [2, 3, 1],
        [2, 1, 2],
      ],
      [[3], [2, 2, 3]],
      [
        [2, 2, 1, 1],
        [1, 1, 2, 2],
      ],
    ]) {
      const out = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
        const [left, right] = [a[a.length - 1 - i] ?? 1, b[b.length - 1 - i] ?? 1]
        return Math.max(left, right)
      }).reverse()
      const value = (x: Tensor, place: number[]) => {
        const own = place.slice(place.length - x.rank).map((p, i) => (x.shape[i] === 1 ? 0 : p))
        return x.data()[own.reduce((offset, p, i) => offset * x.shape[i] + p, 0)]
      }
      const [x, y] = [at(a), at(b)]
      const size = out.reduce((p, n) => p * n, 1)
      const wanted = Array.from({ length: size }, (_, flat) => {
        const place = [...out]
        for (let i = out.length - 1, rest = flat; i >= 0; rest = Math.floor(rest / out[i]), i--) place[i] = rest % out[i]
        return value(x, place) * value(y, place)
      })
      expect(list(mul(x, y) as Tensor)).toEqual(wanted)
    }
  })

  test('batch normalization with a relu is the relu of one without, with its gradients', () => {
    const make = () => {
      const inputs = [[6, 3], [3], [3]].map((shape, i) => {
        const values = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, j) => Math.cos(1 + i * 5 + j * 3))
        return tensor(values, shape, { requiresGrad: true, backend }) as Tensor
      })
      return inputs as [Tensor, Tensor, Tensor]
    }
    const weights = tensor(
      Float64Array.from({ length: 18 }, (_, i) => Math.sin(2 + i)),
      [6, 3],
      { backend },
    )
    const run = (relu: boolean) => {
      const [x, weight, bias] = make()
      const seen: number[] = []
      const observe = ({ rows, columns }: { rows: number; columns: number }) => void seen.push(rows, columns)
      const z = batchNorm(x, { weight, bias, epsilon: 0.1, relu, fixed: null, observe })
      const y = relu ? z : (activate(z, 'relu') as Tensor)
      expect(seen).toEqual([6, 3])
      sum(mul(y, weights)).backward()
      return [y, x.grad, weight.grad, bias.grad].map((t) => list(t as Tensor))
    }
    const [fused, apart] = [run(true), run(false)]
    fused.forEach((values, k) => values.forEach((value, i) => expect(value).toBeCloseTo(apart[k][i], 5)))
    expect(fused[0]).toContain(0)
  })

  test('gradients of parameters add up over two passes, and begin anew after a step', () => {
    const x = tensor(
      Float64Array.from({ length: 12 }, (_, i) => Math.sin(1 + i)),
      [4, 3],
      { requiresGrad: true, backend },
    ) as Tensor
    const parameter = (shape: number[], from: number) =>
      new Parameter(
        Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.cos(from + i)),
        { shape, backend },
      )
    const layers: [string, Parameter[], (...parameters: Tensor[]) => Tensor][] = [
      ['dense', [parameter([3, 2], 1), parameter([2], 9)], (w, b) => dense(x, w, b, 'tanh') as Tensor],
      ['dense without activation', [parameter([3, 2], 1), parameter([2], 9)], (w, b) => dense(x, w, b) as Tensor],
      [
        'batchNorm',
        [parameter([3], 1), parameter([3], 9)],
        (weight, bias) => batchNorm(x, { weight, bias, epsilon: 0.1, relu: false, fixed: null }),
      ],
    ]
    for (const [name, parameters, call] of layers) {
      const pass = (which: boolean[]) => {
        parameters.forEach((p, i) => (p.requiresGrad = which[i]))
        sum(square(call(...(parameters as unknown as Tensor[])))).backward()
      }
      const values = () => parameters.map((p) => list(p.grad as Tensor))
      const expectClose = (got: number[][], wanted: number[][]) =>
        got.forEach((one, k) => one.forEach((value, i) => expect(value, name).toBeCloseTo(wanted[k][i], 5)))
      pass([true, true])
      const once = values()
      pass([true, true])
      expectClose(
        values(),
        once.map((one) => one.map((g) => 2 * g)),
      )
      // one of them alone
      pass([true, false])
      expectClose([list(parameters[0].grad as Tensor)], [once[0].map((g) => 3 * g)])
      for (const p of parameters) p.gradientState = 'used'
      pass([false, true])
      parameters[0].requiresGrad = true
      pass([true, true])
      expectClose(values(), [once[0], once[1].map((g) => 2 * g)])
    }
  })

  test('rows of a table of parameters gather their gradients, and add to what is there', () => {
    const table = new Parameter(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ].flat(),
      { shape: [3, 2], backend } as never,
    )
    const lookUp = () =>
      sum(
        mul(gather(table as unknown as Tensor, [2, 0, 2]), [
          [1, 2],
          [10, 20],
          [100, 200],
        ]),
      ).backward()
    const once = [10, 20, 0, 0, 101, 202]
    table.gradientView().fill(9)
    table.gradientState = 'used'
    for (const times of [1, 2]) {
      lookUp()
      expect(list(table.grad as Tensor)).toEqual(once.map((g) => times * g))
      expect(table.touchedRows?.map((rows) => [...rows])).toEqual(new Array(times).fill([2, 0, 2]))
    }
    // a new gradient begins with rows of its own; one of all rows stays one
    table.gradientState = 'used'
    lookUp()
    expect([list(table.grad as Tensor), table.touchedRows?.length]).toEqual([once, 1])
    sum(mul(table as unknown as Tensor, 1)).backward()
    lookUp()
    expect([list(table.grad as Tensor), table.touchedRows]).toEqual([once.map((g) => 2 * g + 1), null])
  })

  describe('is refused', () => {
    const x = () => cube()
    const refused: [string, () => unknown, RegExp][] = [
      ['an option of sort', () => sort(x(), 0, { desc: true } as never), /sort: .*desc/],
      ['an option of argsort', () => argsort(x(), 0, { desc: true } as never), /argsort: .*desc/],
      ['an option of std', () => std(x(), 0, { keepdim: true } as never), /std: .*keepdim/],
      ['an option of gradients', () => gradients(sum(x()) as Tensor, [], { graph: true } as never), /gradients: .*graph/],
      ['k below 0', () => topK(x(), -1), /topK: k wants .*, got -1/],
      ['half a k', () => topK(x(), 1.5), /topK: k wants .*, got 1\.5/],
      ['classes of half a number', () => oneHot([0], 1.5), /oneHot: classes wants .*, got 1\.5/],
      ['argmax of nothing', () => argmax(zeros([2, 0], { backend })), /argmax: the axis has no elements/],
      ['argmin of nothing', () => argmin(zeros([2, 0], { backend })), /argmin: the axis has no elements/],
      ['a rate of 1', () => dropout(x(), 1, new Generator(1)), /dropout: rate wants .*, got 1/],
      ['a rate below 0', () => dropout(x(), -0.1, new Generator(1)), /dropout: rate wants .*, got -0\.1/],
      ['low above high', () => clip(x(), 0.5, 0.4), /clip: wants low ≤ high/],
      ['an index of half', () => gather(reshape(x(), [8, 3]) as Tensor, [0.5]), /got 0\.5 at position 0/],
      ['an index below 0', () => gather(reshape(x(), [8, 3]) as Tensor, [0, -1]), /from 0 to 7, got -1 at position 1/],
      ['an axis twice', () => transpose(x(), [0, 0, 1]), /transpose: wants each of 3 axes once/],
      ['an axis too few', () => transpose(x(), [0, 1] as never), /transpose: wants each of 3 axes once/],
      ['a negative length', () => reshape(x() as never, [-2, -12] as never), /reshape: /],
      ['a negative length beside a free one', () => reshape(x() as never, [-1, -12] as never), /reshape: /],
      ['half a length', () => reshape(x() as never, [0.5, 48] as never), /reshape: /],
      ['a negative length of broadcastTo', () => broadcastTo(x() as never, [-2, 2, 4, 3] as never), /broadcastTo: /],
      ['lengths that do not fit broadcastTo', () => broadcastTo(x() as never, [2, 4, 4] as never), /broadcastTo: /],
      ['fewer axes for broadcastTo', () => broadcastTo(x() as never, [4, 3] as never), /broadcastTo: /],
      ['a slice that begins behind the end', () => slice(x(), 3, 2, 1), /slice: 3\.\.2 is not within axis 1 of length 4/],
      ['a slice before the beginning', () => slice(x(), -5, 2, 1), /slice: -5\.\.2 is not within/],
      ['a slice behind the end', () => slice(x(), 0, 5, 1), /slice: 0\.\.5 is not within/],
      ['a slice from half', () => slice(x(), 0.5, 2, 1), /slice: 0\.5\.\.2 is not within/],
      ['a slice to half', () => slice(x(), 0, 1.5, 1), /slice: 0\.\.1\.5 is not within/],
      ['starts in an array', () => slice(x(), [0, 1] as never, 2), /slice: start and end want whole numbers along one axis/],
      ['ends in an array', () => slice(x(), 0, [1, 2] as never), /slice: start and end want whole numbers along one axis/],
      ['no parts', () => split(x(), 0, 1), /split: wants a number of parts that divides axis 1 of length 4/],
      ['three parts of four', () => split(x(), 3, 1), /split: wants a number of parts that divides axis 1 of length 4/],
      ['half a part', () => split(x(), 0.5, 1), /split: wants a number of parts that divides axis 1/],
      ['parts below 0', () => split(x(), -2, 1), /split: wants a number of parts that divides axis 1/],
      ['lengths below 0', () => split(x(), [5, -1], 1), /split: wants lengths that add up to 4/],
      ['no list to concat', () => concat(x() as never), /concat: wants its tensors in an array/],
      ['an empty list to concat', () => concat([] as never), /concat: wants at least one tensor/],
      ['no list to stack', () => stack(x() as never), /stack: wants its tensors in an array/],
      ['an empty list to stack', () => stack([] as never), /stack: wants at least one tensor/],
      [
        'other ranks to concat',
        () => concat([zeros([2, 3], { backend }), zeros([2], { backend })] as never),
        /concat: \[2\] does not continue/,
      ],
      ['other lengths to concat', () => concat([x(), zeros([2, 4, 2], { backend })] as never), /concat: \[2, 4, 2\] does not continue/],
      ['half a copy', () => tile(x(), [1.5]), /tile: copies wants/],
      [
        'matrices that do not fit',
        () => matmul(zeros([2, 3], { backend }), zeros([3, 4], { backend }) as never, { transposeA: true }),
        /ᵀ/,
      ],
      ['the largest of nothing', () => max(zeros([0, 2], { backend }), 0), /max: the largest or smallest of nothing/],
    ]
    test.each(refused)('%s', (_, call, message) => {
      expect(call).toThrow(message)
    })

    test('the last value that is accepted', () => {
      expect((topK(x(), 0) as { values: { shape: readonly number[] } }).values.shape).toEqual([2, 4, 0])
      expect((topK(x(), 3) as { values: { shape: readonly number[] } }).values.shape).toEqual([2, 4, 3])
      expect(list(dropout(x(), 0, new Generator(1)) as Tensor)).toEqual(list(x()))
      expect(list(clip(x(), 2, 2) as Tensor)).toEqual(new Array(SIZE).fill(2))
      expect((slice(x(), 4, 4, 1) as Tensor).shape).toEqual([2, 0, 3])
      expect(split(x(), [0, 4], 1).map(({ shape }) => shape[1])).toEqual([0, 4])
      expect((max(zeros([0, 2], { backend }), 1) as Tensor).shape).toEqual([0])
    })
  })

  describe('steps that count', () => {
    const x = zeros([2, 3, 1], { backend }) as Tensor
    const of = (steps: object) => maskOf('GRU', x, steps)
    test('nothing said is nothing masked, and a mask is itself', () => {
      expect(of({})).toBeNull()
      const mask = [
        [1, 1, 0],
        [1, 0, 0],
      ]
      expect(of({ mask })?.toArray()).toEqual(mask)
      expect(of({ lengths: [3, 1] })?.toArray()).toEqual([
        [1, 1, 1],
        [1, 0, 0],
      ])
    })
    test.each([
      [{ lengths: [1, 1], mask: [[1]] }, /wants lengths or a mask, got both/],
      [{ mask: [[1, 1, 1]] }, /mask wants shape \[2, 3\].*, got \[1, 3\]/],
      [
        {
          mask: [
            [1, 1, 0],
            [1, 0.5, 0],
          ],
        },
        /got 0\.5 for step 1 of row 1/,
      ],
      [
        {
          mask: [
            [2, 1, 0],
            [1, 0, 0],
          ],
        },
        /got 2 for step 0 of row 0/,
      ],
      [{ lengths: [1, 0] }, /lengths\[1\] wants a whole number from 1 to 3, got 0; leave the row out$/],
      [{ lengths: [4, 1] }, /lengths\[0\] wants .*, got 4; the inputs have 3 steps$/],
      [{ lengths: [1.5, 1] }, /lengths\[0\] wants .*, got 1\.5$/],
      [{ lengths: [1] }, /lengths wants 2 numbers, one for each row, got 1/],
    ])('%o is refused', (steps, message) => {
      expect(() => of(steps)).toThrow(message)
    })
  })

  test('a gradient with respect to the result itself is the seed', () => {
    const x = tensor([2, 3], { requiresGrad: true, backend })
    const y = square(x) as Tensor
    const seed = tensor([5, 7], { backend })
    expect(gradients(y, [y, x], { seed }).map((g) => list(g))).toEqual([
      [5, 7],
      [20, 42],
    ])
    expect(gradients(x as Tensor, [x], { seed }).map((g) => list(g))).toEqual([[5, 7]])
    const other = tensor([1], { requiresGrad: true, backend })
    expect(list(gradients(x as Tensor, [other], { seed })[0])).toEqual([0])
  })

  test('gradients cannot be differentiated again unless that was said', () => {
    const x = tensor([3], { requiresGrad: true, backend })
    const [plain] = gradients(sum(square(x)) as Tensor, [x])
    expect(plain.requiresGrad).toBe(false)
    const [graph] = gradients(sum(square(x)) as Tensor, [x], { createGraph: true })
    expect(graph.requiresGrad).toBe(true)
  })

  test('an activation that is none is answered by the nearest that is', () => {
    const message = (name: unknown) => {
      try {
        activate(cube(), name as never)
        return ''
      } catch (error) {
        return (error as Error).message.replace(/^.*, got /, '')
      }
    }
    expect(message('swish')).toBe("'swish'; did you mean 'silu'?")
    expect(message('rleu')).toBe("'rleu'; did you mean 'relu'?")
    expect(message('softmax')).toBe("'softmax': losses take the logits of a linear last layer")
    expect(message('exponential')).toBe("'exponential'")
    expect(message(Math.tanh)).toMatch(/; pass the name as a string$/)
  })
})

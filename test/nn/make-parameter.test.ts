/** Parameters of layers of one's own, with initializers. */
import { expect, test } from 'vitest'
import {
  type BuildContext,
  Dense,
  type Initializer,
  type InitializerName,
  initializers,
  Module,
  type Parameter,
  Sequential,
  type Tensor,
} from '../../ts/index.js'

class Own extends Module {
  declare weight: Parameter
  declare other: Parameter
  readonly #values: InitializerName | Initializer | undefined

  constructor(
    values?: InitializerName | Initializer,
    readonly shape: readonly number[] = [40, 60],
  ) {
    super()
    this.#values = values
  }

  protected override createParameters(context: BuildContext): void {
    this.weight = this.makeParameter(context, 'weight', this.shape, this.#values)
    this.other = this.makeParameter(context, 'other', this.shape, this.#values)
  }

  forward(x: Tensor): Tensor {
    return x
  }
}

const largest = (p: Parameter) => Math.max(...p.data().map(Math.abs))
const values = (p: Parameter) => [...p.data()]

test.each<[InitializerName, number]>([
  ['glorotUniform', Math.sqrt(6 / 100)],
  ['heUniform', Math.sqrt(6 / 40)],
  ['lecunUniform', Math.sqrt(3 / 40)],
])('%s takes inputs and outputs from the shape, as in Dense', (name, bound) => {
  const { weight, other } = new Own(name).build()
  expect(largest(weight)).toBeLessThanOrEqual(bound)
  expect(largest(weight)).toBeGreaterThan(0.99 * bound)
  expect(values(weight)).not.toEqual(values(other))
  expect(values(new Own(name).build().weight)).toEqual(values(weight))
  const [first, second] = [1, 2].map((seed) => (new Sequential([new Own(name)], { seed }).layers[0] as Own).weight)
  expect(values(first)).not.toEqual(values(second))
})

test('one axis, three axes, a function, and none', () => {
  expect(largest(new Own('glorotUniform', [3000]).build().weight)).toBeCloseTo(Math.sqrt(6 / 6000), 3)
  expect(largest(new Own('heUniform', [5, 20, 30]).build().weight)).toBeCloseTo(Math.sqrt(6 / 100), 2)
  expect(values(new Own('ones', [2, 2]).build().weight)).toEqual([1, 1, 1, 1])
  expect(values(new Own(initializers.constant(0.5), [2]).build().weight)).toEqual([0.5, 0.5])
  expect(values(new Own(undefined, [2]).build().weight)).toEqual([0, 0])
})

test('zeros draw no random numbers: the layers after have the weights that they had', () => {
  const after = (own: Module) => values((new Sequential([own, new Dense(2, 3)], { seed: 5 }).layers[1] as Dense).weight)
  class Plain extends Module {
    protected override createParameters(context: BuildContext): void {
      this.makeParameter(context, 'weight', [2])
    }
    forward(x: Tensor): Tensor {
      return x
    }
  }
  expect(after(new Plain())).toEqual(values((new Sequential([new Dense(2, 3)], { seed: 5 }).layers[0] as Dense).weight))
})

test('what is misspelt or too much is refused', () => {
  expect(() => new Own('glorotUnifrom' as never).build()).toThrow(
    /^Own: parameter 'weight': initializer wants one of glorotUniform, .*, got 'glorotUnifrom'$/,
  )
  expect(() => new Own({ initializer: 'ones' } as never).build()).toThrow(/initializer wants one of .*, got an object with initializer/)
  class Surplus extends Module {
    protected override createParameters(context: BuildContext): void {
      this.makeParameter(context, 'w', [2], 'ones', 3 as never)
    }
    forward(x: Tensor): Tensor {
      return x
    }
  }
  expect(() => new Surplus().build()).toThrow("Surplus: parameter 'w': makeParameter takes 4 arguments")
  class Buffered extends Module {
    protected override createParameters(context: BuildContext): void {
      this.makeBuffer(context, 'mean', [2], 'ones' as never)
    }
    forward(x: Tensor): Tensor {
      return x
    }
  }
  expect(() => new Buffered().build()).toThrow("Buffered: buffer 'mean' wants a number, got 'ones'")
})

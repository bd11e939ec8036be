/** Optimizers by name, and one of the page's own. */
import { Adam, Momentum, Optimizer, type Parameter, RMSProp, SGD } from 'gradus'

/** Numbers and names that an optimizer takes besides its learning rate. */
export type Options = Record<string, number | string | boolean>

interface AdamHyper {
  learningRate: number
  beta1: number
  beta2: number
  epsilon: number
}

/** Adam without bias correction, to show the effect of the correction. */
class UncorrectedAdam extends Optimizer<Partial<AdamHyper>> {
  static override get name() {
    return 'UncorrectedAdam'
  }
  static override readonly defaults = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
  private static readonly names = ['m', 'v'] as const

  protected override slots() {
    return UncorrectedAdam.names
  }
  protected override hyper({ learningRate, beta1, beta2, epsilon }: AdamHyper) {
    return [learningRate, beta1, beta2, epsilon]
  }
  protected override update(
    p: Float32Array | Float64Array,
    g: Float32Array | Float64Array,
    [m, v]: (Float32Array | Float64Array)[],
    [rate, beta1, beta2, epsilon]: readonly number[],
  ) {
    for (let i = 0; i < p.length; i++) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i]
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
      p[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + epsilon)
    }
  }
}

type Make = new (parameters: readonly Parameter[], options: object) => Optimizer

/** Those that are here: first the ones of the first view. */
let known = { SGD, Momentum, RMSProp, Adam, UncorrectedAdam } as unknown as Record<string, Make>

/** Fetches all optimizers of the library, where one of these is not here yet. */
export async function fetchOptimizers(ids: readonly string[]): Promise<void> {
  if (ids.every((id) => Object.hasOwn(known, id))) return
  const { OPTIMIZERS } = await import('gradus/optim')
  known = { ...(OPTIMIZERS as unknown as Record<string, Make>), ...known }
}

/** An optimizer that is here ({@link fetchOptimizers}). */
export function makeOptimizer(id: string, parameters: readonly Parameter[], learningRate: number, options: Options = {}): Optimizer {
  const Class = known[id]
  if (!Class) throw new Error(`there is no optimizer '${id}'`)
  return new Class(parameters, { ...options, learningRate })
}

/** Pieces of the programs that people copy. */

/** @returns the line that imports these names, in the order of the alphabet */
export function importing(names: readonly string[], from = 'gradus'): string {
  const sorted = [...new Set(names)].sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase()))
  return `import { ${sorted.join(', ')} } from '${from}'`
}

/** An expression within a {@link literal}. It is a class of its own, so that no text in a link can become code. */
export class Code {
  constructor(readonly text: string) {}
}

/** A record as one writes it in a program. */
export function literal(record: object): string {
  const fields = Object.entries(record).map(([name, value]) => {
    const text = value instanceof Code ? value.text : JSON.stringify(value)
    const key = /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__' ? name : `[${JSON.stringify(name)}]`
    return value instanceof Code && text === key ? key : `${key}: ${text}`
  })
  return `{ ${fields.join(', ')} }`
}

/** The page's own optimizer, for programs that use it. */
const UNCORRECTED_ADAM = `class UncorrectedAdam extends Optimizer {
  static get name() { return 'UncorrectedAdam' }
  static defaults = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
  slots() { return ['m', 'v'] }
  hyper({ learningRate, beta1, beta2, epsilon }) { return [learningRate, beta1, beta2, epsilon] }
  update(p, g, [m, v], [rate, beta1, beta2, epsilon]) {
    for (let i = 0; i < p.length; i++) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i]
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
      p[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + epsilon)
    }
  }
}`

/** The imports of optimizers, and the class of the page's own if it is among them. */
export function optimizers(methods: readonly string[]): { names: string[]; own: string[] } {
  const isOwn = methods.includes('UncorrectedAdam')
  const names = methods.filter((method) => method !== 'UncorrectedAdam')
  return { names: isOwn ? [...names, 'Optimizer'] : names, own: isOwn ? [UNCORRECTED_ADAM, ''] : [] }
}

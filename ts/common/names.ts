/** Names that people type: of options, with the nearest known one as a hint. */
import { rangeError } from './errors.js'
import { nearest } from './nearest.js'
import { shortened } from './show.js'

/** Names in other libraries, and their names here. */
const ALIASES: Readonly<Record<string, string>> = {
  lr: 'learningRate',
  eps: 'epsilon',
  wd: 'weightDecay',
  betas: 'beta1 and beta2',
  b1: 'beta1',
  b2: 'beta2',
  alpha: 'beta',
  maxGradNorm: 'clipNorm',
  x: 'inputs',
  y: 'targets',
  C: 'l2 = 1/C',
  useBias: 'bias',
  xray: 'callbacks: [new XRay()]',
  learningRate: 'optimizer: new Adam(…, { learningRate }), or fitAuto',
  randomState: 'seed',
}

/**
 * @internal an error for a name that is not among `known`, with the nearest known one as a hint; `others` maps names that people may know to the
 *   names here
 */
export function unknownName(
  owner: string,
  name: string,
  known: readonly string[],
  others: Readonly<Record<string, string>> = {},
): RangeError {
  const aliases: Readonly<Record<string, string>> = { ...ALIASES, ...others }
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const alias = [name, camel].map((own) => (Object.hasOwn(aliases, own) ? aliases[own] : '')).find((own) => own !== '') ?? ''
  const near = known.some((k) => alias.startsWith(k)) ? alias : nearest(camel, known)
  return rangeError(
    `${owner}: there is no option '${shortened(name)}'${near ? `; did you mean ${near}?` : `. Options: ${[...known].sort().join(', ')}`}`,
  )
}

/** @internal `a, b or c`, or `none` */
export function list(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? 'none'
  return `${names.slice(0, -1).join(', ')} or ${names[names.length - 1]}`
}

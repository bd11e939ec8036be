/** Options of optimizers: what values are allowed, and errors that name the option, the value and the allowed range. */

/** An interval of numbers; `open` ends are not allowed themselves. */
export interface Range {
  min: number
  max: number
  openMin?: boolean
  openMax?: boolean
}

/** What an option may be: a number of a range, or one of these values. Anything else goes by the type of its default. */
export type Allowed = Range | readonly (string | number | boolean | null)[]

export const nonNegative: Range = { min: 0, max: Infinity, openMax: true }
export const positive: Range = { min: 0, max: Infinity, openMin: true, openMax: true }
/** A decay constant: 0 forgets at once, 1 would never learn. */
export const decay: Range = { min: 0, max: 1, openMax: true }
const anyNumber: Range = { min: -Infinity, max: Infinity, openMin: true, openMax: true }

/** Ranges by name of the option, for all optimizers; a class adds to them with `static allowed`. */
const RANGES: Readonly<Record<string, Allowed>> = {
  learningRate: nonNegative,
  weightDecay: nonNegative,
  momentum: nonNegative,
  epsilon: nonNegative,
  beta: decay,
  beta1: decay,
  beta2: decay,
  beta3: decay,
}

/** What people type who come from another library. */
const ALIASES: Readonly<Record<string, string>> = {
  lr: 'learningRate',
  eps: 'epsilon',
  wd: 'weightDecay',
  weight_decay: 'weightDecay',
  betas: 'beta1 and beta2',
  b1: 'beta1',
  b2: 'beta2',
  alpha: 'beta',
  max_grad_norm: 'clipNorm',
}

/** @throws RangeError or TypeError naming the option, the value and what is allowed */
export function checkOption(
  owner: string,
  name: string,
  value: unknown,
  usual: unknown,
  allowed: Allowed | undefined = RANGES[name],
): void {
  if (Array.isArray(allowed)) {
    if (!allowed.includes(value as string)) throw new RangeError(`${owner}: ${name} is ${list(allowed.map(show))}, got ${show(value)}`)
  } else if (allowed !== undefined || typeof usual === 'number') {
    checkNumber(owner, name, value, (allowed as Range | undefined) ?? anyNumber)
  } else if (typeof usual === 'boolean' && typeof value !== 'boolean') {
    throw new TypeError(`${owner}: ${name} is true or false, got ${show(value)}`)
  }
}

/** @throws RangeError for a name that is not among `known`, with the nearest known one as a hint */
export function checkName(owner: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return
  const near = known.find((k) => ALIASES[name]?.startsWith(k)) !== undefined ? ALIASES[name] : nearest(name, known)
  throw new RangeError(
    `${owner}: there is no option '${name}'${near ? `; did you mean ${near}?` : `. Options: ${[...known].sort().join(', ')}`}`,
  )
}

/** {@link checkName} for every property of an options object. */
export function checkNames(owner: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) checkName(owner, name, known)
}

/**
 * An object with the same values whose properties check what is assigned to them and then call `changed`.
 * `raw` stays the store, so that hot code reads plain properties.
 */
export function checked<O extends object>(raw: O, check: (name: string, value: unknown) => void, changed: (name: string) => void): O {
  const guarded = {}
  for (const name of Object.keys(raw) as (keyof O & string)[]) {
    Object.defineProperty(guarded, name, {
      enumerable: true,
      get: () => raw[name],
      set: (value) => {
        check(name, value)
        const before = raw[name]
        raw[name] = value
        try {
          changed(name)
        } catch (error) {
          raw[name] = before
          throw error
        }
      },
    })
  }
  return Object.seal(guarded) as O
}

function checkNumber(owner: string, name: string, value: unknown, range: Range): void {
  const { min, max, openMin = false, openMax = false } = range
  const fits = typeof value === 'number' && (openMin ? value > min : value >= min) && (openMax ? value < max : value <= max)
  if (!fits) throw new RangeError(`${owner}: ${name} must be ${describe(range)}, got ${show(value)}`)
}

function describe({ min, max, openMin, openMax }: Range): string {
  if (min === -Infinity && max === Infinity) return 'a finite number'
  if (max === Infinity) return `a finite number ${openMin ? '>' : '≥'} ${min}`
  return `a number in ${openMin ? '(' : '['}${min}, ${max}${openMax ? ')' : ']'}`
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}

/** @internal what a value is, for messages: its class, or itself */
export function kindOf(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? `a ${value.constructor?.name ?? 'object'}` : show(value)
}

/** @internal `a, b or c` */
export function list(names: readonly string[]): string {
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} or ${names[names.length - 1]}`
}

function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < least) [best, least] = [candidate, distance]
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]
}

/**
 * The noiseless functions f1 to f20 of COCO's bbob suite (Hansen, Finck, Ros & Auger 2009, "Real-parameter black-box optimization
 * benchmarking 2009: noiseless functions definitions"), with COCO's instances: the same rotations, optima and offsets. Values are compared
 * with those of the package ioh in test/tune/samplers/bbob.test.ts.
 */

/** A function to minimize on [−5, 5]ⁿ. */
export interface Bbob {
  /** 1 to 20. */
  readonly number: number
  /** The least value. */
  readonly optimum: number
  value(x: ArrayLike<number>): number
}

type Vector = number[]

/** The generator of the suite: Park and Miller's, shuffled by Bays and Durham's table of 32. */
function uniforms(count: number, seed: number): Vector {
  let state = Math.max(1, Math.abs(seed))
  const advance = () => {
    const quotient = Math.floor(state / 127773)
    state = 16807 * (state - quotient * 127773) - 2836 * quotient
    if (state < 0) state += 2147483647
    return state
  }
  const table: Vector = []
  for (let i = 39; i >= 0; i--) {
    const drawn = advance()
    if (i < 32) table[i] = drawn
  }
  let last = table[0]
  return Array.from({ length: count }, () => {
    const drawn = advance()
    const place = Math.floor(last / 67108865)
    last = table[place]
    table[place] = drawn
    return last / 2147483647 || 1e-99
  })
}

function normals(count: number, seed: number): Vector {
  const u = uniforms(2 * count, seed)
  return Array.from({ length: count }, (_, i) => Math.sqrt(-2 * Math.log(u[i])) * Math.cos(2 * Math.PI * u[count + i]) || 1e-99)
}

/** A rotation: normal numbers, column by column, made orthonormal. */
function rotation(seed: number, n: number): Vector[] {
  const g = normals(n * n, seed)
  const rows = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => g[j * n + i]))
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const along = rows.reduce((sum, row) => sum + row[i] * row[j], 0)
      for (const row of rows) row[i] -= along * row[j]
    }
    const length = Math.sqrt(rows.reduce((sum, row) => sum + row[i] ** 2, 0))
    for (const row of rows) row[i] /= length
  }
  return rows
}

function offset(number: number, instance: number): number {
  const seed = ({ 4: 3, 18: 17 }[number] ?? number) + 10000 * instance
  const [above] = normals(1, seed)
  const [below] = normals(1, seed + 1)
  return Math.min(1000, Math.max(-1000, Math.floor((10000 * above) / below + 0.5) / 100))
}

const times = (matrix: Vector[], x: Vector): Vector => matrix.map((row) => row.reduce((sum, m, j) => sum + m * x[j], 0))
const sumOf = (x: Vector, f: (value: number, i: number) => number): number => x.reduce((sum, value, i) => sum + f(value, i), 0)
const exponent = (i: number, n: number): number => i / (n - 1)
/** Λ^α: the share of coordinate i. */
const conditioned = (x: Vector, alpha: number): Vector => x.map((value, i) => Math.sqrt(alpha) ** exponent(i, x.length) * value)

/** T_osz. */
function oscillated(x: number): number {
  if (x === 0) return 0
  const t = Math.log(Math.abs(x)) / 0.1
  const [a, b] = x > 0 ? [1, 0.79] : [0.55, 0.31]
  return Math.sign(x) * Math.exp(t + 0.49 * (Math.sin(a * t) + Math.sin(b * t))) ** 0.1
}

/** T_asy^β. */
const asymmetric = (x: Vector, beta: number): Vector =>
  x.map((value, i) => (value > 0 ? value ** (1 + beta * exponent(i, x.length) * Math.sqrt(value)) : value))

const penalty = (x: Vector): number => sumOf(x, (value) => Math.max(0, Math.abs(value) - 5) ** 2)

/** Function number 1 to 20 of an instance, from 1. */
export function bbob(number: number, instance: number, n = 5): Bbob {
  const seed = ({ 4: 3, 18: 17 }[number] ?? number) + 10000 * instance
  const optimum = offset(number, instance)
  const best = uniforms(n, number === 12 ? seed + 1000000 : seed).map((u) => (8 * Math.floor(1e4 * u)) / 1e4 - 4 || -1e-5)
  const q = rotation(seed, n)
  const r = rotation(seed + 1000000, n)
  const f = formula(number, { seed, n, best, q, r })
  return { number, optimum, value: (x) => f(Array.from(x)) + optimum }
}

interface Parts {
  seed: number
  n: number
  best: Vector
  q: Vector[]
  r: Vector[]
}

function formula(number: number, { seed, n, best, q, r }: Parts): (x: Vector) => number {
  const shifted = (x: Vector) => x.map((value, i) => value - best[i])
  const rosenbrock = (z: Vector) => sumOf(z.slice(1), (next, i) => 100 * (z[i] ** 2 - next) ** 2 + (z[i] - 1) ** 2)
  const rastrigin = (z: Vector) => 10 * (n - sumOf(z, (value) => Math.cos(2 * Math.PI * value))) + sumOf(z, (value) => value ** 2)
  switch (number) {
    case 1:
      return (x) => sumOf(shifted(x), (z) => z ** 2)
    case 2:
      return (x) => sumOf(shifted(x).map(oscillated), (z, i) => 1e6 ** exponent(i, n) * z ** 2)
    case 3:
      return (x) => rastrigin(conditioned(asymmetric(shifted(x).map(oscillated), 0.2), 10))
    case 4: {
      for (let i = 0; i < n; i += 2) best[i] = Math.abs(best[i])
      return (x) => {
        const z = shifted(x).map(oscillated)
        const scaled = z.map((value, i) => value * Math.sqrt(10) ** exponent(i, n) * (i % 2 === 0 && value > 0 ? 10 : 1))
        return rastrigin(scaled) + 100 * penalty(x)
      }
    }
    case 5: {
      const slopes = best.map((value, i) => Math.sign(value) * 10 ** exponent(i, n))
      return (x) =>
        sumOf(
          x,
          (value, i) => 5 * Math.abs(slopes[i]) - slopes[i] * (value * 5 * Math.sign(slopes[i]) < 25 ? value : 5 * Math.sign(slopes[i])),
        )
    }
    case 6:
      return (x) => {
        const z = times(r, conditioned(times(q, shifted(x)), 10))
        return oscillated(sumOf(z, (value, i) => (value * best[i] > 0 ? 1e4 : 1) * value ** 2)) ** 0.9
      }
    case 7:
      return (x) => {
        const hat = conditioned(times(q, shifted(x)), 10)
        const round = (value: number) => Math.floor(value + 0.5)
        const z = times(
          r,
          hat.map((value) => (Math.abs(value) > 0.5 ? round(value) : round(10 * value) / 10)),
        )
        return (
          0.1 *
            Math.max(
              Math.abs(hat[0]) / 1e4,
              sumOf(z, (value, i) => 100 ** exponent(i, n) * value ** 2),
            ) +
          penalty(x)
        )
      }
    case 8: {
      const scale = Math.max(1, Math.sqrt(n) / 8)
      return (x) => rosenbrock(x.map((value, i) => scale * (value - 0.75 * best[i]) + 1))
    }
    case 9: {
      const scale = Math.max(1, Math.sqrt(n) / 8)
      return (x) => rosenbrock(times(q, x).map((value) => scale * value + 0.5))
    }
    case 10:
      return (x) => sumOf(times(r, shifted(x)).map(oscillated), (z, i) => 1e6 ** exponent(i, n) * z ** 2)
    case 11:
      return (x) => sumOf(times(r, shifted(x)).map(oscillated), (z, i) => (i === 0 ? 1e6 : 1) * z ** 2)
    case 12:
      return (x) => sumOf(times(r, asymmetric(times(r, shifted(x)), 0.5)), (z, i) => (i === 0 ? 1 : 1e6) * z ** 2)
    case 13:
      return (x) => {
        const z = times(r, conditioned(times(q, shifted(x)), 10))
        return z[0] ** 2 + 100 * Math.sqrt(sumOf(z.slice(1), (value) => value ** 2))
      }
    case 14:
      return (x) => Math.sqrt(sumOf(times(r, shifted(x)), (z, i) => Math.abs(z) ** (2 + 4 * exponent(i, n))))
    case 15:
      return (x) => rastrigin(times(r, conditioned(times(q, asymmetric(times(r, shifted(x)).map(oscillated), 0.2)), 10)))
    case 16: {
      const wave = (x: number) =>
        Array.from({ length: 12 }, (_, k) => 0.5 ** k * Math.cos(2 * Math.PI * 3 ** k * x)).reduce((a, b) => a + b)
      const least = wave(0.5)
      return (x) => {
        const z = times(r, conditioned(times(q, times(r, shifted(x)).map(oscillated)), 0.01))
        return 10 * (sumOf(z, (value) => wave(value + 0.5)) / n - least) ** 3 + (10 / n) * penalty(x)
      }
    }
    case 17:
    case 18: {
      const alpha = number === 17 ? 10 : 1000
      return (x) => {
        const z = conditioned(times(q, asymmetric(times(r, shifted(x)), 0.5)), alpha)
        const total = sumOf(z.slice(1), (next, i) => {
          const s = z[i] ** 2 + next ** 2
          return s ** 0.25 * (1 + Math.sin(50 * s ** 0.1) ** 2)
        })
        return (total / (n - 1)) ** 2 + 10 * penalty(x)
      }
    }
    case 19: {
      const scale = Math.max(1, Math.sqrt(n) / 8)
      return (x) => {
        const z = times(q, x).map((value) => scale * value + 0.5)
        const total = sumOf(z.slice(1), (next, i) => {
          const s = 100 * (z[i] ** 2 - next) ** 2 + (z[i] - 1) ** 2
          return s / 4000 - Math.cos(s)
        })
        return 10 + (10 * total) / (n - 1)
      }
    }
    case 20: {
      const signs = uniforms(n, seed).map((u) => (u < 0.5 ? -1 : 1))
      const place = 4.2096874637
      return (x) => {
        const hat = x.map((value, i) => 2 * signs[i] * value)
        const bent = hat.map((value, i) => (i === 0 ? value : value + 0.25 * (hat[i - 1] - place)))
        const z = conditioned(
          bent.map((value) => value - place),
          10,
        ).map((value) => 100 * (value + place))
        const outside = sumOf(z, (value) => Math.max(0, Math.abs(value) - 500) ** 2)
        return 0.01 * (outside + 418.9828872724339 - sumOf(z, (value) => value * Math.sin(Math.sqrt(Math.abs(value)))) / n)
      }
    }
    default:
      throw new RangeError(`bbob: wants a function from 1 to 20, got ${number}`)
  }
}

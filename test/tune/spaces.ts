/** Random spaces for property tests: every kind of range, with conditions. */
import fc from 'fast-check'
import { categorical, float, int, type ParameterRange, type Space, when } from '../../ts/tune/index.js'

const number = fc.double({ min: -1e3, max: 1e3, noNaN: true })
const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true })
const ordered = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.tuple(arbitrary, arbitrary).map(([a, b]) => (a <= b ? ([a, b] as const) : ([b, a] as const)))

export const range: fc.Arbitrary<ParameterRange> = fc.oneof(
  ordered(number).map(([low, high]) => float(low, high)),
  ordered(positive).map(([low, high]) => float(low, high, { log: true })),
  fc
    .tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 1, max: 30 }), fc.constantFrom(0.1, 0.25, 0.3, 0.7, 2))
    .map(([low, steps, step]) => float(low, low + steps * step, { step })),
  ordered(fc.integer({ min: -50, max: 50 })).map(([low, high]) => int(low, high)),
  ordered(fc.integer({ min: 1, max: 1000 })).map(([low, high]) => int(low, high, { log: true })),
  fc
    .tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 2, max: 7 }))
    .map(([low, width, step]) => int(low, low + width, { step })),
  fc.uniqueArray(fc.constantFrom('a', 'b', 'c', null, true, 7), { minLength: 1 }).map((choices) => categorical(choices)),
)

/** A space of some parameters; some are present only for values of an earlier categorical one. */
export function space(most = 6): fc.Arbitrary<Space> {
  return fc
    .array(fc.record({ range, parent: fc.nat(), values: fc.nat(), isConditional: fc.boolean() }), { minLength: 1, maxLength: most })
    .map((parts) => {
      const out: Record<string, Space[string]> = {}
      parts.forEach(({ range, parent, values, isConditional }, i) => {
        const deciding = Object.entries(out).flatMap(([name, p]) => {
          const own = p.kind === 'when' ? p.range : p
          return own.kind === 'categorical' ? [[name, own.choices] as const] : []
        })
        if (!isConditional || deciding.length === 0) out[`p${i}`] = range
        else {
          const [name, choices] = deciding[parent % deciding.length]
          out[`p${i}`] = when(name, choices.slice(values % choices.length), range)
        }
      })
      return out
    })
}

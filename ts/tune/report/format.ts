/** Numbers and texts for people. @internal */
import type { Choice } from '../space.js'

export { escaped } from '../../plot/svg.js'

/** To three digits, without what says nothing: `0.00123`, `1.2e-7`, `12300`. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value)
  const text = String(Number(value.toPrecision(3)))
  return /e/.test(text) || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6)
    ? text
    : value
        .toExponential(2)
        .replace(/\.?0+e/, 'e')
        .replace('e+', 'e')
}

export function shown(value: Choice | undefined): string {
  return typeof value === 'number' ? number(value) : String(value)
}

/** `learningRate 0.0031, width 64` */
export function paramsText(params: Readonly<Record<string, unknown>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${name} ${shown(value as Choice)}`)
    .join(', ')
}

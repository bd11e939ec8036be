/** A gradus program that does the same as the tab. */
import { methodOf } from '../methods'
import { importing, literal, optimizers } from '../program'
import type { DescentState } from './state'

/** @param formula of the function, in JavaScript */
export function descentCode({ start, racers, steps, noise, seed }: DescentState, formula: string): string {
  const first = racers.filter(({ method }) => methodOf(method).order === 1)
  const second = racers.filter(({ method }) => methodOf(method).order === 2)
  const { names, own } = optimizers(first.map(({ method }) => method))
  const isNoisy = noise > 0 && first.length > 0
  const lines = [
    importing([
      ...names,
      ...(first.length > 0 ? ['createBackend', 'Parameter'] : []),
      ...(second.length > 0 ? ['minimize'] : []),
      ...(isNoisy ? ['Generator'] : []),
    ]),
    '',
    ...own,
    `const f = ([x, y]) => ${formula}`,
    'const slope = (p, i, h = 1e-6) => (f(p.map((v, k) => (k === i ? v + h : v))) - f(p.map((v, k) => (k === i ? v - h : v)))) / (2 * h)',
    `const start = [${start.map((v) => Number(v.toPrecision(6))).join(', ')}]`,
    ...(isNoisy ? [`const noise = new Generator(${seed}).normals(${2 * steps}).map((z) => ${noise} * z)`] : []),
    '',
  ]
  if (first.length > 0) {
    const slopes = [0, 1].map((i) => `slope(at, ${i})${isNoisy ? ` + noise[2 * step${i === 0 ? '' : ' + 1'}]` : ''}`)
    lines.push(
      "const backend = createBackend({ backend: 'js', dtype: 'float64' })",
      'const race = (Optimizer, options) => {',
      '  const point = new Parameter(start, { backend })',
      '  const optimizer = new Optimizer([point], options)',
      `  for (let step = 0; step < ${steps}; step++) {`,
      '    const at = [...point.view()]',
      `    point.gradientView().set([${slopes.join(', ')}])`,
      '    optimizer.step()',
      '  }',
      '  const [x, y] = point.view()',
      '  console.log(Optimizer.name, x, y, f([x, y]))',
      '}',
      ...first.map(({ method, rate, options }) => `race(${method}, ${literal({ learningRate: rate, ...options })})`),
    )
  }
  for (const { method } of second) {
    lines.push(`console.log('${method}', minimize(f, start, { method: '${method}', maxIterations: ${steps} }))`)
  }
  return `${lines.join('\n')}\n`
}

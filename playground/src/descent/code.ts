/** A program of gradus that does what the tab shows. */
import { methodOf } from '../methods'
import type { DescentState } from './state'

/** @param formula of the function, in JavaScript */
export function descentCode(state: DescentState, formula: string): string {
  const { start, racers, steps } = state
  const first = racers.filter(({ method }) => methodOf(method).order === 1 && method !== 'UncorrectedAdam')
  const second = racers.filter(({ method }) => methodOf(method).order === 2)
  const names = [...new Set(first.map(({ method }) => method))]
  const lines = [
    `import { ${[...names, 'createBackend', ...(second.length > 0 ? ['minimize'] : []), ...(first.length > 0 ? ['Parameter'] : [])].sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase())).join(', ')} } from 'gradus'`,
    '',
    `const f = ([x, y]) => ${formula}`,
    'const slope = (p, i, h = 1e-6) => (f(p.map((v, k) => (k === i ? v + h : v))) - f(p.map((v, k) => (k === i ? v - h : v)))) / (2 * h)',
    `const start = [${start.map((v) => Number(v.toPrecision(6))).join(', ')}]`,
    '',
  ]
  if (first.length > 0) {
    lines.push(
      "const backend = createBackend({ backend: 'js', dtype: 'float64' })",
      'const race = (Optimizer, options) => {',
      '  const point = new Parameter(start, { backend })',
      '  const optimizer = new Optimizer([point], options)',
      `  for (let step = 0; step < ${steps}; step++) {`,
      '    const at = [...point.view()]',
      '    point.gradientView().set([slope(at, 0), slope(at, 1)])',
      '    optimizer.step()',
      '  }',
      '  const [x, y] = point.view()',
      '  console.log(Optimizer.name, x, y, f([x, y]))',
      '}',
      ...first.map(({ method, rate, options }) => `race(${method}, ${object({ learningRate: rate, ...options })})`),
    )
  }
  for (const { method } of second) {
    lines.push(`console.log('${method}', minimize(f, start, { method: '${method}', maxIterations: ${steps} }))`)
  }
  if (state.noise > 0) lines.push('', `// The page adds normal noise of ${state.noise} to each gradient, drawn with seed ${state.seed}.`)
  return `${lines.join('\n')}\n`
}

const object = (record: Record<string, unknown>) =>
  `{ ${Object.entries(record)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join(', ')} }`

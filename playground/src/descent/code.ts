/** A gradus program that does the same as the tab, to the bits. */
import { methodOf } from '../methods'
import { importing, literal, optimizers } from '../program'
import type { DescentState } from './state'

/** `newton` of race.ts. */
const NEWTON = `const newton = (steps) => {
  const at = (x, y) => tensor([x, y], { backend })
  let [x, y] = start
  for (let step = 0; ; step++) {
    const { value, gradient } = valueAndGrad(height)(at(x, y))
    const [p, q] = gradient.data()
    if (step === steps || Math.hypot(p, q) < 1e-8 || !(Math.abs(value) < 1e12)) return console.log('newton', x, y, value)
    const [a, b, , c] = hessian(height)(at(x, y)).data()
    const det = a * c - b * b
    const [dx, dy] = a > 0 && det > 0 ? [(b * q - c * p) / det, (b * p - a * q) / det] : [-p, -q]
    let share = 1
    while (share > 1e-9 && !(height(at(x + share * dx, y + share * dy)).item() < value)) share /= 2
    ;[x, y] = [x + share * dx, y + share * dy]
  }
}`

/** @param formula the function, as `program` of formula.ts writes it */
export function descentCode(
  { start, racers, steps, noise, seed }: DescentState,
  { text, names }: { text: string; names: string[] },
): string {
  const first = racers.filter(({ method }) => methodOf(method).order === 1)
  const second = racers.filter(({ method }) => methodOf(method).order === 2)
  const known = optimizers(first.map(({ method }) => method))
  const isNoisy = noise > 0 && first.length > 0
  const hasNewton = second.some(({ method }) => method === 'newton')
  const solved = second.filter(({ method }) => method !== 'newton')
  const lines = [
    importing([
      ...names,
      ...(first.length > 0 ? [...known.names, 'Parameter'] : []),
      ...(second.length > 0 ? ['slice'] : []),
      ...(isNoisy ? ['Generator'] : []),
      ...['createBackend', 'sum', 'tensor'],
    ]),
    ...(first.length > 0 || hasNewton ? [importing([...(hasNewton ? ['hessian'] : []), 'valueAndGrad'], 'gradus/curvature')] : []),
    ...(solved.length > 0 ? [importing(['minimize'], 'gradus/solve')] : []),
    '',
    ...known.own,
    `const f = (x, y) => ${text}`,
    `const start = [${start.join(', ')}]`,
    "const backend = createBackend({ backend: 'js', dtype: 'float64' })",
    ...(isNoisy ? [`const noise = new Generator(${seed}).normals(${2 * steps}).map((z) => ${noise} * z)`] : []),
    '',
  ]
  if (first.length > 0) {
    const noisy = (k: number) => `gradients[${k}].item()${isNoisy ? ` + noise[2 * step${k === 0 ? '' : ' + 1'}]` : ''}`
    lines.push(
      'const valueAndSlope = valueAndGrad((x, y) => sum(f(x, y)))',
      'const race = (Optimizer, options) => {',
      '  const point = new Parameter(start, { backend })',
      '  const optimizer = new Optimizer([point], options)',
      '  for (let step = 0; ; step++) {',
      '    const [x, y] = point.view()',
      '    const { value, gradients } = valueAndSlope(tensor([x], { backend }), tensor([y], { backend }))',
      `    if (step === ${steps} || !(Math.abs(value) < 1e12)) return console.log(Optimizer.name, x, y, value)`,
      `    point.gradientView().set([${noisy(0)}, ${noisy(1)}])`,
      '    optimizer.step()',
      '  }',
      '}',
      ...first.map(({ method, rate, options }) => `race(${method}, ${literal({ learningRate: rate, ...options })})`),
    )
  }
  if (second.length > 0) lines.push(`const height = (p) => sum(f(slice(p, 0, 1), slice(p, 1, 2)))`)
  if (hasNewton) lines.push(NEWTON, `newton(${steps})`)
  if (solved.length > 0)
    lines.push(
      'const solve = (method) => {',
      '  let last = { x: start, value: height(tensor(start, { backend })).item() }',
      `  minimize(height, tensor(start, { backend }), { method, maxIterations: ${steps}, onIteration: (at) => void (last = at) })`,
      '  console.log(method, ...last.x, last.value)',
      '}',
      ...solved.map(({ method }) => `solve('${method}')`),
    )
  return `${lines.join('\n')}\n`
}

/** A program of gradus that trains the chosen run. */
import type { ScheduleChoice } from '../schedules/choice'
import { present, type TrainState } from './state'

const DATA: Record<string, string> = {
  moons: 'moons({ count: COUNT, noise: NOISE, seed: SEED })',
  spirals: 'spirals({ count: COUNT, noise: NOISE / 4, classes: 2, turns: 1, seed: SEED })',
  blobs: 'blobs({ count: COUNT, classes: 3, spread: 0.6 + 3 * NOISE, range: 3.2, seed: SEED })',
  xor: 'xor({ count: COUNT, noise: NOISE, seed: SEED })',
}

function schedule({ kind, steps, factor }: ScheduleChoice, rate: number): string {
  switch (kind) {
    case 'step':
      return `schedules.stepDecay(${rate}, { factor: ${factor}, every: ${steps} })`
    case 'exponential':
      return `(step) => ${rate} * ${factor} ** (step / ${steps})`
    case 'inverse':
      return `(step) => ${rate} / (1 + step / ${steps})`
    case 'cosine':
      return `schedules.cosine(${rate}, { steps: ${steps} })`
    case 'warmup':
      return `schedules.warmup(schedules.cosine(${rate}, { steps: ${Math.round(0.9 * steps)} }), { steps: ${Math.round(steps / 10)} })`
    case 'restarts':
      return `schedules.cosineRestarts(${rate}, { steps: ${steps}, lengthen: 2 })`
    case 'onecycle':
      return `schedules.oneCycle(${rate}, { steps: ${steps} })`
    default:
      return ''
  }
}

export function trainCode(state: TrainState): string {
  const { method, rate, batch, schedule: chosen } = present(state, state.chosen)
  const known = DATA[state.data] !== undefined
  const source = known ? state.data : 'moons'
  const data = DATA[source]
    .replaceAll('COUNT', String(state.count))
    .replaceAll('NOISE', String(state.noise))
    .replaceAll('SEED', String(state.seed))
  const isBinary = source !== 'blobs'
  const loss = isBinary ? 'binaryCrossEntropy' : 'crossEntropy'
  const optimizer = method === 'UncorrectedAdam' ? 'Adam' : method
  const rule = schedule(chosen, rate)
  const layers = state.hidden.map(
    (units, i) => `  new Dense(${i === 0 ? 2 : state.hidden[i - 1]}, ${units}, { activation: '${state.activation}' }),`,
  )
  const decay = state.decay > 0 ? `, weightDecay: ${state.decay}` : ''
  return [
    `import { ${['load', 'Sequential', 'Dense', optimizer, 'fit', 'evaluateModel', loss, ...(rule.includes('schedules.') ? ['schedules'] : [])].join(', ')} } from 'gradus'`,
    `import { ${source}, trainTestSplit } from 'gradus/data'`,
    '',
    'await load({ reproducible: true })',
    ...(known ? [] : [`// The page's '${state.data}' is no set of gradus/data: put your rows and classes here.`]),
    ...(chosen.kind === 'plateau'
      ? ['// On a plateau: give fit callbacks: [new ReduceOnPlateau(optimizer)], which judges by epochs.']
      : []),
    `const { train, test } = trainTestSplit(${data}, { testFraction: 0.3, seed: ${state.seed} })`,
    'const model = new Sequential([',
    ...layers,
    `  new Dense(${state.hidden.at(-1) ?? 2}, ${isBinary ? 1 : 3}),`,
    `], { seed: ${state.seed} })`,
    `const optimizer = new ${optimizer}(model.parameters(), { learningRate: ${rate}${decay} })`,
    `const loss = ${loss}`,
    `await fit(model, { ...train, loss, optimizer, epochs: 50, batchSize: ${batch === 0 ? "'full'" : batch}, seed: ${state.seed}${rule ? `, schedule: ${rule}` : ''} })`,
    `console.log(evaluateModel(model, { ...test, loss, metrics: ['accuracy'] }))`,
    '',
  ].join('\n')
}

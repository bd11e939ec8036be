/** A program of gradus that trains the nets of the map. */
import { importing, literal } from '../program'
import { toyLines } from '../train/toys'
import { type AxisName, axis, type FleetState } from './axes'
import { DATA, places, SIDE, TRAIN_ROWS } from './map'

/** The places of an axis, as they are written in a program. */
function placesText(name: string): string {
  const { from, to, log, values } = axis(name)
  if (values) return `[${places(name, SIDE).join(', ')}]`
  const place = log ? `${from} * ${to / from} ** (i / ${SIDE - 1})` : `${from} + ${to - from} * i / ${SIDE - 1}`
  return `Array.from({ length: ${SIDE} }, (_, i) => ${place})`
}

export function fleetCode(state: FleetState): string {
  const { x, y, seed, steps } = state
  const shared = (['rate', 'momentum', 'cooling', 'decay', 'batch', 'width', 'depth'] as AxisName[]).filter(
    (name) => name !== x && name !== y,
  )
  const isCooled = x === 'cooling' || y === 'cooling' || state.cooling > 0
  const isCounted = axis(x).values !== undefined || axis(y).values !== undefined
  return `${[
    importing(['binaryCrossEntropy', 'Dense', 'fitMany', 'Generator', 'load', 'Momentum', 'Sequential']),
    importing([state.data, 'selectRows'], 'gradus/data'),
    '',
    'await load({ reproducible: true })',
    ...toyLines({ ...DATA, kind: state.data as 'moons', seed }),
    `const train = selectRows(data, new Generator(${seed + 1}).permutation(data.count).subarray(0, ${TRAIN_ROWS}))`,
    '',
    `const shared = ${literal(Object.fromEntries(shared.map((name) => [name, state[name]])))}`,
    `const xs = ${placesText(x)}`,
    `const ys = ${placesText(y)}`,
    `const points = ys.flatMap((${y}, row) => xs.map((${x}, column) => ({ ...shared, ${x}, ${y}, seed: ${seed}${isCounted ? ` + ${SIDE} * row + column` : ''} })))`,
    '',
    '// Nets that see as many rows a step train in one call.',
    'for (const batchSize of new Set(points.map(({ batch }) => batch))) {',
    '  const group = points.filter(({ batch }) => batch === batchSize)',
    '  const models = group.map(({ width, depth, seed }) => {',
    "    const layers = Array.from({ length: depth }, (_, k) => new Dense(k === 0 ? 2 : width, width, { activation: 'tanh' }))",
    '    return new Sequential([...layers, new Dense(width, 1)], { seed })',
    '  })',
    '  const optimizers = group.map(({ rate, momentum, decay }, i) =>',
    '    new Momentum(models[i].parameters(), { learningRate: rate, beta: momentum, weightDecay: decay }))',
    '  const stepsAnEpoch = Math.ceil(train.count / batchSize)',
    `  const epochs = Math.max(1, Math.round(${steps} / stepsAnEpoch))`,
    ...(isCooled
      ? ['  const schedule = group.map(({ rate, cooling }) => (step) => rate / (1 + (cooling * step) / (epochs * stepsAnEpoch)))']
      : []),
    `  const histories = await fitMany(models, { ...train, loss: binaryCrossEntropy, optimizers, batchSize, epochs${isCooled ? ', schedule' : ''}, seed: ${seed} })`,
    '  histories.forEach(({ error, epochs }, i) => {',
    '    group[i].loss = error ? Infinity : epochs.at(-1).loss',
    '  })',
    '}',
    'console.table(points.sort((a, b) => a.loss - b.loss).slice(0, 10))',
  ].join('\n')}\n`
}

/** A gradus program that trains the net of the page, to the bits where the functions of the engine's `Math` are the same. */
import { importing } from '../program'
import { ALONE, GIVEN } from './given'
import type { SeriesState } from './state'

/** @param steps that it takes */
export function seriesCode({ seed, rate, units, period, noise }: SeriesState, steps: number): string {
  return [
    importing(['Adam', 'createBackend', 'Dense', 'Generator', 'mse', 'Sequential', 'tensor']),
    importing(['GRU'], 'gradus/recurrent'),
    '',
    '// As on the page; without it the net trains faster, with other roundings.',
    "const backend = createBackend({ backend: 'js' })",
    `const model = new Sequential([new GRU(1, ${units}, { returnSequences: true }), new Dense(${units}, 1)], { seed: ${seed}, backend })`,
    `const optimizer = new Adam(model.parameters(), { learningRate: ${rate} })`,
    `const random = new Generator(${seed})`,
    'const [rows, length] = [16, 32]',
    `const wave = (count, from = 0) => Array.from({ length: count }, (_, t) => Math.sin((2 * Math.PI * (t + from)) / ${period}))`,
    '',
    `for (let step = 0; step < ${steps}; step++) {`,
    `  const waves = Array.from({ length: rows }, () => wave(length + 1, ${period} * random.next()))`,
    '  const noise = random.normals(rows * (length + 1))',
    `  const noisy = waves.map((values, row) => values.map((v, t) => v + ${noise} * noise[row * (length + 1) + t]))`,
    '  const part = (from) => tensor(noisy.flatMap((values) => values.slice(from, from + length)), [rows, length, 1], { backend })',
    '  const loss = mse(model.forward(part(0)), part(1))',
    '  if (step % 100 === 0) console.log({ step, loss: loss.item() })',
    '  loss.backward()',
    '  optimizer.step()',
    '}',
    '',
    '// The net goes on alone: each of its answers is its next input.',
    `const [given, alone] = [${GIVEN}, ${ALONE}]`,
    'const right = wave(given + alone + 1)',
    'const seen = right.slice(0, given)',
    'while (seen.length <= given + alone) seen.push(model.predict(tensor(seen, [1, seen.length, 1], { backend })).data().at(-1))',
    'const errors = seen.slice(given + 1).map((y, i) => y - right[given + 1 + i])',
    'console.log({ offAlone: Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / alone) })',
    '',
  ].join('\n')
}

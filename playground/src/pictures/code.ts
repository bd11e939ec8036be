/** A gradus program that trains the net of the page, to the bits where the functions of the engine's `Math` are the same. */
import { importing } from '../program'
import { CUT_LINES, DIGIT_LINES } from '../train/digit-lines'
import type { PicturesState } from './state'

/** @param steps that it takes */
export function picturesCode({ seed, rate, filters, kernel, digit, shift }: PicturesState, steps: number): string {
  return [
    importing(['Adam', 'createBackend', 'crossEntropy', 'Dense', 'Generator', 'Sequential', 'tensor']),
    importing(['Conv2d', 'GlobalAvgPool', 'MaxPool'], 'gradus/conv'),
    importing(['fromArrays', 'loadMnist', 'selectRows'], 'gradus/data'),
    '',
    '// As on the page; without it the net trains faster, with other roundings.',
    "const backend = createBackend({ backend: 'js' })",
    ...DIGIT_LINES,
    ...CUT_LINES,
    '',
    'const model = new Sequential([',
    `  new Conv2d(1, ${filters}, ${kernel}, { padding: 'same', activation: 'relu' }),`,
    '  new MaxPool(2),',
    `  new Conv2d(${filters}, ${2 * filters}, 3, { padding: 'same', activation: 'relu' }),`,
    '  new GlobalAvgPool(),',
    `  new Dense(${2 * filters}, 10),`,
    `], { seed: ${seed}, backend })`,
    `const optimizer = new Adam(model.parameters(), { learningRate: ${rate} })`,
    `const random = new Generator(${seed})`,
    'const pictures = (inputs) => tensor(inputs, [inputs.length / 196, 14, 14, 1], { backend })',
    '/** The share of the first test digits that it names. */',
    'function accuracy(count) {',
    '  const scores = model.predict(pictures(test.inputs.subarray(0, 196 * count))).data()',
    '  const answers = Array.from({ length: count }, (_, i) => {',
    '    const of = scores.subarray(10 * i, 10 * i + 10)',
    '    return of.indexOf(Math.max(...of))',
    '  })',
    '  return answers.filter((answer, i) => answer === test.targets[i]).length / count',
    '}',
    '',
    'let [batches, place] = [[], 0]',
    `for (let step = 0; step < ${steps}; step++) {`,
    '  if (place + 16 > batches.length) [batches, place] = [random.permutation(train.count), 0]',
    '  const { inputs, targets } = selectRows(train, batches.subarray(place, (place += 16)))',
    '  const loss = crossEntropy(model.forward(pictures(inputs)), targets)',
    '  if (step % 100 === 0) console.log({ step, loss: loss.item(), accuracy: accuracy(200) })',
    '  loss.backward()',
    '  optimizer.step()',
    '}',
    `const shown = test.inputs.subarray(${196 * digit}, ${196 * (digit + 1)})`,
    ...(shift === 0
      ? []
      : [
          'const moved = shown.map((_, i) => {',
          `  const column = (i % 14) - ${shift}`,
          `  return column < 0 || column > 13 ? 0 : shown[i - ${shift}]`,
          '})',
        ]),
    `console.log({ ofAllTestDigits: accuracy(500), scores: Array.from(model.predict(pictures(${shift === 0 ? 'shown' : 'moved'})).data()) })`,
    '',
  ].join('\n')
}

/** A few test samples with the net's predictions: digits as pictures, others as a table. */
import type { Dataset } from '../../data/index.js'
import { softmax } from '../../index.js'
import { percent, table } from '../terminal/format.js'
import { columns, print } from '../terminal/terminal.js'
import { drawDigits, type Guess } from './digits.js'
import { asTensors, type Plan, type Setup } from './setup.js'

const SHOWN = 6

/** Draws a few test samples, including a mistake if there is one. */
export function showSamples(plan: Plan, { model, backend }: Setup): void {
  const { test } = plan.data
  const { inputs } = asTensors(test, backend)
  const probabilities = softmax(model.predict(inputs)).data()
  const guesses = chooseSamples(test, probabilities as Float32Array)
  print(`A few of the test ${plan.task.plural}:`)
  if (plan.task.name === 'mnist') for (const line of drawDigits(guesses, Math.min(columns() - 1, 100))) print(line)
  else for (const line of [...sampleTable(test, guesses), '']) print(line)
}

function chooseSamples(test: Dataset, probabilities: Float32Array): Guess[] {
  const guesses = Array.from({ length: test.count }, (_, row) => guessOf(test, probabilities, row))
  const mistake = guesses.find((guess) => guess.prediction !== guess.truth)
  const others = guesses.filter((guess) => guess !== mistake)
  return mistake ? [...others.slice(0, SHOWN - 1), mistake] : others.slice(0, SHOWN)
}

function guessOf(test: Dataset, probabilities: Float32Array, row: number): Guess {
  const of = probabilities.subarray(row * test.classes, (row + 1) * test.classes)
  const probability = Math.max(...of)
  const pixels = test.inputs.subarray(row * test.features, (row + 1) * test.features)
  return { pixels, prediction: of.indexOf(probability), probability, truth: test.targets[row] }
}

function sampleTable({ classNames }: Dataset, guesses: readonly Guess[]): string[] {
  const nameOf = (c: number) => classNames?.[c] ?? `class ${c}`
  const rows = guesses.map(({ prediction, probability, truth }) => [
    `  ${nameOf(prediction)}`,
    percent(probability, 1),
    nameOf(truth),
    prediction === truth ? '✓' : '✗ wrong',
  ])
  return table([['  the net says', 'sure', 'it is', ''], ...rows]).map((line) => line.trimEnd())
}

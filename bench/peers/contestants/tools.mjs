/** Shared code of contestants. */
import { readFileSync } from 'node:fs'

/** The version of an installed package. */
export function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version
}

/** The rows of batch i, as parts of x and y. */
export function batchOf({ x, y, batch, count }, i) {
  const [inputs, targets] = [x.length / count, y.length / count]
  return {
    x: x.subarray(i * batch * inputs, (i + 1) * batch * inputs),
    y: y.subarray(i * batch * targets, (i + 1) * batch * targets),
  }
}

export const batchesOf = (task) => Array.from({ length: task.batches }, (_, i) => batchOf(task, i))

/** Row-wise [rows, classes] with a 1 in each row. */
export function oneHot(labels, classes) {
  const out = new Float32Array(labels.length * classes)
  labels.forEach((label, r) => {
    out[r * classes + label] = 1
  })
  return out
}

export const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length

/** The share of rows whose largest output, or sign of the only one, is right. */
export function accuracyOf(outputs, y, threshold = 0) {
  const width = outputs.length / y.length
  let right = 0
  y.forEach((label, r) => {
    const row = outputs.subarray(r * width, (r + 1) * width)
    const said = width === 1 ? Number(row[0] > threshold) : row.indexOf(Math.max(...row))
    if (said === label) right++
  })
  return right / y.length
}

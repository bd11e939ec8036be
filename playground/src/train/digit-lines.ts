/** Lines of a program that make `data`, the digits of the page, with their order and the number of those for testing. */
export const DIGIT_LINES = [
  '// 3,000 digits of MNIST at half their width, each pixel a byte; the last 500 for testing.',
  'const { train: mnist } = await loadMnist()',
  'const digits = Array.from({ length: 3000 }, (_, digit) =>',
  '  Float32Array.from({ length: 14 * 14 }, (_, i) => {',
  '    const at = 784 * digit + 56 * Math.floor(i / 14) + 2 * (i % 14)',
  '    const sum = mnist.inputs[at] + mnist.inputs[at + 1] + mnist.inputs[at + 28] + mnist.inputs[at + 29]',
  '    return Math.round((255 * sum) / 4) / 255',
  '  }),',
  ')',
  'const data = fromArrays(digits, mnist.targets.subarray(0, 3000))',
  'const order = Int32Array.from({ length: 3000 }, (_, i) => i)',
  'const tests = 500',
]

/** Lines that cut `data`, in this order, into training and test rows. */
export const CUT_LINES = [
  'const train = selectRows(data, order.subarray(0, data.count - tests))',
  'const test = selectRows(data, order.subarray(data.count - tests))',
]

/**
 * Kernels alone: matrix products compared with the multiply-add limit of this core in this run, and element-wise kernels per element.
 * Best of many short rounds, the limit measured before and after each product. `npx tsx bench/kernels.ts`, on Node 22 for `relaxed`.
 */
import { withProducts } from '../ts/backend/families.js'
import { withAllKernels } from '../ts/backend/js/all.js'
import { supportedVariants } from '../ts/debug/index.js'
import { type Backend, createBackend } from '../ts/index.js'
import { best, limitOf } from './tools/limit.js'

const JS_MOST_FLOPS = 4e6

const square = (n: number) => [n, n, n] as const
/** kind, then m, k, n of a[m,k] · b[k,n] */
const products = [
  ...[64, 128, 256, 512].flatMap((n) => (['matmul', 'matmulNT', 'matmulTN'] as const).map((kind) => [kind, ...square(n)] as const)),
  ['matmul', 64, 784, 128],
  ['matmulTN', 784, 64, 128],
  ['matmulNT', 64, 128, 784],
  ['matmul', 64, 128, 10],
  ['matmulTN', 128, 64, 10],
  ['matmulNT', 64, 10, 128],
  ['matmul', 128, 512, 512],
  ['matmul', 65, 65, 65],
  ['matmul', 1, 784, 128],
  ['matmulTN', 784, 1, 128],
  ['matmul', 64, 2, 16],
  ['matmul', 64, 16, 1],
] as const

const unary = ['neg', 'abs', 'exp', 'log', 'sqrt', 'sin', 'erf'] as const
const activations = ['relu', 'sigmoid', 'tanh', 'gelu', 'silu', 'softplus', 'elu', 'mish', 'selu'] as const

interface Subject {
  backend: Backend
  limit: (() => number) | undefined
}

function buffers({ heap }: Backend, counts: number[]): number[] {
  const pointers = counts.map((n) => heap.allocate(n * heap.elementSize))
  pointers.forEach((p, i) => heap.view(p, counts[i]).forEach((_, j, view) => (view[j] = ((j * 7919) % 1000) / 1000 + 0.001)))
  return pointers
}

function product({ backend, limit }: Subject, [kind, m, k, n]: (typeof products)[number]): string {
  const flops = 2 * m * k * n
  if (!limit && flops > JS_MOST_FLOPS) return ''.padStart(16)
  const [a, b, c] = buffers(backend, [m * k, k * n, m * n])
  const kernels = withProducts(backend)
  const call = () => kernels[kind](a, b, c, m, n, k, 0, backend.heap.scratch)
  best(call, flops)
  const before = limit?.() ?? 0
  const speed = best(call, flops)
  const most = Math.max(before, limit?.() ?? 0)
  for (const p of [a, b, c]) backend.heap.free(p)
  return `${speed.toFixed(1).padStart(8)} ${most ? `${((100 * speed) / most).toFixed(0)} %`.padStart(7) : ''.padStart(7)}`
}

function elementwise({ backend }: Subject, name: string, n: number): string {
  const { heap } = backend
  const kernels = withAllKernels(backend)
  const [x, y, z] = buffers(backend, [n, n, n])
  const activation = activations.indexOf(name as never)
  const calls: Record<string, () => void> = {
    add: () => kernels.add(x, y, z, 1, n, n, 1, n, 1),
    'add a row': () => kernels.add(x, y, z, n / 64, 64, 64, 1, 0, 1),
    addScaled: () => kernels.addScaled(x, y, n, 1e-9),
    reduceSum: () => kernels.reduceSum(x, y, 1, n, 1),
    sumSquares: () => kernels.sumSquares(x, n),
    softmax: () => kernels.softmax(x, y, n / 64, 64),
    randomNormal: () => kernels.randomNormal(y, n, 1, 2, 3, 4, 0, 1),
  }
  const call =
    calls[name] ?? (activation < 0 ? () => kernels[name as 'exp'](x, y, n) : () => kernels.activationForward(x, y, n, NUMBER[name]))
  best(call, n, 10)
  const speed = best(call, n, 20)
  for (const p of [x, y, z]) heap.free(p)
  return (1 / speed).toFixed(3).padStart(10)
}

const NUMBER: Record<string, number> = { relu: 1, sigmoid: 3, tanh: 4, gelu: 5, silu: 6, softplus: 7, elu: 8, mish: 9, selu: 10 }

const subjects: Subject[] = [
  ...supportedVariants().map((variant) => ({ backend: createBackend({ variant }), limit: limitOf(variant === 'relaxed') })),
  { backend: createBackend({ backend: 'js' }), limit: undefined },
]
const names = subjects.map(({ backend }) => backend.variant)

console.log(`GFLOP/s and share of the 128-bit multiply-add limit, Node ${process.versions.node}`)
console.log(`limit: ${subjects.map(({ limit }, i) => (limit ? `${names[i]} ${limit().toFixed(1)}` : '')).join('  ')}`)
console.log('product'.padEnd(24) + names.map((name) => `${name.padStart(8)}        `).join(''))
for (const item of products) {
  const [kind, ...size] = item
  console.log(`${kind} ${size.join('·')}`.padEnd(24) + subjects.map((subject) => product(subject, item)).join(''))
}

const n = 1 << 14
console.log(`\nnanoseconds per element, ${n} elements`)
console.log('kernel'.padEnd(16) + names.map((name) => name.padStart(10)).join(''))
for (const name of ['add', 'add a row', 'addScaled', ...unary, ...activations, 'softmax', 'reduceSum', 'sumSquares', 'randomNormal']) {
  console.log(name.padEnd(16) + subjects.map((subject) => elementwise(subject, name, n)).join(''))
}

/** The contestants, their runtimes, and notes about each. */

/** One line of the table. */
export interface Contestant {
  id: string
  title: string
  /** `gradus`, a library for JavaScript, a hand-written loop, or native code behind Python. */
  kind: 'gradus' | 'library' | 'loop' | 'native'
  /** The contestant's file in contestants/, and the options that it gets. */
  program: readonly [string, ...string[]]
  runtime: 'node-22' | 'node-24' | 'python'
  /** Difference between its steps and the steps in the table's head. */
  note?: string
  /** True if the start of the contestant is measured. */
  starts?: boolean
  /** Flags of Node. */
  flags?: readonly string[]
  /** Number of cores; default 1. Contestants with two cores are compared with each other, on large nets alone. */
  cores?: 2
}

/** Workloads of contestants with two cores. */
export const LARGE: readonly string[] = ['W3', 'W4', 'W5', 'W6', 'W7']

const perSample = 'trains sample by sample: a step here is as many samples as others have in a batch'

/** The flag that `load({ widen: true })` sets, for rivals. */
const WIDENS = { flags: ['--experimental-wasm-revectorize'], note: 'with the flag of V8 that `widen` sets' } as const

export const CONTESTANTS: readonly Contestant[] = [
  { id: 'gradus', title: 'gradus', kind: 'gradus', program: ['gradus'], runtime: 'node-22', starts: true },
  {
    id: 'gradus-widened',
    title: 'gradus, widened',
    kind: 'gradus',
    program: ['gradus', 'widen'],
    runtime: 'node-24',
    note: '`load({ widen: true })`: an experimental flag of V8',
  },
  { id: 'plain', title: 'plain JS loops', kind: 'loop', program: ['plain'], runtime: 'node-24', note: 'typed arrays, nothing allocated' },
  {
    id: 'tfjs-wasm',
    title: 'TensorFlow.js, wasm',
    kind: 'library',
    program: ['tfjs', 'wasm'],
    runtime: 'node-24',
    note: '`optimizer.minimize` on variables',
    starts: true,
  },
  {
    id: 'tfjs-wasm-widened',
    title: 'TensorFlow.js, wasm, flag',
    kind: 'library',
    program: ['tfjs', 'wasm'],
    runtime: 'node-24',
    ...WIDENS,
  },
  { id: 'tfjs-cpu', title: 'TensorFlow.js, cpu', kind: 'library', program: ['tfjs', 'cpu'], runtime: 'node-24', starts: true },
  {
    id: 'jax-js',
    title: 'jax-js, wasm',
    kind: 'library',
    program: ['jax-js'],
    runtime: 'node-24',
    note: 'the whole step in one `jit`; the loss is read each step, since it is lazy',
    starts: true,
  },
  { id: 'jax-js-widened', title: 'jax-js, wasm, flag', kind: 'library', program: ['jax-js'], runtime: 'node-24', ...WIDENS },
  { id: 'brain', title: 'brain.js', kind: 'library', program: ['brain'], runtime: 'node-24', note: `praxis \`adam\`; ${perSample}` },
  {
    id: 'convnet',
    title: 'ConvNetJS',
    kind: 'library',
    program: ['convnet'],
    runtime: 'node-24',
    note: 'Adadelta, since it has no Adam; one sample at a time, an update a batch',
  },
  {
    id: 'synaptic',
    title: 'Synaptic',
    kind: 'library',
    program: ['synaptic'],
    runtime: 'node-24',
    note: `plain gradient descent on squared errors, the only rule it has; ${perSample}`,
  },
  {
    id: 'numpy',
    title: 'numpy by hand',
    kind: 'native',
    program: ['numpy_net'],
    runtime: 'python',
    note: 'forward, backward and Adam as a reader of a textbook writes them, arrays made once',
  },
  { id: 'pytorch', title: 'PyTorch', kind: 'native', program: ['pytorch', 'eager'], runtime: 'python', note: 'as it comes' },
  {
    id: 'pytorch-fused',
    title: 'PyTorch, fused',
    kind: 'native',
    program: ['pytorch', 'fused'],
    runtime: 'python',
    note: '`Adam(fused=True)`',
    starts: true,
  },
  {
    id: 'pytorch-compiled',
    title: 'PyTorch, compiled',
    kind: 'native',
    program: ['pytorch', 'compiled'],
    runtime: 'python',
    note: '`torch.compile` of forward and loss, fused Adam',
  },
  {
    id: 'jax',
    title: 'JAX, a call a step',
    kind: 'native',
    program: ['jax_jit', 'step'],
    runtime: 'python',
    note: '`jit` of the whole step with optax',
    starts: true,
  },
  {
    id: 'jax-scan',
    title: 'JAX, a call an epoch',
    kind: 'native',
    program: ['jax_jit', 'scan'],
    runtime: 'python',
    note: '`lax.scan` over the batches of an epoch, inside `jit`',
  },
  { id: 'gradus-two', title: 'gradus', kind: 'gradus', program: ['gradus', 'threads'], runtime: 'node-22', cores: 2 },
  {
    id: 'gradus-widened-two',
    title: 'gradus, widened',
    kind: 'gradus',
    program: ['gradus', 'widen', 'threads'],
    runtime: 'node-24',
    cores: 2,
  },
  { id: 'pytorch-two', title: 'PyTorch, fused', kind: 'native', program: ['pytorch', 'fused', 'threads'], runtime: 'python', cores: 2 },
  { id: 'jax-two', title: 'JAX, a call a step', kind: 'native', program: ['jax_jit', 'step', 'threads'], runtime: 'python', cores: 2 },
  {
    id: 'jax-scan-two',
    title: 'JAX, a call an epoch',
    kind: 'native',
    program: ['jax_jit', 'scan', 'threads'],
    runtime: 'python',
    cores: 2,
  },
]

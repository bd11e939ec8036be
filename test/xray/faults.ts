/** Trainings with one fault, and sound ones: each a data set, a net, an optimizer and a seed. */
import { blobs, circles, iris, moons, spirals } from '../../ts/data/index.js'
import {
  Adam,
  AdamW,
  binaryCrossEntropy,
  crossEntropy,
  Dense,
  Dropout,
  type FitOptions,
  fit,
  Generator,
  huber,
  type Loss,
  type Module,
  type Momentum,
  mae,
  mse,
  RMSProp,
  Sequential,
  SGD,
  schedules,
} from '../../ts/index.js'
import { Nesterov } from '../../ts/optim/index.js'
import { XRay, type XRayOptions } from '../../ts/xray/index.js'
import type { XrayReport } from '../../ts/xray/report.js'

/** Inputs as rows, and classes or numbers. */
interface Data {
  name: string
  x: number[][]
  y: number[]
  /** 0 for numbers. */
  classes: number
}

/** Everything that a fault may change. */
interface Case {
  data: Data
  hidden: number[]
  activation: 'relu' | 'tanh' | 'sigmoid' | 'gelu' | 'silu'
  output: 'linear' | 'sigmoid' | 'relu' | 'tanh'
  loss: Loss
  optimizer: string
  rate: number
  decay: number
  batch: number | 'full'
  epochs: number
  shuffle: boolean
  dropout: number
  validation: Data | null
  schedule: ((steps: number) => (step: number) => number) | null
  /** Changes the net after it was built. */
  spoil: ((model: Sequential) => void) | null
  seed: number
}

/** The words of rules that name the fault; the first verdict's rule must be one of them. */
interface Fault {
  rules: readonly string[]
  /** False where the fault makes no sense for the case, which is then drawn again. */
  suits?: (c: Case) => boolean
  apply(c: Case, random: () => number): void
}

const OPTIMIZERS: Record<string, { rate: number; make: (model: Module, rate: number, decay: number) => SGD | Adam | Momentum | RMSProp }> =
  {
    SGD: { rate: 0.15, make: (m, learningRate, weightDecay) => new SGD(m.parameters(), { learningRate, weightDecay }) },
    Momentum: { rate: 0.02, make: (m, learningRate, weightDecay) => new SGD(m.parameters(), { learningRate, weightDecay, momentum: 0.9 }) },
    Nesterov: { rate: 0.02, make: (m, learningRate, weightDecay) => new Nesterov(m.parameters(), { learningRate, weightDecay }) },
    Adam: { rate: 5e-3, make: (m, learningRate, weightDecay) => new Adam(m.parameters(), { learningRate, weightDecay }) },
    AdamW: { rate: 5e-3, make: (m, learningRate, weightDecay) => new AdamW(m.parameters(), { learningRate, weightDecay }) },
    RMSProp: { rate: 3e-3, make: (m, learningRate, weightDecay) => new RMSProp(m.parameters(), { learningRate, weightDecay }) },
  }

const scaleAll = (factor: number) => (model: Sequential) => {
  for (const p of model.parameters()) if (p.rank === 2) p.view().forEach((w, i, all) => (all[i] = w * factor))
}
const dense = (model: Sequential) => model.layers.filter((layer) => layer instanceof Dense) as Dense[]

export const FAULTS: Record<string, Fault> = {
  'rate × 30': { rules: ['rate too large'], apply: (c, u) => (c.rate *= 25 + 20 * u()) },
  'rate ÷ 100': { rules: ['rate too small'], apply: (c, u) => (c.rate /= 80 + 100 * u()) },
  'dead relu': {
    rules: ['dead units'],
    suits: (c) => c.activation === 'relu',
    apply: (c, u) => {
      const depth = 3 + 4 * u()
      c.spoil = (model) => dense(model)[0].bias?.view().fill(-depth)
    },
  },
  'saturated sigmoid': {
    rules: ['saturated units', 'initial weights too large'],
    apply: (c, u) => {
      c.activation = u() < 0.6 ? 'sigmoid' : 'tanh'
      const factor = 20 + 40 * u()
      c.spoil = (model) =>
        dense(model)
          .slice(0, -1)
          .forEach((layer) => layer.weight.view().forEach((w, i, all) => (all[i] = w * factor)))
    },
  },
  'wrong labels': {
    rules: ['labels that look wrong'],
    suits: (c) => c.data.classes > 0 && c.data.name !== 'spirals',
    apply: (c, u) => {
      const share = 0.18 + 0.07 * u()
      c.data.y = c.data.y.map((y) => (u() < share ? (y + 1 + Math.floor(u() * (c.data.classes - 1))) % c.data.classes : y))
    },
  },
  leak: {
    rules: ['leak'],
    suits: (c) => c.data.x[0].length >= 2,
    apply: (c, u) => {
      const factor = 1 + u()
      c.data.x.forEach((row, i) => row.push(factor * c.data.y[i] + 0.01 * (u() - 0.5)))
      c.validation?.x.forEach((row, i) => row.push(factor * (c.validation?.y[i] ?? 0)))
    },
  },
  'inputs unscaled': {
    rules: ['inputs not scaled'],
    apply: (c, u) => {
      const factors = c.data.x[0].map(() => 10 ** (1 + 3 * u()))
      const shift = u() < 0.5 ? 0 : 3
      for (const data of [c.data, c.validation]) if (data) data.x = data.x.map((row) => row.map((v, j) => (v + shift) * factors[j]))
    },
  },
  'batch of 1': {
    rules: ['batch too small'],
    apply: (c) => {
      c.batch = 1
      c.epochs = Math.max(2, Math.round(c.epochs / 8))
    },
  },
  'batch of all': {
    rules: ['batch too large'],
    suits: (c) => c.data.x.length >= 300,
    apply: (c) => {
      c.batch = 'full'
    },
  },
  'sorted rows': {
    rules: ['sorted rows'],
    apply: (c) => {
      c.shuffle = false
      const order = c.data.y.map((_, i) => i).sort((a, b) => c.data.y[a] - c.data.y[b])
      c.data = { ...c.data, x: order.map((i) => c.data.x[i]), y: order.map((i) => c.data.y[i]) }
    },
  },
  'decay × 100': {
    rules: ['weight decay too large'],
    apply: (c, u) => {
      c.decay = c.optimizer === 'AdamW' ? 1 + u() : 0.1 + 0.1 * u()
    },
  },
  'vanishing gradients': {
    rules: ['vanishing gradients'],
    apply: (c) => {
      c.activation = 'sigmoid'
      c.hidden = Array.from({ length: 20 }, () => c.hidden[0])
    },
  },
  'exploding init': {
    rules: ['initial weights too large'],
    apply: (c, u) => {
      c.spoil = scaleAll(8 + 12 * u())
      if (c.activation === 'tanh' || c.activation === 'sigmoid') c.activation = 'relu'
      if (c.hidden.length < 2) c.hidden.push(c.hidden[0])
    },
  },
  'symmetric init': {
    rules: ['equal units'],
    apply: (c, u) => {
      const value = u() < 0.3 ? 0.1 : 0.5 * u()
      c.spoil = (model) => dense(model).forEach((layer) => layer.weight.view().fill(value))
    },
  },
  plateau: {
    rules: ['plateau', 'saturated units', 'dead units'],
    apply: (c, u) => {
      c.activation = u() < 0.5 ? 'tanh' : 'sigmoid'
      const bias = 8 + 6 * u()
      c.spoil = (model) => dense(model)[0].bias?.view().fill(bias)
    },
  },
  'saddle start': {
    rules: ['saddle', 'equal units'],
    apply: (c, u) => {
      if (c.activation === 'sigmoid') c.activation = 'tanh'
      if (c.hidden.length < 2) c.hidden.push(c.hidden[0])
      c.spoil = scaleAll(10 ** (-3 - u()))
    },
  },
  'dropout .9': { rules: ['dropout too large'], apply: (c, u) => (c.dropout = 0.85 + 0.1 * u()) },
  'rare class': {
    rules: ['rare class'],
    suits: (c) => c.data.classes > 0,
    apply: (c, u) => {
      const most = Math.max(2, Math.round(c.data.x.length * (0.01 + 0.02 * u())))
      let left = most
      const keep = c.data.y.map((y) => y !== 0 || left-- > 0)
      c.data = { ...c.data, x: c.data.x.filter((_, i) => keep[i]), y: c.data.y.filter((_, i) => keep[i]) }
    },
  },
  'target unscaled': {
    rules: ['target not scaled'],
    suits: (c) => c.data.classes === 0,
    apply: (c, u) => {
      const [factor, shift] = [10 ** (2 + 2 * u()), 10 ** (2 + 2 * u())]
      for (const data of [c.data, c.validation]) if (data) data.y = data.y.map((v) => v * factor + shift)
    },
  },
  'constant column': {
    rules: ['constant column'],
    apply: (c, u) => {
      const value = u() < 0.5 ? 0 : u()
      for (const data of [c.data, c.validation]) data?.x.forEach((row) => row.push(value))
    },
  },
  'validation seen': {
    rules: ['validation rows in training'],
    apply: (c, u) => {
      const n = Math.floor(c.data.x.length * 0.2)
      const fresh = c.validation ?? draw(c.data.name, c.seed + 1000, n)
      const from = Math.floor(u() * n)
      c.validation = {
        ...fresh,
        x: fresh.x.map((row, i) => (i % 2 ? (c.data.x[from + i] ?? row) : row)),
        y: fresh.y.map((y, i) => (i % 2 ? (c.data.y[from + i] ?? y) : y)),
      }
    },
  },
  'schedule ends early': {
    rules: ['schedule ends too early'],
    apply: (c, u) => {
      const end = 0.1 + 0.2 * u()
      const { rate } = c
      c.schedule = (steps) => schedules.cosine(rate, { steps: Math.max(2, Math.round(end * steps)) })
    },
  },
  'wrong loss': {
    rules: ['wrong loss for the output'],
    apply: (c, u) => {
      if (c.data.classes > 0) {
        if (u() < 0.7) c.output = u() < 0.5 ? 'sigmoid' : 'relu'
        else c.output = 'tanh'
      } else c.output = u() < 0.5 ? 'sigmoid' : 'relu'
    },
  },
  'frozen layer': {
    rules: ['frozen layer'],
    apply: (c) => {
      c.spoil = (model) => {
        for (const p of [dense(model)[0].weight, dense(model)[0].bias]) if (p) p.requiresGrad = false
      }
    },
  },
}

export const TITLES = Object.keys(FAULTS)

/** Data sets by name. */
export function draw(name: string, seed: number, n: number): Data {
  const g = new Generator(seed, 7)
  const normal = (k: number) => [...g.normals(k)]
  const rows = (d: { inputs: Float32Array; targets: ArrayLike<number>; shape?: readonly number[] }, classes: number): Data => {
    const width = d.inputs.length / d.targets.length
    const all = Array.from(d.targets, (y, i) => ({ y, row: [...d.inputs.subarray(i * width, (i + 1) * width)] }))
    const order = new Generator(seed, 8).permutation(all.length)
    return { name, x: Array.from(order, (i) => all[i].row), y: Array.from(order, (i) => all[i].y), classes }
  }
  switch (name) {
    case 'blobs':
      return rows(blobs({ count: n, classes: 3, seed }) as never, 3)
    case 'moons':
      return rows(moons({ count: n, noise: 0.15, seed }) as never, 2)
    case 'circles':
      return rows(circles({ count: n, noise: 0.08, seed }) as never, 2)
    case 'spirals':
      return rows(spirals({ count: n, classes: 2, turns: 0.75, seed }) as never, 2)
    case 'iris': {
      const d = iris()
      const scaled = d.inputs.map((v, i) => (v - [5.84, 3.06, 3.76, 1.2][i % 4]) / [0.83, 0.43, 1.76, 0.76][i % 4])
      return rows({ inputs: scaled as Float32Array, targets: d.targets } as never, 3)
    }
    case 'prototypes': {
      const centers = Array.from({ length: 5 }, () => normal(16))
      const y = Array.from({ length: n }, (_, i) => i % 5)
      const x = y.map((c) => normal(16).map((v, j) => 0.8 * v + 0.9 * centers[c][j]))
      const order = [...g.permutation(n)]
      return { name, x: order.map((i) => x[i]), y: order.map((i) => y[i]), classes: 5 }
    }
    case 'waves': {
      const x = Array.from({ length: n }, () => normal(1).map((v) => 1.2 * v))
      return { name, x, y: x.map(([v]) => Math.sin(2 * v) + 0.1 * normal(1)[0]), classes: 0 }
    }
    case 'line': {
      const w = normal(6)
      const x = Array.from({ length: n }, () => normal(6))
      return { name, x, y: x.map((row) => row.reduce((s, v, j) => s + (w[j] * v) / 2, 0) + 0.2 * normal(1)[0]), classes: 0 }
    }
    default: {
      const x = Array.from({ length: n }, () => [...g.uniforms(5)].map((v) => 2 * v - 1))
      const y = x.map(([a, b, c, d, e]) => Math.sin(2 * a * b) + c * c + 0.6 * d - 0.4 * e - 0.3 + 0.1 * normal(1)[0])
      return { name: 'friedman', x, y, classes: 0 }
    }
  }
}

const CLASSES = ['blobs', 'moons', 'circles', 'spirals', 'iris', 'prototypes']
const NUMBERS = ['waves', 'line', 'friedman']

/** A sound training by its seed. */
function soundCase(seed: number, random: () => number): Case {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]
  const name = pick([...CLASSES, ...NUMBERS])
  const n = name === 'iris' ? 150 : pick([200, 400, 600, 1000])
  const data = draw(name, seed, n)
  const optimizer = pick(Object.keys(OPTIMIZERS))
  const batch = pick([8, 16, 32, 64])
  const activation = pick(['relu', 'tanh', 'relu', 'gelu', 'silu'] as const)
  const hidden = pick([[16], [32], [64], [16, 16], [32, 32], [64, 32]])
  const steps = pick([800, 1500, 2500])
  const binary = data.classes === 2 && random() < 0.4
  return {
    data,
    hidden: [...hidden],
    activation,
    output: 'linear',
    loss: binary ? (binaryCrossEntropy as Loss) : data.classes > 0 ? (crossEntropy as Loss) : pick([mse, mse, huber, mae] as Loss[]),
    optimizer,
    // sines of one column have a sharpness of 50 at the start
    rate: OPTIMIZERS[optimizer].rate * pick([0.5, 1, 1.5]) * (name === 'waves' && /SGD|Momentum|Nesterov/.test(optimizer) ? 0.2 : 1),
    decay: optimizer === 'AdamW' ? 0.01 : pick([0, 0, 1e-4]),
    batch,
    epochs: Math.ceil(steps / Math.ceil(n / batch)),
    shuffle: true,
    dropout: pick([0, 0, 0, 0.1]),
    validation: random() < 0.5 ? draw(name, seed + 500, Math.floor(n / 4)) : null,
    schedule: null,
    spoil: null,
    seed,
  }
}

/** The case of a fault and a seed; without a fault a sound one. */
export function caseOf(fault: string | null, seed: number): Case {
  const generator = new Generator(seed, fault === null ? 1 : 2 + TITLES.indexOf(fault))
  const random = () => generator.next()
  for (;;) {
    const c = soundCase(seed, random)
    // the same centers: a data set drawn with another seed has others
    if (c.validation && (c.data.name === 'blobs' || c.data.name === 'prototypes' || c.data.name === 'line' || c.data.name === 'iris'))
      c.validation = null
    if (fault === null) return c
    const { suits, apply } = FAULTS[fault]
    if (suits && !suits(c)) continue
    apply(c, random)
    return c
  }
}

/** Trains, and returns what the X-ray saw. */
export async function run(c: Case, options: XRayOptions = {}): Promise<XrayReport> {
  const {
    data,
    hidden,
    activation,
    output,
    loss,
    optimizer,
    rate,
    decay,
    batch,
    epochs,
    shuffle,
    dropout,
    validation,
    schedule,
    spoil,
    seed,
  } = c
  const outputs = data.classes === 0 || loss === (binaryCrossEntropy as Loss) ? 1 : data.classes
  const widths = [data.x[0].length, ...hidden]
  const layers = hidden.flatMap((n, i) => [new Dense(widths[i], n, { activation }), ...(dropout > 0 ? [new Dropout(dropout)] : [])])
  const model = new Sequential([...layers, new Dense(widths[widths.length - 1], outputs, { activation: output })] as never, {
    seed,
  }) as Sequential
  spoil?.(model)
  const xray = new XRay(options)
  const targetsOf = (d: Data) => (d.classes === 0 || loss === (binaryCrossEntropy as Loss) ? Float32Array.from(d.y) : Int32Array.from(d.y))
  const steps = epochs * Math.ceil(data.x.length / (batch === 'full' ? data.x.length : batch))
  const given: FitOptions = {
    ...{ inputs: data.x, targets: targetsOf(data), loss, batchSize: batch, epochs, shuffle, seed, verbose: false, callbacks: [xray] },
    optimizer: OPTIMIZERS[optimizer].make(model, rate, decay),
    ...(schedule && { schedule: schedule(steps) }),
    ...(validation && { validation: { inputs: validation.x, targets: targetsOf(validation) } }),
  }
  try {
    await fit(model, given)
  } catch (error) {
    if ((error as Error).name !== 'NonFiniteError') throw error
  }
  return xray.report
}

/** A case in a few words. */
export function describeCase(c: Case): string {
  return `${c.data.name} ${c.data.x.length}×${c.data.x[0].length}, ${c.hidden.join('-')} ${c.activation}, ${c.loss.name}, ${c.optimizer} ${c.rate.toPrecision(2)}, batch ${c.batch}, ${c.epochs} epochs, seed ${c.seed}`
}

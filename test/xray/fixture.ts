/** Reports of trainings that never took place, for the tests of pictures and texts. */
import { Generator } from '../../ts/index.js'
import type { Severity, Verdict, XrayReport } from '../../ts/xray/report.js'

const verdict = (severity: Severity, step: number, rule: string, says: string, remedy: string): Verdict => ({
  ...{ severity, step, rule, says, remedy, figures: {} },
})

/** A training whose second layer dies and whose rate is too large. */
export function fixture({ layers = 3, samples = 120, every = 10, seed = 1 } = {}): XrayReport {
  const random = new Generator(seed)
  const noise = () => 2 * random.uniforms(1)[0] - 1
  return {
    ...{
      level: 'full',
      every,
      model: 'Sequential',
      optimizer: 'SGD',
      loss: 'crossEntropy',
      batchSize: 32,
      batchesPerEpoch: 40,
      epochsPlanned: 30,
    },
    setup: {
      ...{ shuffle: true, steps: 1200, learningRate: 0.1, weightDecay: 0, decoupled: false, isAdaptive: false, limit: 2, dropout: 0 },
      ...{ output: 'linear', logits: true },
    },
    layers: Array.from({ length: layers }, (_, i) => ({
      ...{
        name: String(i),
        kind: i < layers - 1 ? 'Dense(64, 64, relu)' : 'Dense(64, 3)',
        units: i < layers - 1 ? 64 : 3,
        parameters: 4160,
      },
      ...(i < layers - 1 && { activation: 'relu' }),
    })),
    samples: Array.from({ length: samples }, (_, i) => {
      const t = i / Math.max(1, samples - 1)
      return {
        ...{ step: (i + 1) * every, epoch: 1 + Math.floor(((i + 1) * every) / 40), learningRate: 0.1, batchSize: 32 },
        ...{
          probeLoss: Math.exp(-3 * t) + 0.1,
          loss: Math.exp(-3 * t) + 0.1 + 0.03 * noise(),
          gradientNorm: Math.exp(-2 * t + 0.2 * noise()),
        },
        ...{
          noiseScale: 8 + 400 * t + 10 * noise(),
          sharpness: 10 + 14 * t,
          stability: 0.5 + 0.8 * t + 0.05 * noise(),
          cosine: -0.3 + 0.4 * noise(),
        },
        layers: Array.from({ length: layers }, (_, k) => ({
          gradientNorm: Math.exp(-2 * t - 1.5 * (layers - 1 - k) + 0.3 * noise()),
          weightNorm: 8,
          updateRatio: 10 ** (-3 + 0.8 * k - 2 * t * (k === 1 ? 1 : 0.4) + 0.1 * noise()),
          ...(k < layers - 1 && { dead: k === 1 ? 0.62 * Math.min(1, 2 * t) : 0.03 }),
        })),
      }
    }),
    epochs: Array.from({ length: Math.floor((samples * every) / 40) }, (_, i) => ({
      ...{
        epoch: i + 1,
        step: 40 * (i + 1),
        loss: Math.exp(-i / 10) + 0.1,
        validationLoss: Math.exp(-i / 10) + 0.15 + i * 0.003,
        learningRate: 0.1,
      },
    })),
    verdicts: [
      verdict(
        'fault',
        300,
        'dead units',
        '62 % of the units of layer 1 (Dense(64, 64, relu)) are dead since step 300',
        'try a learning rate of 0.008, a twelfth of the present one',
      ),
      verdict(
        'warning',
        320,
        'above the edge of stability',
        'learning rate 0.1 is 1.3 times the largest stable one since step 320',
        'lower the learning rate to 0.07',
      ),
      verdict('note', 900, 'overfitting', 'the validation loss has risen since epoch 22', 'stop at epoch 22'),
    ],
  }
}

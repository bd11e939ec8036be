/** Pictures of X-rays: what they show, and what they bear. */
import { describe, expect, test } from 'vitest'

import { plotXray } from '../../ts/xray/plot.js'
import type { XrayReport } from '../../ts/xray/report.js'
import { fixture } from './fixture.js'

const PANELS = [
  'Loss',
  'Learning rate × sharpness',
  'Noise scale',
  'Cosine of an update',
  'Updates by layer',
  'Gradient norms',
  'Dead units',
]
/** Places of marks from the left, in pixels. */
const places = (svg: string) => [...svg.matchAll(/ (?:x|x1|x2|cx)="([^"]*)"/g)].map(([, at]) => Number(at))

describe('plotXray', () => {
  test.each([300, 390, 640, 1200, 4000])('at %i pixels all of it is in the picture, and nothing is left out', (width) => {
    const report = fixture()
    const svg = plotXray(report, { width, title: 'A run' })
    for (const panel of ['A run', ...PANELS]) expect(svg).toContain(panel)
    expect(svg).not.toContain('Saturated')
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
    for (const at of places(svg)) {
      expect(at).toBeGreaterThanOrEqual(0)
      expect(at).toBeLessThanOrEqual(width)
    }
    // the remedy of each verdict stands before its finding
    const letters = svg.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
    for (const { remedy, says } of report.verdicts)
      expect(letters.indexOf(remedy.slice(1, 30))).toBeLessThan(letters.indexOf(says.slice(1, 30)))
  })

  test('marks each verdict at its step, with a number of its own', () => {
    const report = fixture()
    const marks = [...plotXray(report).matchAll(/font-weight="700" fill="#fff">(\d+)</g)].map(([, number]) => Number(number))
    expect(marks).toEqual([1, 2, 3, 1, 2, 3])
    const [first, second] = [...plotXray(report).matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="8"/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ])
    // close to each other: one above the other
    expect(second[0]).toBeGreaterThan(first[0])
    expect(second[1] - first[1]).toBe(18)
  })

  test('the figures of a layer decide the depth of its strip', () => {
    const report = fixture({ layers: 2, samples: 10 })
    const depths = (dead: number) => {
      const changed = {
        ...report,
        samples: report.samples.map((sample) => ({ ...sample, layers: sample.layers.map((own) => ({ ...own, dead })) })),
      }
      const [, panel] = plotXray(changed).split('Dead units')
      return Number(/fill-opacity="([\d.]+)"\/>/.exec(panel)?.[1])
    }
    expect([0, 0.5, 1].map(depths)).toEqual([0.05, 0.53, 1])
  })

  test.each<[string, Partial<XrayReport>]>([
    ['no sample', { samples: [], epochs: [], verdicts: [] }],
    ['no layer', { layers: [] }],
    ['one sample', { samples: fixture().samples.slice(0, 1) }],
    ['two samples of one step', { samples: [fixture().samples[0], fixture().samples[0]] }],
    [
      'samples without figures',
      {
        samples: fixture().samples.map(({ step, epoch, loss, probeLoss, learningRate, batchSize, gradientNorm }) => ({
          ...{ step, epoch, loss, probeLoss, learningRate, batchSize, gradientNorm },
          layers: [],
        })),
      },
    ],
    ['a loss of 0', { samples: fixture().samples.map((sample) => ({ ...sample, loss: 0, gradientNorm: 0 })), epochs: [] }],
    ['huge figures', { samples: fixture().samples.map((sample) => ({ ...sample, loss: 1e300, stability: 1e200, noiseScale: 1e-300 })) }],
    [
      'null in place of numbers, as JSON has NaN',
      { samples: fixture().samples.map((sample) => ({ ...sample, loss: null as unknown as number, cosine: null as unknown as number })) },
    ],
    ['verdicts without samples', { samples: [], epochs: [] }],
    ['a verdict of another version', { verdicts: [{ ...fixture().verdicts[0], severity: 'odd' as 'note', step: -5 }] }],
    ['a thousand layers', fixture({ layers: 1000, samples: 3 })],
  ])('%s: a picture without a wrong number', (_, changes) => {
    for (const width of [390, 1200]) {
      const svg = plotXray({ ...fixture(), ...changes }, { width })
      expect(svg).toMatch(/^<svg .*<\/svg>$/s)
      expect(svg).not.toMatch(/NaN|undefined|Infinity|null/)
    }
  })

  test('names out of files are text', () => {
    const name = '<script>alert(1)</script>\u0007"\ud800'
    const report = fixture()
    report.layers[0] = { ...report.layers[0], name, kind: name }
    report.verdicts[0] = { ...report.verdicts[0], says: name, remedy: name }
    const svg = plotXray({ ...report, optimizer: name }, { title: name, width: 1200 })
    expect(svg).not.toContain('<script')
    expect(svg).not.toMatch(/[\0-\u0008]|\p{Cs}/u)
  })

  test('refuses anything but a report', () => {
    for (const wrong of [undefined, null, 3, {}, [], { samples: 3 }, { epochs: [], stopReason: '' }])
      expect(() => plotXray(wrong as never)).toThrow(/^plotXray: wants a report, as XRay makes it, got /)
    expect(() => plotXray(fixture(), { width: 3 })).toThrow(/plotXray: width wants/)
    expect(() => plotXray(fixture(), { widht: 300 } as object)).toThrow(/no option 'widht'.*width/)
  })
})

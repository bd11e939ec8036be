/** Training speed of gradus on the visitor's machine. */
import { useSignal } from '@preact/signals'
import { engineOnDemand, type Running } from '../engine/client'
import { Button, CopyButton, Problem } from '../ui/controls'
import { colour } from '../ui/palette'
import type { Benchmark } from './measure'
import { speedText } from './says'

const worker = engineOnDemand()

const whole = (v: number) => Math.round(v).toLocaleString('en')

export function BenchmarkTab() {
  const result = useSignal<Benchmark | null>(null)
  const running = useSignal<Running<'benchmark'> | null>(null)
  const problem = useSignal('')
  const start = async () => {
    result.value = null
    problem.value = ''
    running.value = worker().run('benchmark', null, (update) => {
      result.value = update
    })
    try {
      result.value = await running.value.result
    } catch (error) {
      problem.value = (error as Error).message
    }
    running.value = null
  }
  const rows = result.value?.rows ?? []
  const nets = [...new Set(rows.map(({ net }) => net))]
  const text = () =>
    [
      'gradus, training steps a second by fit with Adam (median; best)',
      ...rows.map(({ net, backend, median, best }) => `${net}\t${backend}\t${whole(median)}\t${whole(best)}`),
      ...Object.entries(result.value?.facts ?? {}).map(([name, value]) => `${name}: ${value}`),
    ].join('\n')
  return (
    <div class="page">
      <h2>How fast does it train here?</h2>
      <p class="says">
        Whole training steps (forward, loss, backward, Adam) by <code>fit</code> with its defaults, shuffled batches included, in plain
        JavaScript and in each kind of WebAssembly that this browser has. Windows of the contestants take turns; a bar is the median, the
        tick the best. In Node <code>npx gradus bench</code> measures the same.
      </p>
      <div class="toolbar">
        <Button kind="primary" disabled={running.value !== null} onClick={start}>
          {running.value ? 'Measuring…' : 'Measure'}
        </Button>
        {rows.length > 0 && <CopyButton text={text}>Copy the figures</CopyButton>}
      </div>
      <Problem text={problem.value} />
      {nets.map((net) => {
        const own = rows.filter((row) => row.net === net)
        const most = Math.max(...own.map(({ best }) => best))
        const slowest = own[0].median
        return (
          <table class="bench" key={net}>
            <caption>
              {net} <small>steps a second</small>
            </caption>
            <tbody>
              {own.map(({ backend, median, best }, i) => (
                <tr key={backend}>
                  <th scope="row">{backend}</th>
                  <td>
                    <span class="bar" style={{ width: `${(100 * median) / most}%`, background: colour(i === 0 ? 1 : 0) }} />
                    <i style={{ left: `calc(${(100 * best) / most}% - 4px)` }} />
                  </td>
                  <td class="number">{whole(median)}</td>
                  <td class="number">{(median / slowest).toFixed(1)} ×</td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      })}
      {speedText(rows) !== '' && <p>{speedText(rows)}</p>}
      {result.value && (
        <dl>
          {Object.entries(result.value.facts).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  )
}

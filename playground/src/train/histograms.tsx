/** Where the weights, gradients and updates of each layer lie. */
import { Canvas } from '../ui/canvas'
import { short } from '../ui/controls'
import { colour, isDark } from '../ui/palette'
import { paintHistogram } from './pictures'
import type { NetView } from './view'

export function Histograms({ view }: { view: NetView }) {
  const { weights, gradients, updates } = view.histograms
  return (
    <div class="scroll">
      <table class="histograms">
        <caption>Where the numbers of each layer lie</caption>
        <thead>
          <tr>
            <th />
            <th>Weights</th>
            <th>Gradients</th>
            <th>Next update</th>
          </tr>
        </thead>
        <tbody>
          {weights.map((_, i) => (
            <tr key={i}>
              <th scope="row">{i + 1}</th>
              {[weights[i], gradients[i], updates[i]].map(({ bins, limit }, k) => (
                <td key={k}>
                  <Canvas
                    class="histogram"
                    label={`from ${short(-limit, 2)} to ${short(limit, 2)}`}
                    when={[bins, isDark.value]}
                    paint={(painting) => paintHistogram(painting, bins, colour(k === 0 ? 0 : k === 1 ? 1 : 2))}
                  />
                  <small>±{short(limit, 2)}</small>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

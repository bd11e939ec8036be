/** A small map for each pair of hyper-parameters, in order of importance, and which pairs matter together. */
import { Canvas } from '../ui/canvas'
import { gridPicture } from '../ui/grid-picture'
import { lossColour } from '../ui/palette'
import { axis } from './axes'
import type { Importance, Pair } from './map'
import { pairsText } from './pairs-text'
import './pairs.css'

interface Props {
  importance: Importance
  /** Shows a pair as the large map. */
  onChoose(pair: Pair): void
}

export function Pairs({ importance: { shares, pairs }, onChoose }: Props) {
  const means = pairs.flatMap((pair) => pair.means).filter(Number.isFinite)
  const [low, high] = [Math.min(...means), Math.max(...means)]
  return (
    <>
      <div class="scroll">
        <table class="pairs">
          <caption>Two at a time: the mean log loss of the same nets, bright where it is low. Choose one for the large map.</caption>
          <tbody>
            {shares.slice(1).map(({ name: y }, i) => (
              <tr key={y}>
                <th scope="row">{axis(y).label}</th>
                {shares.slice(0, i + 1).map(({ name: x }) => {
                  const pair = pairs.find((pair) => pair.x === x && pair.y === y)!
                  const name = `${axis(x).label} across, ${axis(y).label} upwards`
                  return (
                    <td key={x}>
                      <button type="button" aria-label={name} title={name} onClick={() => onChoose(pair)}>
                        <Canvas
                          when={[pair]}
                          paint={({ context, width, height }) => {
                            context.imageSmoothingEnabled = false
                            const shade = (v: number) => (Number.isNaN(v) ? null : lossColour((v - low) / (high - low || 1)))
                            context.drawImage(
                              gridPicture(pair.columns, pair.rows, (cell) => shade(pair.means[cell])),
                              0,
                              0,
                              width,
                              height,
                            )
                          }}
                        />
                      </button>
                    </td>
                  )
                })}
              </tr>
            ))}
            <tr>
              <td />
              {shares.slice(0, -1).map(({ name }) => (
                <th key={name} scope="col">
                  {axis(name).label}
                </th>
              ))}
            </tr>
          </tbody>
        </table>
      </div>
      <p class="says">{pairsText(pairs)}</p>
    </>
  )
}

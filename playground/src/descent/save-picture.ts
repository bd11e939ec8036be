/** The map as a picture to keep, with what it shows and its link below it. */
import { token } from '../ui/palette'
import { broken } from './starts-text'

const [SIZE, EDGE] = [13, 10]

/** Saves a map as a PNG file. */
export async function savePicture(map: HTMLCanvasElement, caption: readonly string[]): Promise<void> {
  const ratio = map.width / map.clientWidth
  const canvas = document.createElement('canvas')
  const c = canvas.getContext('2d')!
  const font = `${SIZE}px system-ui, sans-serif`
  c.font = font
  const lines = caption.flatMap((text) => broken(text, map.clientWidth - 2 * EDGE, (part) => c.measureText(part).width))
  canvas.width = map.width
  canvas.height = map.height + ratio * (1.5 * SIZE * lines.length + 2 * EDGE)
  c.fillStyle = token('ground')
  c.fillRect(0, 0, canvas.width, canvas.height)
  c.drawImage(map, 0, 0)
  c.setTransform(ratio, 0, 0, ratio, 0, map.height)
  c.font = font
  c.fillStyle = token('ink')
  lines.forEach((line, i) => c.fillText(line, EDGE, EDGE + SIZE * (1.5 * i + 1)))
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve))
  if (!blob) throw new Error('the picture is too large for this browser')
  const address = URL.createObjectURL(blob)
  Object.assign(document.createElement('a'), { href: address, download: 'every-start.png' }).click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

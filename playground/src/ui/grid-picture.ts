/** Red, green and blue from 0 to 255, and opacity, which is 255 if it is left out. */
export type Rgba = readonly [r: number, g: number, b: number, a?: number]

/** A picture with a pixel for each place of a grid, row by row from the bottom, or from the top; transparent where there is no color. */
export function gridPicture(columns: number, rows: number, paint: (place: number) => Rgba | null, isFromTop = false): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = columns
  canvas.height = rows
  const context = canvas.getContext('2d')!
  const image = context.createImageData(columns, rows)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const rgba = paint(row * columns + column)
      if (rgba === null) continue
      const [r, g, b, a = 255] = rgba
      image.data.set([r, g, b, a], 4 * ((isFromTop ? row : rows - 1 - row) * columns + column))
    }
  }
  context.putImageData(image, 0, 0)
  return canvas
}

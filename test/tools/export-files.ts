/** Writes the files that test/oracles/exports.py checks, to .cache/exports: `node --import tsx test/tools/export-files.ts`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { encodeSafetensors, toKeras, toOnnx, toPyTorch } from '../../ts/export/index.js'
import { cases } from '../export/models.js'

const folder = '.cache/exports'
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const list = cases().map(({ name, model, inputs, inputShape, in: frameworks }, i) => {
  writeFileSync(`${folder}/${i}.onnx`, toOnnx(model, inputShape ? { inputShape } : {}))
  const codes = Object.fromEntries(
    (
      [
        ['torch', toPyTorch],
        ['keras', toKeras],
      ] as const
    )
      .filter(([framework]) => frameworks.includes(framework))
      .map(([framework, convert]) => {
        const { tensors, code } = convert(model)
        writeFileSync(`${folder}/${i}.${framework}.safetensors`, encodeSafetensors(tensors))
        return [framework, code]
      }),
  )
  return { name, inputs: [...inputs.data()], shape: inputs.shape, dtype: inputs.dtype, codes }
})
writeFileSync(`${folder}/cases.json`, JSON.stringify(list))

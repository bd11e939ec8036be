// Run on your machine before deploying: trains a model and saves it in a file of some kilobytes.
import { trainTable } from 'gradus/table'

const { model, report } = await trainTable('node_modules/gradus/docs/guide/iris.csv', { target: 'species' })
await model.save('iris.safetensors')
console.log(`accuracy ${report.metrics[0].value.toFixed(3)}, ${(model.bytes().length / 1024).toFixed(0)} kB`)

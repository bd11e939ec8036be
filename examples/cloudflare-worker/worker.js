// Runs at the edge: the model is a part of the worker, so that no request waits for it.
import { loadTableModel } from 'gradus/table'
import bytes from './iris.safetensors'

const loading = loadTableModel(new Uint8Array(bytes))

export default {
  async fetch(request) {
    if (request.method !== 'POST') return new Response('POST rows as JSON, such as [{"petal_length": 5.1, …}]\n')
    try {
      const model = await loading
      return Response.json(model.predict(await request.json(), { strict: true }))
    } catch (error) {
      return new Response(`${error.message}\n`, { status: 400 })
    }
  },
}

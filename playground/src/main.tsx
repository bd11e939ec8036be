import { render } from 'preact'
import { App } from './app'
import './style.css'

const app = document.getElementById('app')!
// what stands there is for a page that is opened from a file
app.replaceChildren()
render(<App />, app)

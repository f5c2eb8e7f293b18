const express = require('express')
const app = express()

// README: begin
const { createHash, timingSafeEqual } = require('crypto')
const { readFileSync } = require('fs')
const digest = (s) => createHash('sha256').update(s).digest()

function webhookSecret(req, res, next) {
  const sent = digest(req.get('X-Webhook-Secret') || '')
  const accepted = readFileSync(process.env.HOOK_SECRETS, 'utf8').split(/\s+/).filter(Boolean) // one or two
  if (!accepted.map((s) => timingSafeEqual(digest(s), sent)).includes(true)) return res.sendStatus(401)
  next()
}
app.post('/instantly', webhookSecret, express.json(), (req, res) => {
  res.sendStatus(req.body?.event_type ? 202 : 400) // and do the work after the answer
})
// README: end

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))

// Starts a whole Bluesky network (directory, PDS, relay, view) and prints where its PDS listens.
import { pathToFileURL } from 'node:url'

const { TestNetwork } = await import(pathToFileURL(process.env.DEV_ENV))
const network = await TestNetwork.create({
  dbPostgresSchema: 'bsky',
  pds: { hostname: 'localhost', enableDidDocWithSession: true },
})
console.log(`PDS ${network.pds.url}`)

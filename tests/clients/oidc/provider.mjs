// An OIDC provider on loopback whose keys can be rotated.

import { createServer } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import { Provider } from 'oidc-provider'

export const AUDIENCE = 'windlass-tests'
/** Resources that tokens can be requested for: Windlass, Windlass with short-lived tokens, and another service. */
export const API = 'https://api.example.invalid'
export const BRIEF_API = 'https://brief.example.invalid'
export const OTHER_API = 'https://other.example.invalid'
export const CLIENT = 'tour'
/** The console of a server, which has a secret. */
export const CONSOLE = 'console'
export const CONSOLE_SECRET = 'not a secret either'
/** Lifetime of a short-lived token, in seconds. */
export const BRIEF = 2

const RESOURCES = {
  [API]: { audience: AUDIENCE, accessTokenTTL: 3600 },
  [BRIEF_API]: { audience: AUDIENCE, accessTokenTTL: BRIEF },
  [OTHER_API]: { audience: 'somebody else', accessTokenTTL: 3600 },
}

export async function newKey(kid) {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid, use: 'sig', alg: 'RS256' }
}

/** Starts a provider for two clients, by where each is sent back to; port 0 picks a free port. */
export async function start(port, keys, redirect, consoleRedirect = redirect) {
  const server = createServer()
  await new Promise((ready) => server.listen(port, '127.0.0.1', ready))
  const issuer = `http://127.0.0.1:${server.address().port}`
  /** Replaces the keys, and forgets all sessions. */
  const renew = (keys) => {
    server.removeAllListeners('request')
    server.on('request', provider(issuer, keys, redirect, consoleRedirect).callback())
  }
  renew(keys)
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { issuer, renew, close }
}

function provider(issuer, keys, redirect, consoleRedirect) {
  return new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: CLIENT,
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [redirect],
      },
      {
        client_id: CONSOLE,
        client_secret: CONSOLE_SECRET,
        application_type: 'native',
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [consoleRedirect],
      },
    ],
    claims: { email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['not a secret'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: id, email: `${id}@example.invalid`, email_verified: true }) }),
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          ...RESOURCES[resource],
          scope: 'jobs',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
}

// Open pages stay fresh, and a lost connection is shown and comes back.

import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { check, until } from './check.mjs'
import { startProxy } from './proxy.mjs'
import { Visitor } from './visitor.mjs'

/** The log of a run grows while it is open, its state changes without a reload, and both survive a lost connection. */
export async function logGrows(scene, signedIn, api, job) {
  const proxy = await startProxy(scene.url)
  const me = await Visitor.open({ ...scene, url: proxy.url }, { storageState: await signedIn.context.storageState() })
  const { page } = me
  const script = 'i=0; while [ ! -e "$GATE" ]; do i=$((i+1)); echo "line $i"; sleep 0.3; done; echo done'
  const gate = join(tmpdir(), `windlass-console-${Date.now()}`)
  const { id } = await api.post(`/job/${job}/run`, { arguments: ['-c', script], environment: { GATE: gate } })
  await me.go(`/console/run/${id}`)
  await page.evaluate(() => { globalThis.wasNotReloaded = true })
  const lines = () => page.locator('#log > *').count()
  const grows = async (what) => {
    const before = await lines()
    await until(what, async () => (await lines()) > before + 2)
  }
  await grows('the log grows')
  await page.locator('#head .state').filter({ hasText: 'running' }).waitFor()
  const atEnd = await page.evaluate(() => { const log = document.getElementById('log'); return log.scrollHeight - log.scrollTop - log.clientHeight })
  check(atEnd < 50, `the log does not follow: ${atEnd} px`)
  await lost(me, proxy)
  await grows('the log goes on after the connection was lost')
  const numbers = await page.locator('#log > [id^=L]').evaluateAll((all) => all.map((one) => Number(one.id.slice(1))))
  check(numbers.every((number, at) => at === 0 || number === numbers[at - 1] + 1), `lines are missing, or there twice: ${numbers}`)
  writeFileSync(gate, '')
  await page.locator('#head .state').filter({ hasText: 'succeeded' }).waitFor()
  await page.locator('#log').filter({ hasText: 'done' }).waitFor()
  check(await page.evaluate(() => globalThis.wasNotReloaded), 'the page was loaded again')
  await me.close()
  proxy.close()
}

/** Cuts the connections of the page: that is shown, and ends when they are back. */
async function lost(me, proxy) {
  const { page } = me
  me.isOffline = true
  proxy.cut()
  await page.locator('#connection').filter({ hasText: 'Connection lost' }).waitFor()
  await proxy.mend()
  await until('the connection is back', async () => (await page.locator('#connection').textContent()) === '')
  me.isOffline = false
}

/** A run that begins elsewhere appears on the overview and on the page of its job. */
export async function statesChange(me, api, organization, job) {
  const { page } = me
  for (const path of [`/console/job/${job}`, `/console/organization/${organization}`]) {
    await me.go(path)
    const run = await api.post(`/job/${job}/run`, { arguments: ['-c', 'exit 7'] })
    await page.locator(`a[href="/console/run/${run.id}"]`).first().waitFor({ state: 'attached' })
  }
}

/** Without script, the pages can be read. */
export async function readsWithoutScript(other, organization, job, run) {
  for (const [path, text] of [[`/console/organization/${organization}`, 'Needs attention'], [`/console/job/${job}`, 'Last runs'], [`/console/run/${run}`, 'hello you']]) {
    await other.go(path)
    await other.sees(text)
  }
}

/** The keyboard: the first tab stop skips the navigation, and every stop shows its focus. */
export async function keyboard(me, paths) {
  const { page } = me
  for (const path of paths) {
    await me.go(path)
    await page.keyboard.press('Tab')
    const skip = await page.evaluate(() => { const one = document.activeElement, box = one.getBoundingClientRect(); return one.matches('a.skip') && box.left >= 0 && box.top >= 0 })
    check(skip, `${path}: the first tab stop is no visible link to the content`)
    await page.keyboard.press('Enter')
    check(await page.evaluate(() => document.activeElement?.id) === 'main', `${path}: the link does not lead to the content`)
    for (let stop = 0; stop < 12; stop++) {
      await page.keyboard.press('Tab')
      const bare = await page.evaluate(() => {
        const one = document.activeElement
        if (!one || one === document.body) return null
        const { outlineStyle, outlineWidth } = getComputedStyle(one)
        return outlineStyle === 'none' || outlineWidth === '0px' ? one.outerHTML.slice(0, 150) : null
      })
      check(!bare, `${path}: the focus is not visible on ${bare}`)
    }
  }
}

// Texts that people would write to harm those who read them do not run, and do not break the layout.

import { check } from './check.mjs'
import { cron, environment, lifecycle } from './world.mjs'

const LONG = 'W'.repeat(200)
/** In the names of everything. */
export const NAMES = [`<script>alert(1)</script>"'>`, `\u202Egnp.exe \u202B${'מ'.repeat(60)}`, LONG.slice(0, 120), `<img src=x onerror=alert(2)>&amp;`]

/** Makes an environment where everything has such a name, and returns the pages that show them. */
export async function hostileWorld(api, organization) {
  const project = (await api.post(`/organization/${organization}/project`, { name: NAMES[0], description: NAMES[3] })).id
  const print = String.raw`printf '<script>alert(3)</script> "\047\n\033]8;;javascript:alert(4)\007link\033]8;;\007\n\033[31mred\033[0m\n'; ` + `echo '${LONG}${LONG}'; printf '\\342\\200\\256right to left\\n'; exit 1`
  const jobs = NAMES.map((name, at) => (at === 0 ? lifecycle(name, print) : cron(name, '0 0 1 1 *', print)))
  const made = await environment(api, project, NAMES[2], jobs)
  await api.post(`/environment/${made.id}/environmentVariable`, { key: `${LONG.slice(0, 100)}`, value: NAMES[0], description: NAMES[3] })
  const job = made.jobs[NAMES[0]]
  const run = await api.post(`/job/${made.jobs[NAMES[2]]}/run`, { arguments: ['-c', print] })
  await api.ended(run.id)
  return [
    `/console/organization/${organization}`,
    `/console/organization/${organization}/timeline`,
    `/console/organization/${organization}/environments`,
    `/console/organization/${organization}/settings/events`,
    `/console/environment/${made.id}`,
    `/console/environment/${made.id}/variables`,
    `/console/job/${job}`,
    `/console/job/${made.jobs[NAMES[2]]}`,
    `/console/job/${made.jobs[NAMES[2]]}/history`,
    `/console/job/${made.jobs[NAMES[1]]}/changes`,
    `/console/job/${made.jobs[NAMES[3]]}/edit`,
    `/console/run/${run.id}`,
  ]
}

/** Visits them: a dialog or an error is a fault of the visitor. */
export async function seeHostile(me, paths) {
  for (const path of paths) {
    await me.visit(path)
    const foreign = await me.page.evaluate(() => document.querySelectorAll('main script, main img, main a[href^="javascript"], main [onerror]').length)
    check(foreign === 0, `${path} has elements that a text has made`)
  }
}

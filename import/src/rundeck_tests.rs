//! Tests of reading exports of Rundeck.

use super::read_rundeck;
use crate::imported::{Imported, Source};

const EXPORT: &str = r"- defaultTab: nodes
  description: Sends the report
  executionEnabled: true
  group: shop/night
  id: 107794c0-45f5-4a71-86b4-43a00ed1ba16
  loglevel: INFO
  multipleExecutions: true
  name: report
  nodefilters:
    filter: 'tags: web'
  options:
  - name: level
    value: '2'
  - name: day-of
    required: true
  retry:
    delay: 10s
    retry: '3'
  schedule:
    month: '*'
    time:
      hour: '06'
      minute: 30
      seconds: '0'
    weekday:
      day: mon,wed,FRI
    year: '*'
  scheduleEnabled: true
  sequence:
    commands:
    - exec: report --all
    - exec: echo done
    keepgoing: false
    strategy: node-first
  timeZone: Asia/Tokyo
  timeout: 30m
- name: cleanup
  schedule:
    crontab: 0 0 12 L * ? *
  scheduleEnabled: false
  sequence:
    commands:
    - script: |-
        #!/bin/bash
        rm -rf /tmp/old
- name: monthly
  schedule:
    time: {hour: '1', minute: '0', seconds: '0'}
    dayofmonth: {day: '1,15'}
    month: 1/3
  sequence:
    commands:
    - exec: echo ${option.level}
- name: hourly
  schedule: {time: {hour: '*', minute: '0', seconds: '0'}, weekday: {day: '*'}, month: '*'}
  sequence: {keepgoing: true, commands: [{exec: a}, {exec: b}]}
- name: manual only
  sequence: {commands: [{exec: a}]}
- name: seconds
  schedule: {time: {hour: '*', minute: '0', seconds: '*/5'}}
- name: year
  schedule: {time: {hour: '1', minute: '0', seconds: '0'}, year: '2027'}
";

fn read(text: &str) -> Imported {
    read_rundeck(&Source { name: "jobs.yaml", text, zone: "Etc/UTC" })
}

#[test]
fn jobs_become_jobs() {
    let found = read(EXPORT);
    let [report, cleanup, monthly, hourly] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((report.name.as_str(), report.description.as_str(), report.line), ("report", "Sends the report", 8));
    assert_eq!((report.schedules[0].as_str(), report.zone.as_str()), ("30 6 * * 1,3,5", "Asia/Tokyo"));
    assert_eq!(report.command, ["/bin/sh", "-c", "set -e\n(\nreport --all\n)\n(\necho done\n)"]);
    assert_eq!((report.max_restarts, report.max_duration_seconds), (Some(3), Some(1800)));
    assert_eq!((report.environment["RD_OPTION_LEVEL"].as_str(), report.environment.len()), ("2", 1));
    assert_eq!(report.settings["cronjob.concurrency_policy"], "\"Allow\"");
    assert_eq!(report.settings["cronjob.missed_runs"], "\"none\"");
    for part in ["shop/night", "RD_OPTION_DAY_OF", "nodes of its filter"] {
        assert!(report.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", report.notes);
    }
    assert_eq!((cleanup.schedules[0].as_str(), cleanup.settings["cronjob.suspend"].as_str()), ("0 12 L * *", "true"));
    assert_eq!(cleanup.command, ["/bin/bash", "-c", "#!/bin/bash\nrm -rf /tmp/old"]);
    assert_eq!(cleanup.settings["cronjob.concurrency_policy"], "\"Forbid\"");
    assert_eq!(monthly.schedules, ["0 1 1,15 */3 *"]);
    assert!(!monthly.says_what_to_run());
    assert_eq!((hourly.schedules[0].as_str(), hourly.says_what_to_run()), ("0 * * * *", false));
    assert!(hourly.notes.iter().any(|note| note.contains("keepgoing")), "{:?}", hourly.notes);
    let refused: Vec<(&str, &str)> = found.refused.iter().map(|row| (row.text.as_str(), row.why.as_str())).collect();
    for ((name, why), (expected, part)) in refused.iter().zip([
        ("manual only", "it has no schedule"),
        ("seconds", "resolution of one minute"),
        ("year", "no years"),
    ]) {
        assert!(*name == expected && why.contains(part), "{name} {why}");
    }
    assert_eq!(refused.len(), 3);
}

#[test]
fn steps_that_are_no_plain_commands_are_left_out() {
    for step in [
        "{jobref: {name: other}}",
        "{scriptfile: /opt/a.sh}",
        "{script: 'print(1)', scriptInterpreter: python3}",
        "{script: \"#!/usr/bin/perl\\nprint 1\"}",
        "{exec: a, errorhandler: {exec: b}}",
    ] {
        let text = format!("- name: a\n  schedule: {{crontab: '0 0 6 ? * * *'}}\n  sequence: {{commands: [{step}]}}\n");
        let found = read(&text);
        assert!(!found.jobs[0].says_what_to_run(), "{step}: {found:?}");
        assert!(found.jobs[0].notes.iter().any(|note| note.contains("steps are left out")), "{step}");
    }
}

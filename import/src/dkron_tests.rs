//! Tests of reading jobs of Dkron.

use super::read_dkron;
use crate::imported::Source;

const ANSWER: &str = r#"[
  {
    "name": "report", "displayname": "The report", "timezone": "Europe/Berlin", "schedule": "0 30 6 * * 1-5",
    "owner": "ops", "disabled": true, "tags": {"server": "true"}, "metadata": null, "retries": 2,
    "dependent_jobs": ["after"], "parent_job": "", "processors": {}, "concurrency": "forbid", "executor": "shell",
    "executor_config": {"command": "report --all | gzip", "shell": "true", "env": "LEVEL=2,DAY=1", "cwd": "/srv", "timeout": "1h30m"},
    "status": "", "next": "2027-01-01T05:30:00Z", "ephemeral": false, "expires_at": null
  },
  {"name": "plain", "schedule": "@minutely", "concurrency": "allow", "executor": "shell", "executor_config": {"command": "/bin/a \"b c\""}},
  {"name": "Plain", "schedule": "@hourly", "executor": "http", "executor_config": {"url": "https://shop.example"}},
  {"name": "after", "schedule": "@manually", "parent_job": "report", "executor": "shell", "executor_config": {"command": "a"}},
  {"name": "often", "schedule": "@every 10s", "executor": "shell", "executor_config": {"command": "a"}},
  {"name": "seconds", "schedule": "*/10 * * * * *", "executor": "shell", "executor_config": {"command": "a"}},
  {"name": "never", "schedule": "@manually", "executor": "shell", "executor_config": {"command": "a"}},
  {"name": "ends", "schedule": "@hourly", "expires_at": "2027-01-01T00:00:00Z", "executor": "shell"},
  {"name": "once", "schedule": "@hourly", "ephemeral": true, "executor": "shell"}
]"#;

#[test]
fn jobs_become_jobs() {
    let found = read_dkron(&Source { name: "jobs.json", text: ANSWER, zone: "Etc/UTC" });
    let [report, plain, call] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((report.name.as_str(), report.description.as_str(), report.line), ("report", "The report", 3));
    assert_eq!((report.schedules[0].as_str(), report.zone.as_str()), ("30 6 * * 1-5", "Europe/Berlin"));
    assert_eq!(report.command, ["/bin/sh", "-c", "report --all | gzip"]);
    assert_eq!((report.environment["LEVEL"].as_str(), report.environment["DAY"].as_str()), ("2", "1"));
    assert_eq!((report.max_restarts, report.max_duration_seconds), (Some(2), Some(5400)));
    for (key, value) in [
        ("cronjob.suspend", "true"),
        ("cronjob.missed_runs", "\"none\""),
        ("cronjob.concurrency_policy", "\"Forbid\""),
        ("process.working_folder", "\"/srv\""),
    ] {
        assert_eq!(report.settings[key], value, "{key}");
    }
    assert!(report.notes.iter().any(|note| note.contains("tags server")), "{:?}", report.notes);
    assert_eq!((plain.schedules[0].as_str(), plain.zone.as_str()), ("* * * * *", "Etc/UTC"));
    assert_eq!((plain.command.as_slice(), plain.line), (&["/bin/a".to_owned(), "b c".to_owned()][..], 9));
    assert_eq!(plain.settings["cronjob.concurrency_policy"], "\"Allow\"");
    assert_eq!(call.name, "Plain-2", "names differ by more than their case");
    assert!(!call.says_what_to_run() && call.notes.iter().any(|note| note.contains("http")), "{call:?}");
    let refused: Vec<(&str, &str)> = found.refused.iter().map(|row| (row.text.as_str(), row.why.as_str())).collect();
    for ((name, why), (expected, part)) in refused.iter().zip([
        ("after", "after the job report"),
        ("often", "from the start of the process"),
        ("seconds", "resolution of one minute"),
        ("never", "macro is not known"),
        ("ends", "a schedule that ends"),
        ("once", "ephemeral"),
    ]) {
        assert!(*name == expected && why.contains(part), "{name} {why}");
    }
    assert_eq!(refused.len(), 6);
}

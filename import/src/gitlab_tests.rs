//! Tests of reading pipeline schedules.

use super::read_gitlab;
use crate::imported::Source;

const ANSWER: &str = r#"[
  {
    "id": 13, "description": "Test schedule pipeline", "ref": "refs/heads/main",
    "cron": "15 6 * * 1", "cron_timezone": "Asia/Tokyo",
    "next_run_at": "2017-05-19T13:41:00.000Z", "active": true, "owner": {"name": "Administrator", "id": 1}
  },
  {
    "id": 14, "description": "", "ref": "main", "cron": "0 1 * * 5#2", "cron_timezone": "UTC", "active": false,
    "variables": [
      {"key": "LEVEL", "variable_type": "env_var", "value": "2"},
      {"key": "SETTINGS", "variable_type": "file", "value": "a=b"}
    ]
  },
  {"id": 15, "description": "where", "cron": "0 1 * * *", "cron_timezone": "Eastern Time (US & Canada)"},
  {"id": 16, "description": "words", "cron": "every day at noon"},
  {"id": 17, "description": "empty"}
]"#;

#[test]
fn schedules_become_jobs() {
    let found = read_gitlab(&Source { name: "schedules.json", text: ANSWER, zone: "Europe/Paris" });
    let [first, second] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((first.name.as_str(), first.line, first.zone.as_str()), ("Test schedule pipeline", 4, "Asia/Tokyo"));
    assert_eq!(
        (first.schedules[0].as_str(), first.description.as_str()),
        ("15 6 * * 1", "pipeline of refs/heads/main")
    );
    assert!(first.notes.iter().any(|note| note.contains("leaves variables out")), "{:?}", first.notes);
    assert!(!first.settings.contains_key("cronjob.suspend"));
    assert_eq!((second.name.as_str(), second.schedules[0].as_str()), ("schedule-14", "0 1 * * 5#2"));
    assert_eq!((second.settings["cronjob.suspend"].as_str(), second.environment["LEVEL"].as_str()), ("true", "2"));
    assert!(!second.environment.contains_key("SETTINGS"));
    let refused: Vec<(&str, usize)> = found.refused.iter().map(|row| (row.text.as_str(), row.line)).collect();
    assert_eq!(refused, [("where", 14), ("words", 15), ("empty", 15)]);
    assert!(found.refused[0].why.contains("Eastern Time"), "{:?}", found.refused);
}

//! Tests of reading workflows.

use super::read_github;
use crate::imported::{Imported, Source};

const WORKFLOW: &str = r#"name: Nightly build
on:
  push:
    branches: [main]
  schedule:
    - cron: '30 5 * * 1-5'
      timezone: "America/Bogota"
    # Weekly
    - cron: "0 4 * * 0"
    - cron: '*/2 * * * *'
    - cron: '0 0 */2 * 1'
    - cron: '0 0 * * 7'
    - cron: '@daily'
    - timezone: Etc/UTC
env:
  LEVEL: 2
  TOKEN: ${{ secrets.TOKEN }}
concurrency:
  group: build
  cancel-in-progress: true
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make all
"#;

fn read(text: &str) -> Imported {
    read_github(&Source { name: ".github/workflows/nightly.yml", text, zone: "Europe/Paris" })
}

#[test]
fn each_schedule_of_a_workflow_becomes_a_job() {
    let found = read(WORKFLOW);
    let [first, second] = found.jobs.as_slice() else { panic!("{:?}", found.jobs) };
    assert_eq!((first.name.as_str(), first.description.as_str(), first.line), ("nightly", "Nightly build", 6));
    assert_eq!((first.schedules[0].as_str(), first.zone.as_str()), ("30 5 * * 1-5", "America/Bogota"));
    assert_eq!(
        (second.name.as_str(), second.line, second.schedules[0].as_str(), second.zone.as_str()),
        ("nightly-2", 9, "0 4 * * 0", "Etc/UTC")
    );
    assert!(!first.says_what_to_run());
    assert_eq!((first.environment["LEVEL"].as_str(), first.environment.len()), ("2", 1));
    assert!(first.notes.iter().any(|note| note.ends_with("TOKEN")), "{:?}", first.notes);
    assert_eq!(first.settings["cronjob.concurrency_policy"], "\"Replace\"");
    let refused: Vec<(usize, &str)> = found.refused.iter().map(|row| (row.line, row.why.as_str())).collect();
    for ((line, why), (expected, part)) in refused.iter().zip([
        (10, "at most every 5 minutes"),
        (11, "begins with a star"),
        (12, "7 is not a day of week"),
        (13, "macro is not known"),
        (13, "it has no cron"),
    ]) {
        assert!(*line == expected && why.contains(part), "{part}: {line} {why}");
    }
    assert_eq!(refused.len(), 5);
}

#[test]
fn changes_of_the_clocks_are_those_of_the_manual_or_refused() {
    let of = |cron: &str| {
        read(&format!("on:\n  schedule:\n    - cron: '{cron}'\n      timezone: America/New_York\nconcurrency: one\n"))
    };
    // A time that the clocks skip runs after the gap; 01:30 comes twice, which the manual says nothing about.
    let skipped = of("30 2 * * *");
    assert_eq!(skipped.jobs[0].clock_changes.gap, Some(windlass_schedule::GapRule::RunAfter));
    assert_eq!(skipped.jobs[0].settings["cronjob.concurrency_policy"], "\"Queue\"");
    assert!(of("30 1 * * *").refused[0].why.contains("times that come twice"));
    assert!(of("0,30 2 * * *").refused[0].why.contains("the clocks skip"));
    assert_eq!(of("0 9 * * *").jobs.len(), 1);
}

#[test]
fn other_files_are_refused() {
    assert_eq!(read("on: [push]\njobs: {}\n").refused[0].why, "it has no on.schedule");
    assert!(read("on: [").refused[0].why.starts_with("it cannot be read"));
}

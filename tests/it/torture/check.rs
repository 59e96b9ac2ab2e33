//! What is compared once all runs have ended.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::PATIENCE;
use super::asker::Asker;

/// The delay of `what` of the latest run of a schedule.
pub(super) fn latest(all: &[Value], what: &str) -> TimeDelta {
    let at = |run: &Value, what: &str| run[what].as_str().map(|text| text.parse::<DateTime<Utc>>().unwrap());
    let late = |run: &Value| Some(at(run, what)? - at(run, "scheduled_for")?);
    all.iter().filter_map(late).max().expect("a time came while servers were killed")
}

/// Compares the reports with the stored runs; returns the number of cancelled ones.
pub(super) async fn check(
    asker: &Asker,
    all: &[Value],
    runs: &BTreeMap<String, String>,
    heard: &BTreeMap<String, u32>,
    kills: u32,
) -> u32 {
    let mut cancelled = 0;
    for run in all {
        let (id, state) = (run["id"].as_str().unwrap(), run["state"].as_str().unwrap());
        let starts: Vec<_> = heard.iter().filter(|(report, _)| report.starts_with(id)).collect();
        assert!(starts.iter().all(|(_, count)| **count == 1), "an attempt of {run} was started twice: {starts:?}");
        if state == "SUCCEEDED" {
            assert_eq!(starts.len(), 1, "{run} was started {starts:?}");
            let log = asker.ask("GET", &format!("/run/{id}/logLine"), None, None).await;
            let lines: Vec<_> =
                log["results"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect();
            assert_eq!(lines, ["one", "two"], "{run}");
        } else {
            assert_eq!(state, "CANCELLED", "{run}");
            cancelled += 1;
        }
    }
    let known: Vec<&str> = all.iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert!(runs.keys().all(|id| known.contains(&id.as_str())), "a run that was accepted is not there");
    assert!(heard.keys().all(|report| known.iter().any(|id| report.starts_with(id))), "an unknown run was started");
    // On a busy machine, one for each fault.
    assert!(runs.len() > usize::try_from(kills.min(10)).unwrap(), "too little has happened: {} runs", runs.len());
    cancelled
}

/// All runs of the jobs, once they have ended.
pub(super) async fn settled(asker: &Asker, jobs: &[String]) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut all = Vec::new();
        for job in jobs {
            let found = asker.ask("GET", &format!("/job/{job}/run?count=200"), None, None).await;
            all.extend(found["results"].as_array().unwrap().clone());
        }
        let open = |run: &&Value| matches!(run["state"].as_str(), Some("QUEUED" | "RUNNING"));
        let left = all.iter().filter(open).count();
        if left == 0 {
            return all;
        }
        assert!(Instant::now() < deadline, "{left} runs do not end");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

//! Checks: jobs that run elsewhere and report by pings.

mod life;
mod missing_pings;
mod official;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::harness::{Furnished, TestApp, id};

/// An organization with a check.
struct Elsewhere {
    app: TestApp,
    it: Furnished,
    check: String,
    /// The path of its pings.
    path: String,
}

impl Elsewhere {
    /// A check that is expected every day at 12:00, with a grace of ten minutes.
    async fn daily() -> Self {
        Self::with(json!({"schedule": {"scheduled_at": "0 12 * * *", "timezone": "Etc/UTC"}, "grace_seconds": 600}))
            .await
    }

    async fn with(rhythm: Value) -> Self {
        Self::on(TestApp::new().await, rhythm).await
    }

    async fn on(app: TestApp, rhythm: Value) -> Self {
        let it = app.furnished().await;
        let mut body = json!({"name": "backup"});
        for (key, value) in rhythm.as_object().unwrap() {
            body[key] = value.clone();
        }
        let check = it.client.post(&format!("/environment/{}/check", it.environment), body).await.expect(201);
        let path = path_of(&check);
        Self { app, it, check: id(&check), path }
    }

    /// Pings with the end of an address and a text; returns the status.
    async fn ping(&self, end: &str, text: &str) -> u16 {
        let (status, answer) =
            self.it.client.with(None).raw_call("POST", &format!("{}{end}", self.path), Some(text), &[]).await;
        assert_eq!(status == 200, answer == "OK", "{status} {answer}");
        status
    }

    /// The states of its runs with their times and reasons, the newest first.
    async fn runs(&self) -> Vec<[String; 3]> {
        let text = |run: &Value, key: &str| short(run[key].as_str().unwrap_or_default());
        let runs = self.it.runs(&self.check).await;
        runs.iter().map(|run| ["state", "scheduled_for", "reason"].map(|key| text(run, key))).collect()
    }

    async fn log(&self, run: &Value) -> String {
        let answer = self.it.client.get(&format!("/run/{}/log", id(run))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    }

    /// The skipped times with their reasons, the newest first.
    async fn skipped(&self) -> Vec<(String, String)> {
        let skipped = self.it.client.get(&format!("/job/{}/skippedTime", self.check)).await.expect(200);
        let text = |row: &Value, key: &str| short(row[key].as_str().unwrap());
        let rows = skipped["results"].as_array().unwrap();
        rows.iter().map(|row| (text(row, "scheduled_for"), text(row, "reason"))).collect()
    }

    async fn shown(&self) -> Value {
        self.it.client.get(&format!("/check/{}", self.check)).await.expect(200)
    }

    async fn verdict(&self, at: &str) -> (String, String) {
        let explained = self.it.client.get(&format!("/job/{}/explain?at={at}", self.check)).await.expect(200);
        (explained["verdict"].as_str().unwrap().to_owned(), explained["reason"].as_str().unwrap().to_owned())
    }

    /// Moves the clock, and lets the engine look.
    async fn at(&self, time: &str) {
        self.app.clock.set(time);
        self.app.tick().await;
    }
}

/// The path of the pings of a check.
fn path_of(check: &Value) -> String {
    let url = check["ping_url"].as_str().unwrap();
    let path = url.strip_prefix("https://windlass.example").unwrap();
    assert!(path.starts_with("/ping/") && path.len() == "/ping/".len() + 40, "{path}");
    path.to_owned()
}

fn time(text: &Value) -> DateTime<Utc> {
    text.as_str().unwrap().parse().unwrap()
}

/// A time without its microseconds, which are none in these tests.
fn short(text: &str) -> String {
    text.replace(".000000Z", "Z")
}

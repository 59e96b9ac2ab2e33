//! The richer language of schedules, from the request to the run.

use serde_json::{Value, json};

use super::times::deployed;
use crate::harness::TestApp;

fn times(list: &Value) -> Vec<String> {
    list["results"].as_array().unwrap().iter().map(|row| row["at"].as_str().unwrap()[..16].to_owned()).collect()
}

#[tokio::test]
async fn a_job_runs_at_the_times_of_all_its_expressions() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    // Now it is the fourth Sunday of November.
    let job = deployed(&app, &it, "15 11 * * 7#4 | 0 9 LW * *", json!({})).await;
    let next = it.client.get(&format!("/job/{job}/nextRun?count=3")).await.expect(200);
    assert_eq!(times(&next), ["2026-11-22T11:15", "2026-11-30T09:00", "2026-12-27T11:15"]);
    for (at, runs) in [("2026-11-22T11:14:00Z", 0), ("2026-11-22T11:15:00Z", 1)] {
        app.clock.set(at);
        app.settle().await;
        assert_eq!(it.runs(&job).await.len(), runs, "{at}");
    }
}

#[tokio::test]
async fn both_days_may_have_to_match() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for (day_match, expected) in [("or", "2026-11-27T00:00"), ("and", "2027-08-13T00:00")] {
        let job = it.create(it.cron(day_match, "0 0 13 * 5")).await;
        let settings = json!({"cronjob.day_match": day_match});
        it.client.put(&format!("/job/{job}/advancedSettings"), settings).await.expect(201);
        let next = it.client.get(&format!("/job/{job}/nextRun?count=1")).await.expect(200);
        assert_eq!(times(&next), [expected], "{day_match}");
    }
}

/// The id of a job selects the values of H, so that they stay the same.
#[tokio::test]
async fn a_hash_differs_between_jobs_and_stays() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut found = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let job = it.create(it.cron(name, "H H * * *")).await;
        let next = times(&it.client.get(&format!("/job/{job}/nextRun?count=2")).await.expect(200));
        assert_eq!(next[0][11..], next[1][11..], "{next:?}");
        found.push(next[0][11..].to_owned());
    }
    found.dedup();
    assert!(found.len() > 1, "{found:?}");
}

#[tokio::test]
async fn an_invalid_form_is_refused_by_its_field() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for (text, why) in [
        ("0 0 L-40 * *", "day of month \"L-40\": a day must be 1 to 31, L, LW"),
        ("0 0 * * 1#7", "day of week \"1#7\": a day must be 0 (SUN) to 7 (SUN)"),
        ("H(9-1) * * * *", "the range of a hash ends before it starts"),
        ("0 0 * * * |", "an expression is missing beside a |"),
    ] {
        let refused =
            it.client.post(&format!("/environment/{}/job", it.environment), it.cron("wrong", text)).await.expect(400);
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains("schedule.cronjob.scheduled_at") && message.contains(why), "{text}: {message}");
    }
    let query = "scheduled_at=0+18+LW+*+*+%7C+0+9+*+*+MON%231&after=2027-01-01T00:00:00Z&count=3";
    let shown = it.client.get(&format!("/schedule/preview?{query}")).await.expect(200);
    assert_eq!(times(&shown), ["2027-01-04T09:00", "2027-01-29T18:00", "2027-02-01T09:00"]);
    // A Friday the 13th, and any Friday or 13th.
    let friday = "/schedule/preview?scheduled_at=0+0+13+*+FRI&after=2027-01-01T00:00:00Z&count=2";
    let shown = it.client.get(friday).await.expect(200);
    assert_eq!(times(&shown), ["2027-01-08T00:00", "2027-01-13T00:00"]);
    let shown = it.client.get(&format!("{friday}&day_match=and")).await.expect(200);
    assert_eq!(times(&shown), ["2027-08-13T00:00", "2028-10-13T00:00"]);
    let refused = it.client.get(&format!("{friday}&day_match=both")).await.expect(400);
    assert!(refused["message"].as_str().unwrap().contains("day_match"), "{refused}");
}

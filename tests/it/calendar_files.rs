//! Calendars from iCalendar files and addresses.

use std::sync::{Arc, Mutex};

use poem::http::StatusCode;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::web::Data;
use poem::{EndpointExt as _, IntoResponse, Response, Route, get, handler};
use serde_json::{Value, json};
use windlass::engine::calendar_reads::read_due;

use crate::harness::{Furnished, TestApp, id};

/// An address that answers with given status and text.
type Answer = Arc<Mutex<(StatusCode, String)>>;

#[handler]
fn give(answer: Data<&Answer>) -> Response {
    let (status, text) = answer.lock().unwrap().clone();
    Response::builder().status(status).body(text).into_response()
}

#[handler]
fn moved() -> Response {
    Response::builder().status(StatusCode::FOUND).header("location", "/holidays.ics").finish()
}

#[handler]
fn circle() -> Response {
    Response::builder().status(StatusCode::FOUND).header("location", "/circle.ics").finish()
}

async fn address(text: &str) -> (Answer, String) {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let url = format!("http://{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
    let kept: Answer = Arc::new(Mutex::new((StatusCode::OK, text.to_owned())));
    let routes = Route::new()
        .at("/holidays.ics", get(give))
        .at("/moved.ics", get(moved))
        .at("/circle.ics", get(circle))
        .data(kept.clone());
    tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(routes.map_to_response()));
    (kept, url)
}

fn file(day: &str) -> String {
    let lines = format!("DTSTART;VALUE=DATE:{day}\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:Founders' day\r\n");
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n")
}

fn path(it: &Furnished) -> String {
    format!("/organization/{}/calendar", it.organization)
}

fn days(row: &Value) -> Vec<&str> {
    row["occurrences"]["days"].as_array().unwrap().iter().map(|day| day["day"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_file_is_read_when_it_is_saved_and_again_as_time_passes() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let body = json!({"name": "holidays", "days": ["2026-11-30"], "ics": file("20201123")});
    let row = it.client.post(&path(&it), body.clone()).await.expect(201);
    assert_eq!(days(&row), ["2026-11-23", "2027-11-23", "2028-11-23", "2029-11-23"]);
    assert_eq!((&row["ics"], &row["ics_read_at"]), (&body["ics"], &json!("2026-11-22T10:00:30.000000Z")));
    let list = it.client.get(&path(&it)).await.expect(200);
    assert!(list["results"][0].get("ics").is_none() && list["results"][0].get("occurrences").is_none(), "{list}");

    let job = it.create(it.cron("nightly", "0 9 * * *")).await;
    let settings = json!({"cronjob.exclude_calendars": ["holidays"]});
    it.client.put(&format!("/job/{job}/advancedSettings"), settings).await.expect(201);
    let next = it.client.get(&format!("/job/{job}/nextRun?draft=true&count=9")).await.expect(200);
    let of = |row: &Value| row["skip_detail"].as_str().map(str::to_owned);
    let removed: Vec<Option<String>> = next["results"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(removed[0].as_deref(), Some("the calendar holidays excludes it: Founders' day (2026-11-23)"));
    assert_eq!(removed[7].as_deref(), Some("the calendar holidays excludes it: 2026-11-30"));
    assert_eq!(removed.iter().filter(|why| why.is_some()).count(), 2);

    // Occurrences are kept for three years; those of later years are found in time.
    app.clock.set("2028-12-01T00:00:00Z");
    read_due(&app.app).await.unwrap();
    let one = format!("{}/{}", path(&it), id(&row));
    let row = it.client.get(&one).await.expect(200);
    assert_eq!(days(&row), ["2028-11-23", "2029-11-23", "2030-11-23", "2031-11-23"]);
    // Without the file, its days are gone.
    let row = it.client.put(&one, json!({"name": "holidays"})).await.expect(200);
    assert!(days(&row).is_empty() && row["ics_read_at"].is_null() && row.get("ics").is_none(), "{row}");
    app.clock.set("2029-12-01T00:00:00Z");
    read_due(&app.app).await.unwrap();
    assert!(it.client.get(&one).await.expect(200)["ics_read_at"].is_null());
}

#[tokio::test]
async fn an_address_is_read_again_and_keeps_what_it_contained() {
    let app = TestApp::with_private_webhooks().await;
    let it = app.furnished().await;
    let (answer, url) = address(&file("20261225")).await;
    let body = json!({"name": "holidays", "ics_url": format!("{url}/moved.ics")});
    let row = it.client.post(&path(&it), body.clone()).await.expect(201);
    let one = format!("{}/{}", path(&it), id(&row));
    assert_eq!(days(&row)[0], "2026-12-25");

    // Not before its time.
    *answer.lock().unwrap() = (StatusCode::OK, file("20261224"));
    read_due(&app.app).await.unwrap();
    assert_eq!(days(&it.client.get(&one).await.expect(200))[0], "2026-12-25");
    app.clock.set("2026-11-22T16:01:00Z");
    read_due(&app.app).await.unwrap();
    let row = it.client.get(&one).await.expect(200);
    assert_eq!((days(&row)[0], &row["ics_read_at"]), ("2026-12-24", &json!("2026-11-22T16:01:00.000000Z")));

    // What it contained counts until it can be read again.
    *answer.lock().unwrap() = (StatusCode::INTERNAL_SERVER_ERROR, String::new());
    app.clock.set("2026-11-22T22:01:00Z");
    read_due(&app.app).await.unwrap();
    let row = it.client.get(&one).await.expect(200);
    assert_eq!((days(&row)[0], &row["ics_error"]), ("2026-12-24", &json!("the answer has status 500")));
    // It may be edited in the meantime.
    let mut edited = body;
    edited["description"] = json!("of the year");
    assert_eq!(days(&it.client.put(&one, edited).await.expect(200))[0], "2026-12-24");
    *answer.lock().unwrap() = (StatusCode::OK, file("20261226"));
    app.clock.set("2026-11-22T22:16:00Z");
    read_due(&app.app).await.unwrap();
    let row = it.client.get(&one).await.expect(200);
    assert_eq!((days(&row)[0], &row["ics_error"]), ("2026-12-26", &Value::Null));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_field() {
    let app = TestApp::with_private_webhooks().await;
    let it = app.furnished().await;
    let (answer, url) = address("<html>not found</html>").await;
    for (body, why) in [
        (json!({"ics": "BEGIN:VCARD"}), "ics: must be an iCalendar file"),
        (json!({"ics": "x".repeat(262_145)}), "ics: must have at most 262144 bytes"),
        (json!({"ics_url": format!("{url}/holidays.ics")}), "ics_url: must be an iCalendar file"),
        (json!({"ics_url": format!("{url}/circle.ics")}), "ics_url: there are more than 5 redirects"),
        (json!({"ics_url": format!("{url}/nowhere.ics")}), "ics_url: the answer has status 404"),
        (json!({"ics_url": "http://127.0.0.1:1/holidays.ics"}), "ics_url: the connection failed"),
        (json!({"ics_url": "WEBCAL://127.0.0.1:1/holidays.ics"}), "ics_url: the connection failed"),
        (json!({"ics_url": "ftp://example.com/holidays.ics"}), "ics_url: must be an http:// or https:// URL"),
        (json!({"ics_url": "webcal://user@example.com/x.ics"}), "ics_url: must be an http:// or https:// URL"),
        (json!({"ics": file("20261225"), "ics_url": url}), "ics_url: cannot be given together with ics"),
    ] {
        let mut whole = json!({"name": "holidays"});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let detail = it.client.post(&path(&it), whole).await.detail(400);
        assert!(detail.starts_with(why), "{detail}");
    }
    assert_eq!(it.client.get(&path(&it)).await.expect(200)["results"], json!([]));
    *answer.lock().unwrap() = (StatusCode::OK, "x".repeat(1024 * 1024 + 1));
    let body = json!({"name": "holidays", "ics_url": format!("{url}/holidays.ics")});
    let detail = it.client.post(&path(&it), body.clone()).await.detail(400);
    assert_eq!(detail, "ics_url: the answer has more than 1048576 bytes");
    // A server that was not told to may not read its neighbours.
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let detail = it.client.post(&path(&it), body).await.detail(400);
    assert!(detail.starts_with("ics_url: ") && detail.contains("not allowed"), "{detail}");
}

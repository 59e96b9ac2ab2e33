//! A receiver of alerts and webhooks beside the servers, and what it must have heard at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use poem::http::HeaderMap;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::web::{Data, Path};
use poem::{EndpointExt as _, Route, handler, post};
use serde_json::{Value, json};

use super::asker::Asker;
use crate::world::alert_rule;

/// A message that a killed server had claimed is sent again after this time.
const LEASE: Duration = Duration::from_secs(11 * 60);

/// The bodies that were received, by path and id.
#[derive(Default)]
pub(super) struct Sink {
    bodies: Mutex<BTreeMap<(String, String), Vec<Value>>>,
}

#[handler]
fn receive(sink: Data<&Arc<Sink>>, path: Path<String>, headers: &HeaderMap, body: String) {
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let body = serde_json::from_str(&body).unwrap();
    sink.bodies.lock().unwrap().entry((path.0.clone(), id)).or_default().push(body);
}

impl Sink {
    /// Starts it, and lets servers tell it about failed runs of an environment: by a rule with a receiver, and by a webhook.
    pub(super) async fn start(asker: &Asker, organization: &str, environment: &str) -> Arc<Self> {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let url = format!("http://{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
        let sink = Arc::new(Self::default());
        let routes = Route::new().at("/*path", post(receive)).data(Arc::clone(&sink));
        tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(routes));
        let receiver = json!({
            "organization_id": organization, "name": "sink", "description": "", "type": "WEBHOOK", "send_resolved": true,
            "url": format!("{url}/alerts"),
        });
        let receiver = asker.ask("POST", "/alert-receivers", None, Some(receiver)).await["id"].clone();
        let clusters = asker.ask("GET", &format!("/organization/{organization}/cluster"), None, None).await;
        let cluster = clusters["results"][0]["id"].as_str().unwrap();
        let of = entity::id::OrganizationId(organization.parse().unwrap());
        let mut rule = alert_rule(of, cluster, ("ENVIRONMENT", environment));
        rule["alert_receiver_ids"] = json!([receiver]);
        asker.ask("POST", "/alert-rules", None, Some(rule)).await;
        let hook = json!({"kind": "STANDARD", "target_url": format!("{url}/runs"), "events": ["RUN_FAILED"]});
        asker.ask("POST", &format!("/organization/{organization}/webhook"), None, Some(hook)).await;
        sink
    }

    fn heard(&self, path: &str) -> Vec<(String, Vec<Value>)> {
        let all = self.bodies.lock().unwrap();
        all.iter().filter(|((of, _), _)| of == path).map(|((_, id), bodies)| (id.clone(), bodies.clone())).collect()
    }

    /// The ids under which each run was told.
    fn runs(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, bodies) in self.heard("runs") {
            assert!(bodies.iter().all(|body| *body == bodies[0]), "one id says different things: {bodies:?}");
            let run = bodies[0]["data"]["run_id"].as_str().unwrap().to_owned();
            told.entry(run).or_default().insert(id);
        }
        told
    }

    /// The ids under which each job was told.
    fn jobs(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, bodies) in self.heard("alerts") {
            for body in &bodies {
                assert_eq!(body["type"], "alert.firing", "nothing has recovered: {body}");
                for alert in body["data"]["alerts"].as_array().unwrap() {
                    // The rule and the job, of 36 characters each.
                    let job = alert["key"].as_str().unwrap()[37..].to_owned();
                    told.entry(job).or_default().insert(id.clone());
                }
            }
        }
        told
    }

    /// Waits until every failed run and every job with one was told; none under two ids. Returns how many there are.
    pub(super) async fn check(&self, runs: &[Value], jobs: &[String]) -> (usize, usize) {
        let failed: BTreeSet<String> = runs
            .iter()
            .filter(|run| run["state"] == "FAILED")
            .map(|run| run["id"].as_str().unwrap().to_owned())
            .collect();
        assert!(!failed.is_empty(), "no run has failed");
        let failing: BTreeSet<String> = runs
            .iter()
            .filter(|run| run["state"] == "FAILED")
            .map(|run| run["job"]["id"].as_str().unwrap().to_owned())
            .collect();
        assert!(failing.iter().all(|job| jobs.contains(job)));
        let deadline = Instant::now() + LEASE;
        loop {
            let (told_runs, told_jobs) = (self.runs(), self.jobs());
            let runs_left: Vec<_> = failed.iter().filter(|run| !told_runs.contains_key(*run)).collect();
            let jobs_left: Vec<_> = failing.iter().filter(|job| !told_jobs.contains_key(*job)).collect();
            if runs_left.is_empty() && jobs_left.is_empty() {
                assert!(told_runs.keys().all(|run| failed.contains(run)), "a run was told that has not failed");
                assert!(told_runs.values().all(|ids| ids.len() == 1), "a run was told twice: {told_runs:?}");
                assert!(told_jobs.values().all(|ids| ids.len() == 1), "a job was told twice: {told_jobs:?}");
                return (failed.len(), failing.len());
            }
            assert!(Instant::now() < deadline, "never told: runs {runs_left:?}, jobs {jobs_left:?}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

//! Decodes both kinds of jobs with the client that progenitor generates.

#[allow(clippy::all, dead_code, unused_imports)]
mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

use client::types::JobResponse;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let token = HeaderValue::from_str(&format!("Token {}", setting("WINDLASS_TOKEN"))).unwrap();
    let http = reqwest::Client::builder().default_headers(HeaderMap::from_iter([(AUTHORIZATION, token)])).build();
    let client = client::Client::new_with_client(&setting("WINDLASS_URL"), http.unwrap());
    for kind in ["CRON", "LIFECYCLE"] {
        let id = setting(&format!("WINDLASS_{kind}_JOB")).parse().unwrap();
        let job = client.get_job(&id).await.unwrap().into_inner();
        let found = match job {
            JobResponse::CronJobResponse(_) => "CRON",
            JobResponse::LifecycleJobResponse(_) => "LIFECYCLE",
        };
        assert_eq!(found, kind);
    }
    println!("progenitor: both kinds of jobs");
}

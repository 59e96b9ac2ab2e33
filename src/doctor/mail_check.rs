//! The mail servers of the receivers of alerts: whether they greet. Nothing is sent.

use std::time::Duration;

use sea_orm::DatabaseConnection;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::finding::Finding;
use crate::store;

const SUBJECT: &str = "mail server";
const PATIENCE: Duration = Duration::from_secs(5);
/// Encrypted from the start, so that it says nothing before that.
const TLS_PORT: &str = ":465";

pub(super) async fn check(db: &DatabaseConnection) -> Vec<Finding> {
    let servers = match store::alert::smarthosts(db).await {
        Ok(servers) => servers,
        Err(error) => {
            return vec![Finding::wrong(
                SUBJECT,
                format!("the receivers cannot be read: {error}"),
                "check the database",
            )];
        }
    };
    let mut found = Vec::new();
    for server in servers {
        found.push(match tokio::time::timeout(PATIENCE, greeting(&server)).await {
            Ok(Ok(())) => Finding::ok(SUBJECT, format!("{server} responds")),
            Ok(Err(reason)) => Finding::wrong(SUBJECT, format!("{server}: {reason}"), remedy()),
            Err(_) => {
                Finding::wrong(SUBJECT, format!("{server} did not respond within {} s", PATIENCE.as_secs()), remedy())
            }
        });
    }
    found
}

fn remedy() -> &'static str {
    "check `smarthost` of the receivers of alerts, and that this machine may connect to it"
}

async fn greeting(server: &str) -> Result<(), String> {
    let mut stream = TcpStream::connect(server).await.map_err(|error| error.to_string())?;
    if server.ends_with(TLS_PORT) {
        return Ok(());
    }
    let mut code = [0; 3];
    stream.read_exact(&mut code).await.map_err(|error| error.to_string())?;
    if &code == b"220" { Ok(()) } else { Err("no mail server greets there".to_owned()) }
}

//! Examines the settings of a server and its surroundings, and says what is wrong, with the remedy. Changes nothing.

use crate::clock::Clock;
use crate::config::Config;

mod certificate_dates;
mod database_check;
mod finding;
mod listen_check;
mod machine_check;
mod mail_check;
mod runner_check;
mod settings_check;
mod tls_check;
mod web_check;

pub use self::finding::{Finding, Outcome};

/// Examines everything, in the order in which a server needs it. Takes at most a few seconds for each thing that does not answer.
pub async fn examine(config: &Config, clock: &Clock) -> Vec<Finding> {
    let mut found = settings_check::check(config);
    found.extend(machine_check::check(config, clock.now()).await);
    let (database, db) = database_check::check(config, clock).await;
    found.extend(database);
    found.extend(tls_check::check(config, clock.now()));
    let (listen, serves) = listen_check::check(config).await;
    found.push(listen);
    found.extend(runner_check::check(config, clock).await);
    found.extend(web_check::check(config, serves).await);
    if let Some(db) = db {
        found.extend(mail_check::check(&db).await);
        // What is left open is closed with the process.
        let _closed = db.close().await;
    }
    found
}

//! An App with real settings and a runner that does nothing.

use std::path::Path;
use std::sync::Arc;

use clap::Parser as _;
use windlass::access::authenticate::Authenticator;
use windlass::app::{App, Parts};
use windlass::clock::Clock;
use windlass::config::Config;
use windlass::liveness::wake::Wake;
use windlass::runner::agent::Agents;
use windlass::runner::{Runners, Target};
use windlass::secret::KeyRing;
use windlass::store;

use super::no_op::NoOp;

#[derive(clap::Parser)]
struct Settings {
    #[command(flatten)]
    config: Config,
}

/// On the database of an installation that no server uses.
pub(crate) async fn app(folder: &Path, url: &str) -> Arc<App> {
    let words = ["bench", "--database-url", url, "--max-runs", "20000"];
    let config = Config { data_dir: folder.to_owned(), ..Settings::parse_from(words).config };
    let db = store::connect(url, config.database_connections).await.unwrap();
    let clock = Clock::system();
    let keys = KeyRing::load_or_create(&folder.join("secret.key")).unwrap();
    let wake = Wake::default();
    let runner = Arc::new(NoOp::new(wake.clone()));
    Arc::new(App::from(Parts {
        runners: Runners {
            docker: runner.clone(),
            process: runner,
            local: Ok(Target::Process),
            processes: true,
            clusters: Default::default(),
            agents: Agents::new(db.clone(), keys.clone(), clock.clone(), wake.clone()),
        },
        authenticator: Authenticator::new(db.clone(), keys.clone(), clock.clone(), None),
        keys,
        lease_db: db.clone(),
        db,
        clock,
        config,
        wake,
    }))
}

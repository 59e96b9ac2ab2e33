//! Several servers on one PostgreSQL database notify each other.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use windlass::liveness::notify;

use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wake_up_reaches_the_other_server_and_not_its_sender() {
    if std::env::var("WINDLASS_TEST_DATABASE_URL").is_err() {
        // SQLite allows one server only; this test runs on PostgreSQL.
        return;
    }
    let one = TestApp::new().await;
    let other = one.restarted().await;
    let shutdown = CancellationToken::new();
    let tasks = [&one, &other].map(|app| {
        let (app, shutdown) = (app.app.clone(), shutdown.clone());
        tokio::spawn(async move { notify::run(&app, shutdown).await })
    });
    let (mut here, mut there) = (one.app.wake.listen(), other.app.wake.listen());
    let heard = async {
        loop {
            one.app.wake.now();
            here.wait().await;
            if tokio::time::timeout(Duration::from_millis(500), there.wait()).await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), heard).await.expect("the other server heard nothing");
    assert!(tokio::time::timeout(Duration::from_secs(1), here.wait()).await.is_err(), "it heard itself");
    shutdown.cancel();
    for task in tasks {
        task.await.unwrap();
    }
}

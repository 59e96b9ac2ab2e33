//! A server that is well says so to an address, and one that is not stays silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use poem::http::StatusCode;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::web::Data;
use poem::{EndpointExt as _, Route, get, handler};
use windlass::liveness::passes::Pass;
use windlass::liveness::pulse::Loop;
use windlass::observe::metrics::HeartbeatOutcome::{Refused, Sent, Withheld};
use windlass::secret::Secret;
use windlass::server::Heartbeat;

use crate::harness::TestApp;

/// A service that waits for signs of life.
#[derive(Default)]
struct Watcher {
    heard: AtomicUsize,
    status: AtomicU16,
}

#[handler]
fn hear(watcher: Data<&Arc<Watcher>>) -> StatusCode {
    watcher.heard.fetch_add(1, Ordering::SeqCst);
    StatusCode::from_u16(watcher.status.load(Ordering::SeqCst)).unwrap()
}

#[tokio::test]
async fn only_a_server_that_is_well_sends_heartbeats() {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = acceptor.local_addr()[0].as_socket_addr().unwrap().to_owned();
    let watcher = Arc::new(Watcher::default());
    watcher.status.store(200, Ordering::SeqCst);
    let routes = Route::new().at("/sign/of/life", get(hear)).data(watcher.clone());
    tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(routes));
    assert!(Heartbeat::new(&TestApp::new().await.app).unwrap().is_none(), "only on request");

    let url = format!("http://{address}/sign/of/life");
    let app = TestApp::configured(|config| config.heartbeat_url = Some(Secret::new(url))).await;
    let mut heartbeat = Heartbeat::new(&app.app).unwrap().unwrap();
    let heard = || watcher.heard.load(Ordering::SeqCst);
    assert_eq!(heartbeat.beat(&app.app).await, Withheld, "no loop has ticked");
    let tick = || [Loop::Plan, Loop::Work].map(|which| app.app.pulse.beat(which, app.clock.now()));
    tick();
    assert_eq!((heartbeat.beat(&app.app).await, heard()), (Sent, 1));

    // A loop hangs.
    app.clock.forward(121);
    assert_eq!((heartbeat.beat(&app.app).await, heard()), (Withheld, 1));
    tick();
    assert_eq!((heartbeat.beat(&app.app).await, heard()), (Sent, 2));

    // A pass keeps failing.
    for _ in 0..10 {
        app.app.setbacks.pass_failed(Pass::Schedules, app.clock.now());
        app.clock.forward(30);
    }
    tick();
    assert_eq!((heartbeat.beat(&app.app).await, heard()), (Withheld, 2));
    app.app.setbacks.pass_succeeded(Pass::Schedules);
    assert_eq!((heartbeat.beat(&app.app).await, heard()), (Sent, 3));

    // The keys do not fit.
    app.app.pulse.set_key_fits(false);
    assert_eq!((heartbeat.beat(&app.app).await, heard()), (Withheld, 3));
    app.app.pulse.set_key_fits(true);

    watcher.status.store(500, Ordering::SeqCst);
    assert_eq!((heartbeat.beat(&app.app).await, heard()), (Refused, 4));
    watcher.status.store(200, Ordering::SeqCst);

    app.app.shutdown.begin();
    assert_eq!((heartbeat.beat(&app.app).await, heard()), (Withheld, 4));
    let metrics = app.furnished().await.client.raw("/metrics").await;
    for line in ["{outcome=\"Sent\"} 3", "{outcome=\"Refused\"} 1", "{outcome=\"Withheld\"} 5"] {
        assert!(metrics.contains(&format!("windlass_heartbeats_total{line}")), "{line} is not in\n{metrics}");
    }
}

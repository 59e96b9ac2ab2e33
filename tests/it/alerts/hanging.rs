//! A receiver or a webhook that hangs delays its own messages only, and no message is sent under a lease that is over.

use std::sync::{Arc, Mutex};

use entity::webhook_delivery::DeliveryState;
use entity::{alert_delivery, webhook_delivery};
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::web::Data;
use poem::{EndpointExt as _, Route, handler, post};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, DatabaseConnection, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use windlass::error::Error;
use windlass::{alert, outbound, store};

use super::webhook_news::hook;
use super::{Service, Watch};
use crate::harness::{Hands, wait_for};

/// A host that accepts connections, and never answers.
struct Silent {
    url: String,
    held: Arc<Mutex<Vec<TcpStream>>>,
}

impl Silent {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let held = Arc::new(Mutex::new(Vec::new()));
        let all = held.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                all.lock().unwrap().push(connection);
            }
        });
        Self { url, held }
    }

    fn calls(&self) -> usize {
        self.held.lock().unwrap().len()
    }
}

/// Does something while a loop of the server runs.
async fn beside(a_loop: impl Future<Output = ()>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = a_loop => panic!("the loop has ended"),
        () = work => {}
    }
}

async fn until_stored(watch: &Watch, messages: u64) {
    wait_for("the messages", async || {
        let stored = alert_delivery::Entity::find().count(&watch.app.app.db).await.unwrap();
        (stored == messages).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_only_itself() {
    let watch = Watch::new().await;
    let silent = Silent::start().await;
    let (service, url) = Service::start().await;
    let (bad, good) = (watch.job("bad").await, watch.job("good").await);
    let of = |job: &str| json!({"name": job, "target": {"target_type": "JOB", "target_id": job}});
    let mut receivers = Vec::new();
    for _ in 0..20 {
        receivers.push(watch.slack(&silent.url).await);
    }
    watch.rule(&receivers.iter().collect::<Vec<_>>(), of(&bad)).await;
    let slack = watch.slack(&url).await;
    watch.rule(&[&slack], of(&good)).await;
    let work = async {
        watch.run(&[&bad], 1).await;
        until_stored(&watch, 20).await;
        watch.app.clock.forward(1);
        wait_for("the calls that hang", async || (silent.calls() >= 20).then_some(())).await;
        // It is decided and told while they hang.
        watch.run(&[&good], 1).await;
        until_stored(&watch, 21).await;
        watch.app.clock.forward(1);
        let heard = async || (!service.calls.lock().unwrap().is_empty()).then_some(());
        wait_for("the message to the other receiver", heard).await;
        let rows = alert_delivery::Entity::find().all(&watch.app.app.db).await.unwrap();
        assert!(rows.iter().all(|row| row.error.is_none()), "it waited for a call that hung: {rows:?}");
        assert_eq!(silent.calls(), 20, "each gets one at a time");
    };
    beside(alert::run(&watch.app.app, CancellationToken::new()), work).await;
}

#[tokio::test]
async fn a_webhook_that_hangs_delays_only_itself() {
    let watch = Watch::new().await;
    let silent = Silent::start().await;
    let (service, url) = Service::start().await;
    let client = &watch.it.client;
    let failures = |url: &str| json!({"target_url": url, "events": ["RUN_FAILED"]});
    hook(client, watch.it.organization, failures(&format!("{}/bad", silent.url))).await;
    let job = watch.job("job").await;
    for _ in 0..12 {
        watch.run(&[&job], 1).await;
    }
    hook(client, watch.it.organization, failures(&format!("{url}/good"))).await;
    let work = async {
        wait_for("the call that hangs", async || (silent.calls() >= 1).then_some(())).await;
        watch.run(&[&job], 1).await;
        let heard = async || (!service.calls.lock().unwrap().is_empty()).then_some(());
        wait_for("the delivery to the other webhook", heard).await;
        let rows = webhook_delivery::Entity::find().all(&watch.app.app.db).await.unwrap();
        assert_eq!(rows.len(), 14);
        let mut bad = rows.iter().filter(|row| row.target_url.ends_with("/bad"));
        assert!(bad.all(|row| row.attempts == 0), "it waited for a call that hung: {rows:?}");
        assert_eq!(silent.calls(), 1, "one at a time");
    };
    beside(outbound::run(&watch.app.app, CancellationToken::new()), work).await;
}

#[tokio::test]
async fn what_was_tried_before_leaves_places_for_what_is_new() {
    let watch = Watch::new().await;
    for _ in 0..41 {
        hook(&watch.it.client, watch.it.organization, json!({"events": ["RUN_FAILED"]})).await;
    }
    let job = watch.job("job").await;
    watch.run(&[&job], 1).await;
    let db = &watch.app.app.db;
    let rows = webhook_delivery::Entity::find().all(db).await.unwrap();
    assert_eq!(rows.len(), 41);
    let last = rows.last().unwrap();
    let others = webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::Attempts, Expr::value(1))
        .filter(webhook_delivery::Column::Id.ne(last.id));
    others.exec(db).await.unwrap();
    let now = watch.app.clock.now();
    let room = outbound::Places::default().room();
    let claim = async |room: &store::outbox::Room| {
        store::write(db, async |tx| store::webhook::claim_deliveries(tx, room, (now, now)).await.map_err(Error::from))
            .await
            .unwrap()
    };
    let claimed = claim(&room).await;
    assert_eq!((claimed.len(), claimed[0].id), (33, last.id));
    assert!(claimed[1..].iter().all(|row| row.attempts == 1));
    // Those that are busy are left out, and those that were tried wait while too many of them are under way.
    let busy = claimed.iter().map(|row| row.webhook_id.0).collect();
    let room = store::outbox::Room { busy, ..room };
    assert_eq!(claim(&room).await.len(), 8);
    let room = store::outbox::Room { busy: Vec::new(), retries: 0, ..room };
    assert_eq!(claim(&room).await.iter().map(|row| row.id).collect::<Vec<_>>(), [last.id]);
}

/// A receiver that takes eleven minutes, and records for how long the message is still leased.
struct Slow {
    db: DatabaseConnection,
    clock: Hands,
    left: Mutex<Vec<i64>>,
}

#[handler]
async fn receive_slowly(slow: Data<&Arc<Slow>>) -> &'static str {
    let under_way = alert_delivery::Entity::find()
        .filter(alert_delivery::Column::State.eq(DeliveryState::Pending))
        .filter(alert_delivery::Column::Attempts.gt(0));
    let row = under_way.one(&slow.db).await.unwrap().unwrap();
    slow.left.lock().unwrap().push((row.next_attempt_at - slow.clock.now()).num_seconds());
    slow.clock.forward(660);
    "heard"
}

#[tokio::test]
async fn the_lease_of_a_message_counts_from_its_claim() {
    let mut watch = Watch::new().await;
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let url = format!("http://{}/slow", acceptor.local_addr()[0].as_socket_addr().unwrap());
    let (db, clock) = (watch.app.app.db.clone(), watch.app.clock.clone());
    let slow = Arc::new(Slow { db, clock, left: Mutex::default() });
    let routes = Route::new().at("/*path", post(receive_slowly)).data(slow.clone());
    tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(routes));
    let slack = watch.receiver(json!({"webhook_url": url})).await;
    for name in ["first", "second", "third"] {
        watch.rule(&[&slack], json!({"name": name})).await;
    }
    let job = watch.job("job").await;
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 3);
    assert_eq!(*slow.left.lock().unwrap(), [600, 600, 600]);
}

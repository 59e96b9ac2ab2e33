//! The newest state is the one that was stored last, whichever was begun last, and whatever the clocks say.

use chrono::TimeDelta;
use entity::id::StateVersionId;
use entity::{state_listing, state_piece, state_version};
use futures_util::stream;
use poem::Body;
use poem::test::TestClient;
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait as _, QueryOrder as _};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::House;
use crate::harness::TestApp;

const MIB: usize = 1024 * 1024;
/// How long a state is kept that was replaced.
const DAYS: u32 = 20;

/// A state with a resource, and with about so many bytes.
fn state(serial: i64, bytes: usize) -> String {
    let one = json!({"mode": "managed", "type": "t", "name": "n", "provider": "p", "instances": [{"attributes": {}}]});
    let output = json!({"value": "x".repeat(bytes), "type": "string"});
    json!({"version": 4, "serial": serial, "lineage": "l", "outputs": {"a": output}, "resources": [one]}).to_string()
}

struct Desk {
    house: House,
    workspace: String,
}

impl Desk {
    async fn new() -> Self {
        let house = House::of(TestApp::configured(|config| config.state_version_days = DAYS).await).await;
        let workspace = house.workspace("a").await;
        Self { house, workspace }
    }

    fn path(&self, rest: &str) -> String {
        format!("/tfstate/v1/organization/{}/workspace/{}/{rest}", self.house.organization, self.workspace)
    }

    async fn send(&self, text: &str) -> u16 {
        self.house.client.raw_call("POST", &self.path("backend"), Some(text), &[]).await.0
    }

    /// Sends a state whose content arrives only after `meanwhile`.
    async fn send_slowly(&self, text: &str, meanwhile: impl AsyncFnOnce()) -> u16 {
        let api = windlass::api::endpoint(&self.house.app.app, windlass::terrakube::routes(poem::Route::new()));
        let (begin, begun) = oneshot::channel();
        let (end, may_end) = oneshot::channel::<()>();
        let text = text.to_owned();
        let parts = stream::once(async move {
            begin.send(()).unwrap();
            may_end.await.unwrap();
            Ok::<_, std::io::Error>(text)
        });
        let client = TestClient::new(api);
        let request = client.post(self.path("backend")).header("authorization", self.house.client.authorization());
        let sent = request.body(Body::from_bytes_stream(parts)).send();
        let others = async {
            begun.await.unwrap();
            meanwhile().await;
            end.send(()).unwrap();
        };
        let (answer, ()) = tokio::join!(sent, others);
        answer.0.status().as_u16()
    }

    async fn newest(&self) -> String {
        self.house.client.raw_call("GET", &self.path("backend"), None, &[]).await.1
    }

    /// The versions by their ids.
    async fn versions(&self) -> Vec<state_version::Model> {
        let rows = state_version::Entity::find().order_by_asc(state_version::Column::Id);
        rows.all(&self.house.app.app.db).await.unwrap()
    }

    async fn serials(&self) -> Vec<i64> {
        self.versions().await.iter().map(|row| row.serial).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_was_begun_first_and_stored_last_is_the_newest() {
    // One that is stored in its row, and one in pieces.
    for bytes in [100, 6 * MIB] {
        let desk = Desk::new().await;
        let (app, clock) = (&desk.house.app.app, &desk.house.app.clock);
        assert_eq!(desk.send(&state(1, 100)).await, 200);
        let late = state(3, bytes);
        let meanwhile = async || assert_eq!(desk.send(&state(2, 100)).await, 200);
        assert_eq!(desk.send_slowly(&late, meanwhile).await, 200);
        assert!(desk.newest().await == late, "the newest has the serials {:?}", desk.serials().await);
        assert_eq!(desk.serials().await, [1, 2, 3]);
        let current = format!("/api/v2/workspaces/{}/current-state-version", desk.workspace);
        let current = desk.house.client.get(&current).await.expect(200);
        assert_eq!(current["data"]["attributes"]["serial"], 3);
        let resources: Value = desk.house.client.get(&desk.path("resources")).await.expect(200);
        assert_eq!((&resources["version"]["serial"], &resources["total"]), (&json!(3), &json!(1)));
        // Nothing is left of what was sealed for another id.
        let newest = desk.versions().await.pop().unwrap();
        let pieces = state_piece::Entity::find().all(&app.db).await.unwrap();
        assert_eq!(i32::try_from(pieces.len()).unwrap(), newest.pieces.unwrap_or(0));
        assert!(pieces.iter().all(|piece| piece.state_version_id == newest.id));
        assert_eq!(state_listing::Entity::find().all(&app.db).await.unwrap().len(), 3);
        // It is not replaced by the one that was begun later.
        clock.forward((i64::from(DAYS) + 1) * 24 * 3600);
        while windlass::engine::tick::prune(app, clock.now()).await.more {}
        assert_eq!(desk.serials().await, [3]);
        assert!(desk.newest().await == late);
    }
}

#[tokio::test]
async fn a_clock_that_is_behind_makes_no_state_an_older_one() {
    let desk = Desk::new().await;
    assert_eq!(desk.send(&state(1, 100)).await, 200);
    // Another server stored it, whose clock is an hour ahead.
    let ahead = Uuid::from_u128(desk.versions().await[0].id.0.as_u128() + (3_600_000 << 80));
    let moved = state_version::Entity::update_many();
    let moved = moved.col_expr(state_version::Column::Id, Expr::value(StateVersionId(ahead)));
    let then = desk.house.app.clock.now() + TimeDelta::hours(1);
    let moved = moved.col_expr(state_version::Column::CreatedAt, Expr::value(then));
    moved.exec(&desk.house.app.app.db).await.unwrap();
    for serial in 2..=4 {
        assert_eq!(desk.send(&state(serial, 100)).await, 200);
        assert_eq!(desk.newest().await, state(serial, 100));
    }
    assert_eq!(desk.send(&state(3, 100)).await, 409);
    let body = json!({"serial": 2, "reason": "the network was wrong"});
    let head = desk.house.client.post(&desk.path("rollback"), body).await.expect(201);
    assert_eq!(head["serial"], 5);
    assert_eq!(desk.serials().await, [1, 2, 3, 4, 5]);
    // Programs sort them by their times.
    let times: Vec<_> = desk.versions().await.iter().map(|row| row.created_at).collect();
    assert!(times.is_sorted_by(|one, next| one < next), "{times:?}");
}

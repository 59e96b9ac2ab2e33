//! Large Terraform states are kept in sealed pieces.

use entity::{state_piece, state_version};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};

use super::House;
use crate::harness::TestApp;
use crate::server::Server;

const MIB: usize = 1024 * 1024;
/// The size of a piece.
const PIECE: usize = MIB / 4;

/// A state with about so many bytes.
fn state(serial: i64, bytes: usize) -> String {
    let value = (0..bytes / 16).map(|number| format!("line {number:>11}")).collect::<String>();
    let output = json!({"value": value, "type": "string"});
    json!({"version": 4, "serial": serial, "lineage": "l", "outputs": {"a": output}, "resources": []}).to_string()
}

struct Backend {
    house: House,
    workspace: String,
}

impl Backend {
    async fn new() -> Self {
        let house = House::new().await;
        let workspace = house.workspace("a").await;
        Self { house, workspace }
    }

    fn app(&self) -> &TestApp {
        &self.house.app
    }

    fn path(&self, rest: &str) -> String {
        format!("/tfstate/v1/organization/{}/workspace/{}/{rest}", self.house.organization, self.workspace)
    }

    async fn send(&self, text: &str) -> u16 {
        self.house.client.raw_call("POST", &self.path("backend"), Some(text), &[]).await.0
    }

    async fn get(&self, rest: &str) -> (u16, String) {
        self.house.client.raw_call("GET", &self.path(rest), None, &[]).await
    }

    async fn pieces(&self) -> Vec<state_piece::Model> {
        let rows = state_piece::Entity::find().order_by_asc(state_piece::Column::Number);
        rows.all(&self.app().app.db).await.unwrap()
    }

    async fn versions(&self) -> Vec<state_version::Model> {
        let rows = state_version::Entity::find().order_by_asc(state_version::Column::Id);
        rows.all(&self.app().app.db).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_state_is_sealed_and_sent_in_pieces() {
    let backend = Backend::new().await;
    let text = state(1, 6 * MIB);
    assert_eq!(backend.send(&text).await, 200);
    let (pieces, versions) = (backend.pieces().await, backend.versions().await);
    assert_eq!(versions[0].pieces, Some(25));
    assert_eq!((versions[0].serial, versions[0].lineage.as_deref()), (1, Some("l")));
    assert!(versions[0].sealed.len() < 200);
    assert_eq!(pieces.iter().map(|piece| piece.number).collect::<Vec<_>>(), (0..25).collect::<Vec<_>>());
    for piece in &pieces {
        assert!(piece.sealed.len() <= PIECE + 44, "{}", piece.sealed.len());
        assert!(!piece.sealed.windows(8).any(|part| part == b"line    "));
    }
    let id = versions[0].id;
    for file in ["backend".to_owned(), "state/terraform.tfstate".to_owned(), format!("state/{id}.raw.json")] {
        assert!(backend.get(&file).await == (200, text.clone()), "{file}");
    }
    let (status, shown) = backend.get(&format!("state/{id}.json")).await;
    assert_eq!(status, 200);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["values"]["outputs"]["a"]["value"].as_str().unwrap().len(), 6 * MIB);
    // The same state is no new version, and leaves nothing behind; a small one is stored in its row.
    assert_eq!(backend.send(&text).await, 200);
    assert_eq!((backend.versions().await.len(), backend.pieces().await.len()), (1, 25));
    assert_eq!(backend.send(&state(2, MIB)).await, 200);
    let versions = backend.versions().await;
    assert_eq!((versions[1].pieces, backend.pieces().await.len()), (None, 25));
    assert!(backend.get("backend").await == (200, state(2, MIB)));
    // What is too large to be converted can be downloaded.
    let text = state(3, 10 * MIB);
    assert_eq!(backend.send(&text).await, 200);
    let id = backend.versions().await[2].id;
    let (status, reason) = backend.get(&format!("state/{id}.json")).await;
    assert!(status == 409 && reason.contains(&format!("{id}.raw.json")), "{reason}");
    assert!(backend.get(&format!("state/{id}.raw.json")).await == (200, text));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_state_leaves_nothing_behind() {
    let backend = Backend::new().await;
    let text = state(1, 6 * MIB);
    let nested = format!("{{\"serial\":1,\"a\":{}", "[".repeat(200));
    let long = format!("{{\"serial\":1,\"lineage\":\"{}\"}}", "x".repeat(100_000));
    let cases = [&text[..text.len() - 1], &text[1..], &format!("{text}x"), "{\"serial\":\"1\"}", "", &nested, &long];
    for (number, text) in cases.into_iter().enumerate() {
        assert_eq!(backend.send(text).await, 400, "{number}");
    }
    let lock = json!({"ID": "1"}).to_string();
    let (status, _) = backend.house.client.raw_call("LOCK", &backend.path("backend"), Some(&lock), &[]).await;
    assert_eq!(status, 200);
    assert_eq!(backend.send(&text).await, 423);
    let large = json!({"ID": "x".repeat(MIB)}).to_string();
    let (status, _) = backend.house.client.raw_call("LOCK", &backend.path("backend"), Some(&large), &[]).await;
    assert_eq!(status, 413);
    assert_eq!((backend.versions().await.len(), backend.pieces().await.len()), (0, 0));
}

/// A piece that is missing or exchanged ends the response, so that nobody takes a part of a state for the whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_cannot_be_exchanged_or_left_out() {
    let backend = Backend::new().await;
    let db = &backend.app().app.db;
    assert_eq!(backend.send(&state(1, 6 * MIB)).await, 200);
    let row = backend.versions().await.remove(0);
    let get = async || {
        let app = &backend.app().app;
        let api = windlass::api::endpoint(app, windlass::terrakube::routes(poem::Route::new()));
        let client = poem::test::TestClient::new(api);
        let request = client.get(backend.path("backend"));
        let response = request.header("authorization", backend.house.client.authorization()).send().await.0;
        let length = response.headers()["content-length"].to_str().unwrap().parse::<usize>().unwrap();
        assert!(length > 6 * MIB);
        response.into_body().into_vec().await.map(|body| body.len() == length)
    };
    assert!(get().await.unwrap());
    let set = async |number: i32, sealed: Vec<u8>| {
        let these = state_piece::Entity::update_many().col_expr(state_piece::Column::Sealed, Expr::value(sealed));
        these.filter(state_piece::Column::Number.eq(number)).exec(db).await.unwrap();
    };
    let pieces = backend.pieces().await;
    set(2, pieces[3].sealed.clone()).await;
    assert!(get().await.is_err());
    set(2, pieces[2].sealed.clone()).await;
    assert!(get().await.unwrap());
    let last = state_piece::Entity::delete_many().filter(state_piece::Column::Number.eq(24));
    last.exec(db).await.unwrap();
    assert!(get().await.is_err());
    let fewer = state_version::Entity::update_many().col_expr(state_version::Column::Pieces, Expr::value(24));
    fewer.filter(state_version::Column::Id.eq(row.id)).exec(db).await.unwrap();
    assert_eq!(backend.get("backend").await.0, 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_go_with_their_state() {
    let backend = Backend::new().await;
    let db = &backend.app().app.db;
    let (app, clock) = (&backend.app().app, &backend.app().clock);
    assert_eq!(backend.send(&state(1, 5 * MIB)).await, 200);
    assert_eq!(backend.send(&state(2, 6 * MIB)).await, 200);
    let versions = backend.versions().await;
    let count = async |id| {
        let these = state_piece::Entity::find().filter(state_piece::Column::StateVersionId.eq(id));
        these.count(db).await.unwrap()
    };
    let prune = async || while windlass::engine::tick::prune(app, clock.now()).await.more {};
    clock.forward(23 * 3600);
    state_version::Entity::delete_by_id(versions[0].id).exec(db).await.unwrap();
    prune().await;
    assert_eq!(count(versions[0].id).await, 21, "a state that is being received has no version yet");
    clock.forward(2 * 3600);
    prune().await;
    assert_eq!((count(versions[0].id).await, count(versions[1].id).await), (0, 25));
    assert!(backend.get("backend").await.1 == state(2, 6 * MIB));
}

/// The most physical memory that a server has had, in KiB.
fn peak_memory(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Stores a state of so many MiB without holding it, and returns the beginning of the response.
fn send_in_parts(server: &Server, path: &str, mebibytes: usize, (head, part, tail): (&str, &str, &str)) -> String {
    use std::io::{Read as _, Write as _};
    let mut socket = std::net::TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let part = part.as_bytes();
    let length = head.len() + mebibytes * part.len() + tail.len();
    let lines = format!(
        "POST {path} HTTP/1.1\r\nHost: server\r\nAuthorization: Token {}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n",
        server.token
    );
    socket.write_all(lines.as_bytes()).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    for _ in 0..mebibytes {
        socket.write_all(part).unwrap();
    }
    socket.write_all(tail.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// Neither storing nor sending a state takes as much memory as the state has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_state_takes_little_memory() {
    let head = r#"{"version":4,"serial":1,"lineage":"l","resources":[],"outputs":{"a":{"type":"string","value":""#;
    let part = &"line by line ... ".repeat(MIB / 17 + 1)[..MIB];
    takes_little_memory((head, part, "\"}}}")).await;
}

/// Nor does the list of its resources, of which it has 40,000 here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_of_many_resources_takes_little_memory() {
    let head = "{\"version\":4,\"serial\":1,\"lineage\":\"l\",\"outputs\":{},\"resources\":[{\"module\":\"module.m\",\"mode\":\"managed\",\
                \"type\":\"t\",\"name\":\"n\",\"provider\":\"p\",\"instances\":[{}";
    let one = format!(",{{\"index_key\":\"k\",\"attributes\":{{\"text\":\"{}\"}}}}", "x".repeat(2000));
    takes_little_memory((head, &one.repeat(500), "]}]}")).await;
}

async fn takes_little_memory(parts: (&str, &str, &str)) {
    const SIZE: usize = 80;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["serve", "--runner", "process"], None);
    let organization = crate::harness::id(&server.get("/organization").await["results"][0]);
    let workspace = super::new("workspace", json!({"name": "a", "source": "empty"}));
    let workspace = server.create(&format!("/api/v1/organization/{organization}/workspace"), workspace).await;
    let path = format!("/tfstate/v1/organization/{organization}/workspace/{workspace}/backend");
    let before = peak_memory(server.process());
    let answer = send_in_parts(&server, &path, SIZE, parts);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (status, _, text) = server.call("GET", &path, None).await;
    assert!(status == 200 && text.len() > SIZE * parts.1.len(), "{status}: {}", text.len());
    let more = peak_memory(server.process()) - before;
    assert!(more < 64 * 1024, "{more} KiB for a state of {SIZE} MiB");
}

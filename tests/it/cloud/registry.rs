//! The private registry without the programs: who sees what, what is refused, and what becomes of files.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::member::Role;
use entity::{registry_file, registry_piece, workspace_step};
use sea_orm::{ActiveValue, EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use windlass::engine::tick;
use windlass::secret::{TokenHash, new_token};
use windlass::store;

use super::detail;
use crate::git_server::{Rule, git, serve};
use crate::harness::{Client, TestApp};
use crate::terrakube::{House, change, new};

/// A repository with modules, below a folder: `modules.git`, and its files in `work`.
pub(crate) fn modules(folder: &Path) -> PathBuf {
    git(folder, &["init", "-q", "work"]);
    let work = folder.join("work");
    std::fs::create_dir_all(work.join("modules/network")).unwrap();
    std::fs::create_dir_all(work.join("modules/shared")).unwrap();
    std::fs::write(work.join("modules/shared/main.tf"), "output \"word\" { value = \"shared\" }\n").unwrap();
    release(&work, "1.2.0", "network/v1.2.0");
    release(&work, "1.3.1", "network/v1.3.1");
    release(&work, "2.0.0", "network/v2.0.0");
    git(&work, &["tag", "v9.0.0"]);
    git(folder, &["clone", "-q", "--bare", "work", "modules.git"]);
    work
}

/// Commits a version of the module, which says its own version, and gives it a tag.
pub(super) fn release(work: &Path, version: &str, tag: &str) {
    let text = format!(
        "module \"shared\" {{ source = \"../shared\" }}\noutput \"version\" {{ value = \"{version} ${{module.shared.word}}\" }}\n"
    );
    std::fs::write(work.join("modules/network/main.tf"), text).unwrap();
    git(work, &["add", "."]);
    git(work, &["commit", "-q", "--allow-empty", "-m", version]);
    git(work, &["tag", "-f", "-a", tag, "-m", version]);
}

fn network(source: &str) -> Value {
    json!({"name": "network", "provider": "test", "source": source, "folder": "/modules/network", "tagPrefix": "network/"})
}

fn versions(body: &Value) -> Vec<&str> {
    let listed = body["modules"][0]["versions"].as_array().unwrap();
    listed.iter().map(|one| one["version"].as_str().unwrap()).collect()
}

const VERSIONS: &str = "/v1/modules/acme/network/test/versions";
const REFRESH: &str = "/v1/modules/acme/network/test/refresh";

async fn files(app: &TestApp) -> (u64, u64) {
    let files = registry_file::Entity::find().count(&app.app.db).await.unwrap();
    (files, registry_piece::Entity::find().count(&app.app.db).await.unwrap())
}

#[tokio::test]
async fn versions_are_the_tags_of_a_repository() {
    let house = House::new().await;
    let folder = tempfile::tempdir().unwrap();
    let work = modules(folder.path());
    let (server, _) = serve(folder.path(), Rule::Login).await;
    let url = format!("{server}/modules.git");
    let module = house.create("module", "module", network(&url)).await;
    // Without the login, nothing is known, and the module says why.
    let refused = detail(house.client.post(REFRESH, json!({})).await, 422);
    assert!(refused.contains("requires a login"), "{refused}");
    let shown = house.get(&format!("module/{module}")).await;
    assert!(shown["data"]["attributes"]["refreshError"].as_str().unwrap().contains("requires a login"), "{shown}");
    let vcs = json!({"name": "hub", "vcsType": "GITHUB", "accessToken": "pass", "endpoint": url});
    let vcs = house.create("vcs", "vcs", vcs).await;
    let link = json!({"data": {"type": "vcs", "id": vcs}});
    let path = house.path(&format!("module/{module}"));
    let media = [("content-type", "application/vnd.api+json")];
    let to = format!("{path}/relationships/vcs");
    let (status, text) = house.client.raw_call("PATCH", &to, Some(&link.to_string()), &media).await;
    assert_eq!(status, 204, "{text}");
    let listed = house.client.post(REFRESH, json!({})).await.expect(200);
    assert_eq!(versions(&listed), ["2.0.0", "1.3.1", "1.2.0"]);
    assert_eq!(listed["modules"][0]["source"], "acme/network/test");
    let shown = house.get(&format!("module/{module}?include=version")).await;
    assert_eq!(shown["data"]["attributes"]["latestVersion"], "2.0.0");
    assert_eq!(shown["data"]["attributes"]["refreshError"], Value::Null);
    assert_eq!(shown["included"].as_array().unwrap().len(), 3);
    let used = detail(house.client.delete(&house.path(&format!("vcs/{vcs}"))).await, 409);
    assert!(used.contains("modules network"), "{used}");

    // An archive is made once, and again when its tag leads to another commit.
    let place = async |version: &str| {
        let (status, headers) =
            house.client.headers("GET", &format!("/v1/modules/acme/network/test/{version}/download"), None).await;
        assert_eq!(status, 204);
        let get = headers["x-terraform-get"].to_str().unwrap().to_owned();
        let (address, rest) = get.split_once("//modules/network").unwrap_or_else(|| panic!("{get}"));
        assert_eq!(rest, "?archive=tar.gz");
        address.split_once("/api/v2").map(|(_, path)| format!("/api/v2{path}")).unwrap()
    };
    let first = place("1.3.1").await;
    let archive = house.client.bytes(&first).await;
    assert!(archive == house.client.bytes(&place("1.3.1").await).await && archive.starts_with(&[0x1f, 0x8b]));
    assert_eq!(files(&house.app).await, (1, 1));
    release(&work, "1.3.1-moved", "network/v1.3.1");
    git(&work, &["tag", "-d", "network/v1.2.0"]);
    git(
        folder.path().join("modules.git").as_path(),
        &["fetch", "-q", "--prune", "--force", "origin", "+refs/*:refs/*"],
    );
    let listed = house.client.post(REFRESH, json!({})).await.expect(200);
    assert_eq!(versions(&listed), ["2.0.0", "1.3.1"]);
    house.client.get(&first).await.expect(404);
    assert!(house.client.bytes(&place("1.3.1").await).await != archive);
    prune(&house.app).await;
    assert_eq!(files(&house.app).await, (1, 1), "the archive of the old commit is gone");

    // When the repository is gone, what is known stays.
    let other = change("module", &module, json!({"source": format!("{server}/none.git")}));
    house.client.patch(&path, other).await.expect(204);
    assert_eq!(house.client.post(REFRESH, json!({})).await.status, 422);
    assert_eq!(versions(&house.client.get(VERSIONS).await.expect(200)).len(), 2);
    house.client.delete(&path).await.expect(204);
    assert_eq!(house.client.get(VERSIONS).await.status, 404);
    prune(&house.app).await;
    assert_eq!(files(&house.app).await, (0, 0));
}

/// The pass that deletes what has expired.
async fn prune(app: &TestApp) {
    while tick::prune(&app.app, app.clock.now()).await.more {}
}

#[tokio::test]
async fn modules_are_those_of_the_own_organization() {
    let house = House::new().await;
    let folder = tempfile::tempdir().unwrap();
    modules(folder.path());
    let (server, _) = serve(folder.path(), Rule::Open).await;
    house.create("module", "module", network(&format!("{server}/modules.git"))).await;
    house.client.post(REFRESH, json!({})).await.expect(200);
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    assert_eq!(versions(&viewer.get(VERSIONS).await.expect(200)).len(), 3);
    assert_eq!(viewer.post(REFRESH, json!({})).await.status, 403);
    let other = house.app.organization("other").await;
    let stranger = house.app.token(other, Role::Admin).await;
    let nobody = house.client.with(Some("Bearer windlass_wrong"));
    for path in [VERSIONS, "/v1/modules/acme/network/test/1.2.0/download", "/v1/mirror/acme"] {
        assert_eq!(stranger.get(path).await.status, 404, "{path}");
        assert_eq!(nobody.get(path).await.status, 401, "{path}");
    }
    for path in ["/v1/modules/acme/network/test/7.0.0/download", "/v1/modules/acme/none/test/versions"] {
        assert_eq!(house.client.get(path).await.status, 404, "{path}");
    }
    let named = format!("/v1/modules/{}/network/test/versions", house.organization);
    assert_eq!(versions(&house.client.get(&named).await.expect(200)).len(), 3);
    // What is no address, or no repository.
    for (attributes, field) in [
        (json!({"name": "a b"}), "name"),
        (json!({"provider": "AWS"}), "provider"),
        (json!({"source": "ftp://x/y"}), "source"),
        (json!({"folder": "../x"}), "folder"),
        (json!({"tagPrefix": "a b"}), "tagPrefix"),
    ] {
        let mut wanted = network("https://git.example/x.git");
        wanted["name"] = json!("second");
        wanted.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
        let refused = detail(house.client.post(&house.path("module"), new("module", wanted)).await, 400);
        assert!(refused.starts_with(field) && refused.contains("must"), "{refused}");
    }
    let again = house.client.post(&house.path("module"), new("module", network("https://git.example/x.git"))).await;
    assert_eq!(again.status, 409);
}

/// A step has the credential of its state, which reads the registry of its organization, and changes nothing.
#[tokio::test]
async fn a_step_reads_the_registry_of_its_organization() {
    let house = House::new().await;
    let folder = tempfile::tempdir().unwrap();
    modules(folder.path());
    let (server, _) = serve(folder.path(), Rule::Open).await;
    house.create("module", "module", network(&format!("{server}/modules.git"))).await;
    house.client.post(REFRESH, json!({})).await.expect(200);
    let workspace = house.workspace("w").await;
    let job = house.start(&workspace, json!({"templateReference": house.template("Plan").await})).await;
    let db = &house.app.app.db;
    let step = store::workspace::steps(db, job.parse().unwrap()).await.unwrap().remove(0);
    let token = new_token().unwrap();
    let hash = Some(TokenHash::of(token.expose()).stored());
    let change = workspace_step::ActiveModel { token: ActiveValue::Set(hash), ..Default::default() };
    store::workspace::change_step(db, step.id, change).await.unwrap();
    let client = house.client.with(Some(&format!("Bearer {}", token.expose())));
    assert_eq!(versions(&client.get(VERSIONS).await.expect(200)).len(), 3);
    assert_eq!(client.get("/v1/mirror/acme").await.status, 200);
    assert_eq!(client.post(REFRESH, json!({})).await.status, 403);
    put(&client, &format!("{OWN}_SHA256SUMS"), "x", 403).await;
    house.app.organization("other").await;
    assert_eq!(client.get(&VERSIONS.replace("acme", "other")).await.status, 404);
    assert_eq!(client.get("/api/v2/organizations/acme/workspaces").await.status, 401);
}

/// An archive of a provider, and its checksum.
pub(crate) fn archive(name: &str, content: &[u8]) -> (Vec<u8>, String) {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .unix_permissions(0o755);
    let mut archive = zip::ZipWriter::new(&mut bytes);
    archive.start_file(name, options).unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap();
    let bytes = bytes.into_inner();
    let sum = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    (bytes, sum)
}

const OWN: &str = "/v1/providers/acme/internal/1.0.0/files/terraform-provider-internal_1.0.0";

async fn put(client: &Client, path: &str, bytes: impl Into<Vec<u8>>, status: u16) -> Value {
    client.upload(path, bytes.into()).await.expect(status)
}

#[tokio::test]
async fn files_of_a_provider_are_checked() {
    let house = House::new().await;
    let client = &house.client;
    let (zip, sum) = archive("terraform-provider-internal_v1.0.0", b"#!/bin/sh\n");
    let platform = format!("{OWN}_linux_amd64.zip");
    let refused = |body: Value| body["errors"][0]["detail"].as_str().unwrap().to_owned();
    assert!(refused(put(client, &platform, zip.clone(), 409).await).contains("SHA256SUMS"));
    let sums = format!("{OWN}_SHA256SUMS");
    assert!(refused(put(client, &sums, "nonsense", 422).await).contains("line 1"));
    put(client, &format!("{sums}.sig"), vec![0x89, 1], 409).await;
    let list = format!("{sum}  terraform-provider-internal_1.0.0_linux_amd64.zip\n");
    put(client, &format!("{sums}?protocols=6.0"), list.clone(), 201).await;
    assert!(refused(put(client, &format!("{sums}?protocols=six"), list.clone(), 422).await).contains("protocols"));
    assert!(refused(put(client, &format!("{sums}.sig"), "-----BEGIN PGP", 422).await).contains("--armor"));
    assert!(refused(put(client, &platform, "other", 422).await).contains(&sum));
    assert!(refused(put(client, &format!("{OWN}_linux_arm64.zip"), zip.clone(), 422).await).contains("SHA256SUMS"));
    assert!(refused(put(client, &format!("{OWN}.zip"), zip.clone(), 422).await).contains("_OS_ARCH.zip"));
    assert!(refused(put(client, &platform, vec![0; 9 * 1024 * 1024], 422).await).contains("8 MiB"));
    let stored = put(client, &platform, zip.clone(), 201).await;
    assert_eq!(stored["shasum"], sum);
    assert!(stored["hashes"][1].as_str().unwrap().starts_with("h1:"));
    put(client, &platform, zip.clone(), 201).await;
    assert_eq!(files(&house.app).await, (1, 1), "the same archive is stored once");
    // It is offered once it is signed.
    let listed = client.get("/v1/providers/acme/internal/versions").await.expect(200);
    assert_eq!(listed["versions"], json!([]));
    put(client, &format!("{sums}.sig"), vec![0x89, 1], 201).await;
    let listed = client.get("/v1/providers/acme/internal/versions").await.expect(200);
    let expected = json!([{"version": "1.0.0", "protocols": ["6.0"], "platforms": [{"os": "linux", "arch": "amd64"}]}]);
    assert_eq!(listed["versions"], expected);
    let found = client.get("/v1/providers/acme/internal/1.0.0/download/linux/amd64").await.expect(200);
    let path =
        |name: &str| found[name].as_str().unwrap().split_once("/api").map(|(_, path)| format!("/api{path}")).unwrap();
    assert_eq!(client.bytes(&path("download_url")).await, zip);
    assert_eq!(client.bytes(&path("shasums_url")).await, list.as_bytes());
    assert_eq!(client.bytes(&path("shasums_signature_url")).await, [0x89, 1]);
    house.app.clock.forward(16 * 60);
    client.get(&path("download_url")).await.expect(404);
    assert_eq!(client.get("/v1/providers/acme/internal/1.0.0/download/linux/arm64").await.status, 404);
    // Files of a version never change.
    let (other, _) = archive("terraform-provider-internal_v1.0.0", b"other");
    let other_sum: String = Sha256::digest(&other).iter().map(|byte| format!("{byte:02x}")).collect();
    let other_list = list.replace(&sum, &other_sum);
    assert!(refused(put(client, &sums, other_list, 409).await).contains("another checksum"));
    // Who may see and do this.
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    put(&viewer, &platform, zip.clone(), 403).await;
    let stranger = house.app.token(house.app.organization("other").await, Role::Admin).await;
    put(&stranger, &platform, zip.clone(), 404).await;
    assert_eq!(stranger.get("/v1/providers/acme/internal/versions").await.status, 404);
    // Deleted by the other API, with its files.
    let providers = house.get("provider?include=version,version.implementation").await;
    let kinds: Vec<&str> =
        providers["included"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"version") && kinds.contains(&"implementation"), "{providers}");
    let id = providers["data"][0]["id"].as_str().unwrap();
    client.delete(&house.path(&format!("provider/{id}"))).await.expect(204);
    prune(&house.app).await;
    assert_eq!(files(&house.app).await, (0, 0));
}

#[tokio::test]
async fn the_files_of_an_organization_are_bounded() {
    let house = House::new().await;
    let path = |version: u32| {
        format!(
            "/v1/mirror/acme/registry.example.com/corp/big/{version}.0.0/files/terraform-provider-big_{version}.0.0_linux_amd64.zip"
        )
    };
    for version in 1..=2 {
        let (zip, _) = archive("big", &vec![u8::try_from(version).unwrap(); 7 * 1024 * 1024]);
        put(&house.client, &path(version), zip, 201).await;
    }
    let (zip, _) = archive("big", &vec![3; 7 * 1024 * 1024]);
    let refused = put(&house.client, &path(3), zip, 409).await;
    assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("16 MiB"), "{refused}");
    // What was received in vain is deleted after a day.
    assert_eq!(files(&house.app).await, (3, 24));
    house.app.clock.forward(25 * 3600);
    prune(&house.app).await;
    assert_eq!(files(&house.app).await, (2, 16));
    let index = house.client.get("/v1/mirror/acme/registry.example.com/corp/big/index.json").await.expect(200);
    assert_eq!(index, json!({"versions": {"1.0.0": {}, "2.0.0": {}}}));
    let version = house.client.get("/v1/mirror/acme/registry.example.com/corp/big/1.0.0.json").await.expect(200);
    assert_eq!(version["archives"]["linux_amd64"]["hashes"].as_array().unwrap().len(), 2);
    assert_eq!(house.client.get("/v1/mirror/acme/registry.example.com/corp/big/9.0.0.json").await.status, 404);
    assert_eq!(house.client.get("/v1/mirror/acme/registry.example.com/corp/none/index.json").await.status, 404);
    for wrong in ["UPPER.example.com/corp/big", "registry.example.com/co rp/big", "registry.example.com/corp/BIG"] {
        let (zip, _) = archive("x", b"x");
        let name = wrong.rsplit('/').next().unwrap();
        let path = format!("/v1/mirror/acme/{wrong}/1.0.0/files/terraform-provider-{name}_1.0.0_linux_amd64.zip")
            .replace(' ', "%20");
        put(&house.client, &path, zip, 422).await;
    }
    let listed = house.client.get("/v1/mirror/acme").await.expect(200);
    assert_eq!(listed["providers"][0]["versions"][0]["version"], "2.0.0");
}

/// A public key in the form in which it is added.
pub(crate) fn public_key() -> String {
    let packet: Vec<u8> = [0x98, 20, 4].into_iter().chain(0..19).collect();
    format!(
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n",
        STANDARD.encode(packet)
    )
}

#[tokio::test]
async fn signing_keys_are_public_keys() {
    let house = House::new().await;
    let path = "/api/registry/private/v2/gpg-keys";
    let armor = public_key();
    let wanted = |armor: &str| super::document("gpg-keys", json!({"namespace": "acme", "ascii-armor": armor}));
    let refused = detail(house.client.post(path, wanted("no key")).await, 422);
    assert!(refused.contains("ascii-armor") && refused.contains("gpg --armor"), "{refused}");
    let made = house.client.post(path, wanted(&armor)).await.expect(201);
    house.client.post(path, wanted(&armor)).await.expect(201);
    let listed = house.client.get(&format!("{path}?filter[namespace]=acme")).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert!(detail(house.client.get(path).await, 400).contains("filter[namespace]"));
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    viewer.get(&format!("{path}?filter[namespace]=acme")).await.expect(200);
    assert_eq!(viewer.post(path, wanted(&armor)).await.status, 403);
    let id = made["data"]["attributes"]["key-id"].as_str().unwrap();
    assert_eq!(viewer.delete(&format!("{path}/acme/{id}")).await.status, 403);
    house.client.delete(&format!("{path}/acme/{id}")).await.expect(204);
    assert_eq!(house.client.delete(&format!("{path}/acme/{id}")).await.status, 404);
}

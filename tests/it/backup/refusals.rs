//! What cannot be restored is refused, with the remedy, and leaves the database as it was.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sea_orm::{ConnectionTrait as _, DbBackend};
use serde_json::{Value, json};
use tempfile::TempDir;
use windlass::store;
use windlass::store::whole;

use super::{sqlite_in, windlass, windlass_with};
use crate::harness::TestApp;

/// An installation with something sealed, and a backup of it without its keys.
struct Scene {
    app: TestApp,
    folder: TempDir,
    file: String,
}

impl Scene {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let it = app.furnished().await;
        it.client
            .post(&format!("/organization/{}/webhook", it.organization), crate::world::webhook())
            .await
            .expect(201);
        // A server would have recorded its key.
        let keys = app.app.keys.fingerprints();
        store::seal_key::record(&app.app.db, keys[0].clone(), app.clock.now()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup").display().to_string();
        windlass(&app.app.config.data_dir, &app.url, &["backup", &file]).well();
        Self { app, folder, file }
    }

    fn own_key(&self) -> PathBuf {
        self.app.app.config.data_dir.join("secret.key")
    }

    /// A new place with the right key.
    fn place(&self, name: &str) -> (PathBuf, String) {
        let data = self.folder.path().join(name);
        std::fs::create_dir(&data).unwrap();
        std::fs::copy(self.own_key(), data.join("secret.key")).unwrap();
        let url = sqlite_in(&data);
        (data, url)
    }

    /// The backup with another text, well packed.
    fn changed(&self, change: impl FnOnce(String) -> String) -> String {
        let mut text = String::new();
        GzDecoder::new(std::fs::File::open(&self.file).unwrap()).read_to_string(&mut text).unwrap();
        let path = self.folder.path().join(uuid::Uuid::now_v7().to_string());
        let mut output = GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
        output.write_all(change(text).as_bytes()).unwrap();
        output.finish().unwrap();
        path.display().to_string()
    }
}

/// No table has a row.
async fn is_empty(url: &str) -> bool {
    let db = store::connect(url, 1).await.unwrap();
    let tables = whole::tables(&db).await.unwrap();
    let mut used = whole::tables_with_rows(&db, &tables).await.unwrap();
    used.retain(|table| table != "counter");
    used.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_in_use_is_left_alone() {
    let scene = Scene::new().await;
    let data = &scene.app.app.config.data_dir;
    windlass(data, &scene.app.url, &["restore", &scene.file]).refused("the database is not empty (there are rows in ");
    let organizations = scene.app.app.db.query_all_raw(sea_orm::Statement::from_string(
        scene.app.app.db.get_database_backend(),
        "SELECT id FROM organization",
    ));
    assert_eq!(organizations.await.unwrap().len(), 1);
    // A file that is there is not overwritten either.
    windlass(data, &scene.app.url, &["backup", &scene.file]).refused("is there already; choose another name");
    windlass(data, &scene.app.url, &["backup", "--verify", &scene.file]).well();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_changes_nothing() {
    let scene = Scene::new().await;
    let (data, url) = scene.place("target");
    let bytes = std::fs::read(&scene.file).unwrap();
    let part = scene.folder.path().join("part").display().to_string();
    std::fs::write(&part, &bytes[..bytes.len() - 9]).unwrap();
    let newer = |text: String| text.replacen("m0001_initial", "m9999_later", 1);
    let renamed = |text: String| text.replace("\"acme\"", "\"evil\"");
    for (file, why) in [
        (part.clone(), "the backup is incomplete; its end is missing"),
        (scene.changed(renamed), "the rows of the table organization in the backup are not those that were written"),
        (scene.changed(newer), "its schema is newer than this program"),
        (scene.changed(|text| text.replacen(":1,", ":7,", 1)), "the backup has the format 7, and this program reads 1"),
        (scene.own_key().display().to_string(), "this is not a backup of Windlass"),
        ("/no/such/file".to_owned(), "/no/such/file: No such file"),
    ] {
        windlass(&data, &url, &["restore", &file]).refused(why);
        assert!(!data.join("windlass.db").exists(), "{why}: the database was touched");
    }
    windlass(&data, &url, &["backup", "--verify", &part]).refused("the backup is incomplete");
    windlass(&data, &url, &["restore", &scene.file]).well();
}

/// A row that refers to one that is missing: the sums are right, and only the database can notice it.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_do_not_fit_each_other_are_not_restored() {
    let scene = Scene::new().await;
    let (data, url) = scene.place("source");
    windlass(&data, &url, &["restore", &scene.file]).well();
    let db = store::connect(&url, 1).await.unwrap();
    db.execute_unprepared("PRAGMA foreign_keys = OFF").await.unwrap();
    db.execute_unprepared("DELETE FROM organization").await.unwrap();
    db.close().await.unwrap();
    let file = scene.folder.path().join("orphans").display().to_string();
    windlass(&data, &url, &["backup", &file]).well();
    let (data, sqlite) = scene.place("target");
    let spare = tempfile::tempdir().unwrap();
    let other = crate::harness::database(&spare).await;
    for url in [sqlite, other] {
        let said = windlass(&data, &url, &["restore", &file]);
        assert!(!said.is_well, "{}", said.text);
        assert!(is_empty(&url).await, "half restored");
        // And the database can still be used.
        windlass(&data, &url, &["restore", &scene.file]).well();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_do_not_fit_are_noticed() {
    const PASSPHRASE: &str = "three words of a passphrase";
    let scene = Scene::new().await;
    let needed = scene.app.app.keys.fingerprints()[0].clone();
    let empty = scene.folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let url = sqlite_in(&empty);
    let missing = format!("the backup needs the key with the fingerprint {needed}");
    windlass(&empty, &url, &["restore", &scene.file]).refused(&missing);
    assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0, "neither a key nor a database was created");
    let other = "7".repeat(64);
    std::fs::write(empty.join("secret.key"), &other).unwrap();
    windlass(&empty, &url, &["restore", &scene.file]).refused(&missing);

    // The key is there by its fingerprint, and what is sealed is not what it was.
    let data = &scene.app.app.config.data_dir;
    let db = &scene.app.app.db;
    let zero = if db.get_database_backend() == DbBackend::Postgres { "'\\x00'::bytea" } else { "x'00'" };
    db.execute_unprepared(&format!("UPDATE webhook SET secret = {zero}")).await.unwrap();
    db.execute_unprepared("UPDATE registry SET credentials = NULL").await.unwrap();
    let spoiled = scene.folder.path().join("spoiled").display().to_string();
    windlass(data, &scene.app.url, &["backup", &spoiled]).well();
    let (target, target_url) = scene.place("target");
    windlass(&target, &target_url, &["restore", &spoiled]).refused("open none of the sealed values");
    assert!(is_empty(&target_url).await);

    // The keys in a backup.
    let keyed = scene.folder.path().join("keyed").display().to_string();
    let words = ["backup", "--with-key", &keyed];
    windlass(data, &scene.app.url, &words).refused("--with-key: needs a passphrase");
    windlass_with(data, &scene.app.url, &words, Some("short")).refused("must have at least 12 characters");
    windlass_with(&empty, &scene.app.url, &words, Some(PASSPHRASE)).refused("which the key file");
    assert!(!Path::new(&keyed).exists() && !Path::new(&format!("{keyed}.part")).exists());
    windlass_with(data, &scene.app.url, &words, Some(PASSPHRASE)).well();
    let text = std::fs::read(&keyed).unwrap();
    let mut plain = String::new();
    GzDecoder::new(text.as_slice()).read_to_string(&mut plain).unwrap();
    let key = std::fs::read_to_string(scene.own_key()).unwrap();
    assert!(!plain.contains(key.trim()) && !plain.contains(PASSPHRASE));
    let header: Value = serde_json::from_str(plain.lines().next().unwrap()).unwrap();
    assert_eq!((&header["keys"]["derivation"], &header["needed_keys"]), (&json!("argon2id"), &json!([needed])));
    // The passphrase may come from a file as well.
    let file = scene.folder.path().join("passphrase");
    std::fs::write(&file, format!("{PASSPHRASE}\n")).unwrap();
    let file = file.display().to_string();
    let said = windlass(data, &scene.app.url, &["backup", "--verify", &keyed, "--passphrase-file", &file]).well();
    assert!(said.contains("the keys in it open with the passphrase"), "{said}");
    // Another key file is not replaced.
    windlass_with(&empty, &url, &["restore", &keyed], Some(PASSPHRASE)).refused("that is not there yet");
    assert_eq!(std::fs::read_to_string(empty.join("secret.key")).unwrap(), other);
    // Without any key, if it is wanted.
    windlass(&empty, &url, &["restore", "--without-key", &scene.file]).well();
}

//! The programs themselves with the private registry, over the TLS of the server: modules, providers, and the mirror.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::registry::{archive, modules};
use super::terraform::{Desk, programs};
use crate::git_server::git;
use crate::runner::needed;
use crate::terrakube::new;

impl Desk {
    /// The name of the server in addresses of modules, which need a dot.
    fn dotted(&self) -> String {
        self.host.replace("localhost", "127.0.0.1")
    }

    /// Writes a configuration of the program with a token for the server, and calls the program with it.
    fn configured(&self, token: &str, more: &str, folder: &Path, words: &[&str]) -> (bool, String) {
        let path = self.folder.path().join("registry.tfrc");
        let hosts =
            [&self.host, &self.dotted()].map(|host| format!("credentials \"{host}\" {{ token = \"{token}\" }}\n"));
        std::fs::write(&path, format!("disable_checkpoint = true\n{}{more}", hosts.concat())).unwrap();
        let output = self.command(folder, words).env("TF_CLI_CONFIG_FILE", path).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), text)
    }

    fn root(&self, name: &str, text: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("main.tf"), text).unwrap();
        folder
    }

    /// The client of the server's own program.
    #[track_caller]
    fn client(&self, words: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.args(words).env("WINDLASS_URL", format!("https://{}", self.host));
        command
            .env("WINDLASS_TOKEN", &self.server.token)
            .env("WINDLASS_CONFIG_FOLDER", self.folder.path().join("client"));
        command.env("SSL_CERT_FILE", self.folder.path().join("cert.pem"));
        let done = command.output().unwrap();
        let text = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        assert!(done.status.success(), "{words:?}: {text}");
        text
    }

    /// A module of the repository of these tests.
    async fn publish(&self) {
        let repositories = self.folder.path().join("repositories");
        std::fs::create_dir(&repositories).unwrap();
        modules(&repositories);
        let (_, organizations) = self.api("GET", "/api/v1/organization", None).await;
        let id = organizations["data"][0]["id"].as_str().unwrap();
        let source = format!("file://{}", repositories.join("modules.git").display());
        let attributes = json!({"name": "network", "provider": "test", "source": source, "folder": "modules/network", "tagPrefix": "network/"});
        let path = format!("/api/v1/organization/{id}/module");
        assert_eq!(self.api("POST", &path, Some(new("module", attributes))).await.0, 201);
        let listed = self.client(&["registry", "module", "refresh", "network/test"]);
        assert!(listed.contains("1.3.1") && listed.contains("2.0.0") && !listed.contains("9.0.0"), "{listed}");
    }

    fn module_block(&self) -> String {
        let source = format!("{}/windlass/network/test", self.dotted());
        format!(
            "module \"network\" {{\n  source  = \"{source}\"\n  version = \"~> 1.2\"\n}}\n\
             output \"version\" {{ value = module.network.version }}\n"
        )
    }
}

const INIT: [&str; 3] = ["init", "-input=false", "-no-color"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_module_by_its_constraint() {
    for program in programs() {
        let desk = Desk::with(program, &["--local-repositories".to_owned()]);
        desk.publish().await;
        let folder = desk.root("modules", &desk.module_block());
        let (succeeded, text) = desk.configured("windlass_wrong", "", &folder, &INIT);
        assert!(!succeeded && text.to_lowercase().contains("unauthorized"), "{text}");
        let (succeeded, text) = desk.configured(&desk.server.token, "", &folder, &INIT);
        assert!(succeeded, "{text}");
        desk.run(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
        assert_eq!(desk.run(&folder, &["output", "-raw", "version"]), "1.3.1 shared");
        let unknown = desk.module_block().replace("network/test", "none/test");
        let folder = desk.root("unknown", &unknown);
        let (succeeded, text) = desk.configured(&desk.server.token, "", &folder, &INIT);
        assert!(!succeeded && text.contains("not found"), "{text}");
    }
}

/// A run of a workspace reads the modules of its organization by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_has_a_credential_of_its_own() {
    for program in programs() {
        let desk = Desk::with_runs_at(program, "127.0.0.1");
        desk.publish().await;
        let settings = desk.cloud("name = \"network\"").replace("localhost", "127.0.0.1");
        let folder = desk.root("run", &format!("terraform {{\n{settings}\n}}\n{}", desk.module_block()));
        let token = desk.server.token.clone();
        let (succeeded, text) = desk.configured(&token, "", &folder, &INIT);
        assert!(succeeded, "{text}");
        let (succeeded, text) = desk.configured(&token, "", &folder, &["plan", "-input=false", "-no-color"]);
        assert!(succeeded && text.contains("1.3.1 shared"), "{text}");
    }
}

/// A signing key in a folder of its own.
struct Signer {
    gpg: String,
    home: PathBuf,
}

impl Signer {
    fn new(gpg: &str, folder: &Path) -> Self {
        let home = folder.join("gnupg");
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let signer = Self { gpg: gpg.to_owned(), home };
        signer.gpg(&["--passphrase", "", "--quick-gen-key", "tests@example.com", "rsa2048", "sign", "never"]);
        signer
    }

    fn gpg(&self, words: &[&str]) -> Vec<u8> {
        let mut command = Command::new(&self.gpg);
        let done = command.arg("--homedir").arg(&self.home).args(["--batch", "--yes"]).args(words).output().unwrap();
        assert!(done.status.success(), "gpg {words:?}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    /// Gives the key to the registry.
    fn add_key(&self, desk: &Desk) -> String {
        let key = desk.folder.path().join("key.asc");
        std::fs::write(&key, self.gpg(&["--armor", "--export"])).unwrap();
        desk.client(&["registry", "key", "add", key.to_str().unwrap()])
    }

    /// Uploads a version of the provider. Returns its archive and the checksum of that.
    fn release(&self, desk: &Desk, version: &str, provider: &[u8]) -> (Vec<u8>, String) {
        let (zip, sum) = archive(&format!("terraform-provider-internal_v{version}"), provider);
        let release = desk.folder.path().join(format!("release-{version}"));
        std::fs::create_dir(&release).unwrap();
        let stem = format!("terraform-provider-internal_{version}");
        let name = format!("{stem}_{}.zip", platform());
        std::fs::write(release.join(&name), &zip).unwrap();
        let sums = release.join(format!("{stem}_SHA256SUMS"));
        std::fs::write(&sums, format!("{sum}  {name}\n")).unwrap();
        self.gpg(&["--detach-sign", sums.to_str().unwrap()]);
        let words = ["registry", "provider", "upload", release.to_str().unwrap(), "--protocols", "5.0,6.0"];
        assert_eq!(desk.client(&words).lines().count(), 3);
        (zip, sum)
    }
}

/// A module that reads the greeting of a provider.
fn greeting(source: &str) -> String {
    format!(
        "terraform {{\n  required_providers {{\n    internal = {{\n      source  = \"{source}\"\n      version = \"~> 1.2\"\n    }}\n  }}\n}}\n\
         data \"internal_greeting\" \"all\" {{ name = \"registry\" }}\n\
         output \"text\" {{ value = data.internal_greeting.all.text }}\n"
    )
}

/// The platform of this machine.
fn platform() -> String {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    format!("linux_{arch}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_of_the_registry_and_of_the_mirror() {
    let (Some(gpg), Some(provider)) = (needed("WINDLASS_TEST_GPG"), needed("WINDLASS_TEST_PROVIDER")) else { return };
    let provider = std::fs::read(provider).unwrap();
    for program in programs() {
        let desk = Desk::new(program);
        let signer = Signer::new(&gpg, desk.folder.path());
        let added = signer.add_key(&desk);
        let known = String::from_utf8(signer.gpg(&["--list-keys", "--with-colons"])).unwrap();
        let id = known.lines().find(|line| line.starts_with("pub:")).unwrap().split(':').nth(4).unwrap();
        assert!(added.contains(id), "{added}: {id}");
        let (zip, sum) = signer.release(&desk, "1.4.0", &provider);
        assert!(desk.client(&["registry", "provider", "list"]).contains("internal\t1.4.0\t"));

        let source = format!("{}/windlass/internal", desk.host);
        let folder = desk.root("own", &greeting(&source));
        let (succeeded, text) = desk.configured("windlass_wrong", "", &folder, &INIT);
        assert!(!succeeded, "{text}");
        let (succeeded, text) = desk.configured(&desk.server.token, "", &folder, &INIT);
        assert!(succeeded && text.contains("v1.4.0") && text.contains(id), "{text}");
        desk.run(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
        assert_eq!(desk.run(&folder, &["output", "-raw", "text"]), "hello registry");
        let lock = std::fs::read_to_string(folder.join(".terraform.lock.hcl")).unwrap();
        assert!(lock.contains(&format!("zh:{sum}")), "{lock}");
        mirrored(&desk, &zip, &greeting("registry.example.com/corp/internal"), &lock).await;
        // A signature by another key is refused.
        desk.client(&["registry", "key", "delete", id, "--yes"]);
        let other = desk.folder.path().join("other");
        std::fs::create_dir(&other).unwrap();
        let other = Signer::new(&gpg, &other);
        other.add_key(&desk);
        let folder = desk.root("forged", &greeting(&source));
        let (succeeded, text) = desk.configured(&desk.server.token, "", &folder, &INIT);
        assert!(!succeeded && text.contains("sign"), "{text}");
    }
}

/// A plan waits for its approval while a newer version of its provider is published. The repository has no lock file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_applied_with_the_providers_that_made_it() {
    let (Some(gpg), Some(provider)) = (needed("WINDLASS_TEST_GPG"), needed("WINDLASS_TEST_PROVIDER")) else { return };
    let provider = std::fs::read(provider).unwrap();
    for program in programs() {
        let tool = program.file_name().unwrap().to_str().unwrap().to_owned();
        let desk = Desk::with_runs(program);
        let signer = Signer::new(&gpg, desk.folder.path());
        signer.add_key(&desk);
        signer.release(&desk, "1.4.0", &provider);
        let folder = desk.root("repository", &greeting(&format!("{}/windlass/internal", desk.host)));
        for words in [&["init", "-q"][..], &["add", "."], &["commit", "-q", "-m", "first"]] {
            git(&folder, words);
        }
        let (_, organizations) = desk.api("GET", "/api/v1/organization", None).await;
        let base = format!("/api/v1/organization/{}", organizations["data"][0]["id"].as_str().unwrap());
        let create = async |kind: &str, attributes: Value, related: Value| {
            let mut body = new(kind, attributes);
            body["data"]["relationships"] = related;
            let (status, made) = desk.api("POST", &format!("{base}/{kind}"), Some(body)).await;
            assert_eq!(status, 201, "{made}");
            made["data"]["id"].as_str().unwrap().to_owned()
        };
        let flow = "flow:\n- {type: terraformPlan, step: 100}\n- {type: approval, step: 150}\n- {type: terraformApply, step: 200}\n";
        let source = format!("file://{}", folder.display());
        let workspace = json!({"name": "greeting", "source": source, "branch": "main", "folder": "/", "iacType": tool});
        let workspace = create("workspace", workspace, json!({})).await;
        let related = json!({"workspace": {"data": {"type": "workspace", "id": workspace}}});
        let job = create("job", json!({"tcl": STANDARD.encode(flow)}), related).await;
        let path = format!("{base}/job/{job}");
        waits(&desk, &path, "waitingApproval").await;
        signer.release(&desk, "1.5.0", &provider);
        // As if it had waited for longer than what it has fetched is kept.
        std::fs::remove_dir_all(desk.folder.path().join("windlass-data/processes/.kept")).unwrap();
        let approved = crate::terrakube::change("job", &job, json!({"status": "approved"}));
        assert_eq!(desk.api("PATCH", &path, Some(approved)).await.0, 204);
        waits(&desk, &path, "completed").await;
    }
}

/// Waits until a job has this status.
async fn waits(desk: &Desk, path: &str, status: &str) {
    for _ in 0..600 {
        let (_, job) = desk.api("GET", path, None).await;
        let found = job["data"]["attributes"]["status"].as_str().unwrap().to_owned();
        if found == status {
            return;
        }
        assert!(!["failed", "completed", "rejected"].contains(&found.as_str()), "{job}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the job is not {status}");
}

/// The same archive as a copy of a provider of a registry that cannot be reached.
async fn mirrored(desk: &Desk, zip: &[u8], root: &str, lock: &str) {
    let copies = desk.folder.path().join("copies");
    let below = copies.join("registry.example.com/corp/internal");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::write(below.join(format!("terraform-provider-internal_1.4.0_{}.zip", platform())), zip).unwrap();
    std::fs::write(below.join("index.json"), "{}").unwrap();
    desk.client(&["registry", "provider", "upload", "--mirror", copies.to_str().unwrap()]);
    let folder = desk.root("copied", root);
    let url = format!("https://{}/v1/mirror/windlass/", desk.host);
    let mirror = format!("provider_installation {{\n  network_mirror {{ url = \"{url}\" }}\n}}\n");
    let (succeeded, text) = desk.configured(&desk.server.token, &mirror, &folder, &INIT);
    assert!(succeeded && text.contains("v1.4.0"), "{text}");
    desk.run(&folder, &["plan", "-input=false", "-no-color"]);
    // The checksum of the contents is the one that the program itself finds.
    let hash = |text: &str| text.split('"').find(|word| word.starts_with("h1:")).unwrap().to_owned();
    let written = std::fs::read_to_string(folder.join(".terraform.lock.hcl")).unwrap();
    assert_eq!(hash(&written), hash(lock));
    let (_, version) = desk.api("GET", "/v1/mirror/windlass/registry.example.com/corp/internal/1.4.0.json", None).await;
    let hashes: &Value = &version["archives"][platform()]["hashes"];
    assert_eq!(hashes[1], hash(lock), "{version}");
    let (succeeded, text) = desk.configured("windlass_wrong", &mirror, &desk.root("refused", root), &INIT);
    assert!(!succeeded, "{text}");
}

//! Containers that steps run in, and repositories with logins and keys.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::terraform::{APPLY, Site, whole_life};
use super::{change, new, tcl};
use crate::container_address::container_listener;
use crate::git_server::{git, repository};
use crate::runner::{docker_image, needed};

/// The life of a workspace in containers with OpenTofu.
#[tokio::test]
async fn in_containers() {
    let (Some(busybox), Some(tools)) = (docker_image(), needed("WINDLASS_TEST_TOOLS")) else { return };
    let Some(listener) = container_listener(&busybox) else { return };
    let listen = listener.local_addr().unwrap().to_string();
    drop(listener);
    let name = format!("windlass-test/tofu-{}", uuid::Uuid::now_v7().simple());
    let context = tempfile::tempdir().unwrap();
    std::fs::copy(Path::new(&tools).join("tofu"), context.path().join("tofu")).unwrap();
    std::fs::write(context.path().join("Dockerfile"), format!("FROM {busybox}\nCOPY tofu /bin/tofu\n")).unwrap();
    let docker = |words: &[&str]| {
        let done = Command::new("docker").env("DOCKER_BUILDKIT", "0").args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let image = format!("{name}:latest");
    docker(&["build", "-q", "-t", &image, &context.path().display().to_string()]);
    let words = ["--runner", "docker", "--listen", &listen, "--opentofu-image", &name];
    let mut site = Site::with(None, "tofu", &words).await;
    whole_life(&site).await;
    // A server that was killed while a container applied finds the container and its result.
    let workspace = site.workspace(&[("who", "someone", false), ("seconds", "6", true)]).await;
    let job = site.job(&workspace, APPLY).await;
    site.until_said(&job, "terraform_data.slow[0]: Provisioning").await;
    site.restart();
    let done = site.until(&job, &["completed"]).await;
    assert!(site.logs(&done).await.contains("Apply complete! Resources: 2 added"));
    assert!(site.is_free(&workspace).await);
    assert!(site.state(&workspace).await.unwrap().to_string().contains("slow"));
    drop(site);
    docker(&["rmi", "-f", &image]);
}

const LOOK: &str = "flow:\n- {type: customScripts, step: 1, commands: [{runtime: BASH, script: 'ls; cat notes'}]}\n";

#[tokio::test]
async fn a_repository_behind_a_token() {
    let Some(site) = Site::new().await else { return };
    let (_folder, url) = repository().await;
    let workspace = site.workspace(&[]).await;
    let path = format!("/api/v1/workspace/{workspace}");
    let source = change("workspace", &workspace, json!({"source": url, "branch": "main", "folder": ""}));
    assert_eq!(site.send("PATCH", &path, Some(source)).await.0, 204);
    let job = site.job(&workspace, LOOK).await;
    let failed = site.until(&job, &["failed"]).await;
    assert!(site.logs(&failed).await.contains("the repository"), "{failed}");
    let vcs = json!({"name": "hub", "vcsType": "GITHUB", "accessToken": "pass", "endpoint": url});
    let vcs = site.post("vcs", new("vcs", vcs)).await;
    let link = json!({"data": {"type": "vcs", "id": vcs}});
    assert_eq!(site.send("PATCH", &format!("{path}/relationships/vcs"), Some(link)).await.0, 204);
    let job = site.job(&workspace, LOOK).await;
    let done = site.until(&job, &["completed"]).await;
    assert!(site.logs(&done).await.contains("none\n"));
    let commit = |job: &serde_json::Value| job["data"]["attributes"]["commitId"].as_str().unwrap().to_owned();
    // Another branch than the one of the workspace.
    let job = site.job_with(&workspace, json!({"tcl": tcl(LOOK), "overrideBranch": "other"})).await;
    let elsewhere = site.until(&job, &["completed"]).await;
    assert_ne!(commit(&elsewhere), commit(&done));
    // A commit of the branch.
    let job = site.job_with(&workspace, json!({"tcl": tcl(LOOK), "commitId": commit(&done)})).await;
    assert_eq!(commit(&site.until(&job, &["completed"]).await), commit(&done));
    // The same one by a part of its hash, from a branch that has gone on.
    let short = &commit(&done)[..12];
    let job = site.job_with(&workspace, json!({"tcl": tcl(LOOK), "commitId": short})).await;
    assert_eq!(commit(&site.until(&job, &["completed"]).await), commit(&done));
    // Commands from another repository replace those of the template.
    let import = |folder: &str| {
        format!(
            "flow:\n- {{type: customScripts, step: 1, importCommands: {{repository: '{url}', folder: {folder}, branch: main, vcsId: {vcs}}}}}\n"
        )
    };
    let job = site.job(&workspace, &import("tools")).await;
    let done = site.until(&job, &["completed"]).await;
    assert!(site.logs(&done).await.contains("imported first\nimported second\n"));
    let job = site.job(&workspace, &import("nothing")).await;
    let failed = site.until(&job, &["failed"]).await;
    assert!(site.logs(&failed).await.contains("nothing/commands.yaml"), "{failed}");
}

/// An SSH server that accepts one key; stopped when dropped.
struct Sshd(Child);

impl Drop for Sshd {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

fn keygen(path: &Path) {
    let done = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status().unwrap();
    assert!(done.success());
}

fn sshd(folder: &Path) -> (Sshd, u16) {
    for name in ["host", "user"] {
        keygen(&folder.join(name));
    }
    std::fs::copy(folder.join("user.pub"), folder.join("authorized")).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile {}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n",
        place("host"),
        place("authorized"),
        place("pid")
    );
    std::fs::write(folder.join("config"), text).unwrap();
    let _made = std::fs::create_dir_all("/run/sshd");
    let child = Command::new(std::env::var("WINDLASS_TEST_SSHD").unwrap())
        .arg("-D")
        .arg("-f")
        .arg(folder.join("config"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(std::time::Instant::now() < deadline, "sshd does not listen");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    (Sshd(child), port)
}

#[tokio::test]
async fn a_repository_behind_a_key() {
    let Some(site) = Site::new().await else { return };
    // Strict tests need sshd.
    if needed("WINDLASS_TEST_SSHD").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (_sshd, port) = sshd(folder.path());
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    std::fs::write(work.join("notes"), "by key\n").unwrap();
    git(&work, &["init", "-q"]);
    git(&work, &["add", "."]);
    git(&work, &["commit", "-q", "-m", "first"]);
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let url = format!("ssh://{}@127.0.0.1:{port}{}", user.trim(), work.display());
    let workspace = site.workspace(&[]).await;
    let path = format!("/api/v1/workspace/{workspace}");
    let source = change("workspace", &workspace, json!({"source": url, "branch": "main", "folder": "/"}));
    assert_eq!(site.send("PATCH", &path, Some(source)).await.0, 204);
    let link = async |name: &str, key: &str, hosts: Option<String>| {
        let text = std::fs::read_to_string(folder.path().join(key)).unwrap();
        let key = json!({"name": name, "sshType": "ed25519", "privateKey": text, "knownHosts": hosts});
        let ssh = site.post("ssh", new("ssh", key)).await;
        let link = json!({"data": {"type": "ssh", "id": ssh}});
        assert_eq!(site.send("PATCH", &format!("{path}/relationships/ssh"), Some(link)).await.0, 204);
    };
    keygen(&folder.path().join("other"));
    link("other", "other", None).await;
    let job = site.job(&workspace, LOOK).await;
    let failed = site.until(&job, &["failed"]).await;
    assert!(site.logs(&failed).await.contains("the repository rejected the SSH key"), "{failed}");
    let known = |key: &str| {
        let text = std::fs::read_to_string(folder.path().join(key)).unwrap();
        Some(format!("[127.0.0.1]:{port} {text}"))
    };
    link("another host", "user", known("other.pub")).await;
    let job = site.job(&workspace, LOOK).await;
    let failed = site.until(&job, &["failed"]).await;
    assert!(site.logs(&failed).await.contains("could not be verified"), "{failed}");
    for (name, hosts) in [("any host", None), ("known host", known("host.pub"))] {
        link(name, "user", hosts).await;
        let job = site.job(&workspace, LOOK).await;
        let done = site.until(&job, &["completed"]).await;
        assert!(site.logs(&done).await.contains("by key"), "{name}");
    }
}

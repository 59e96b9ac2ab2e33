//! A server from the image, without any other file of a system: it resolves names, speaks TLS, keeps its data and runs a container.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::content::{CERTIFICATES, FOLDER, NAME};
use crate::command::{Result, read, root};
use crate::docker;
use crate::process::wait_for;

const SOCKET: &str = "/var/run/docker.sock";
/// What the server and its clients are confined to.
const CONFINED: [&str; 5] = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
/// The name and the address by which other containers find the server.
const SERVER: &str = "server.windlass.test";
const URL: &str = "https://server.windlass.test:8443";
/// Where the certificate of the server is mounted.
const TLS: &str = "/tls";

/// The registry that the image of the job is said to come from; the engine has the image.
const REGISTRY: &str = r#"{"name": "hub", "kind": "DOCKER_HUB", "url": "https://docker.io", "config": {}}"#;

/// A job that runs in a container of its own.
const JOB: &str = "\
project: image
environment: tour
jobs:
  hello:
    schedule: 0 3 * * *
    timezone: Europe/Lisbon
    image: library/busybox:1.36.1
    registry: hub
    command: echo from a container
";

/// Runs the image, unless there is no engine.
pub(super) fn run(archive: &Path) -> Result<()> {
    let services = root().join("target/services");
    fs::create_dir_all(&services).map_err(|e| e.to_string())?;
    // Kept until the end.
    let _engine = match docker::start(&services) {
        Ok(engine) => engine,
        Err(reason) => {
            eprintln!("== SKIPPED: the image was made, and is not run: {reason}");
            return Ok(());
        }
    };
    docker(&["load", "--input", &archive.display().to_string()])?;
    let site = Site::new()?;
    site.serves()?;
    let token = site.token()?;
    site.has_a_registry(&token)?;
    site.is_used(&token)?;
    site.keeps_its_data(&token)?;
    eprintln!("== a server from the image has run a job");
    Ok(())
}

fn docker(words: &[&str]) -> Result<String> {
    read(Command::new("docker").args(words))
}

/// A network with a server; both are removed when dropped.
struct Site {
    name: String,
    /// The certificate of the server, and the authority that has issued it.
    tls: PathBuf,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _removed = docker(&["rm", "--force", "--volumes", &self.name]);
        let _removed = docker(&["network", "rm", &self.name]);
    }
}

impl Site {
    fn new() -> Result<Self> {
        let site =
            Self { name: format!("windlass-image-{}", std::process::id()), tls: root().join(FOLDER).join("tls") };
        certificate(&site.tls)?;
        docker(&["network", "create", &site.name])?;
        Ok(site)
    }

    /// Starts the server, and waits until its own health check succeeds.
    fn serves(&self) -> Result<()> {
        let group = fs::metadata(SOCKET).map_err(|e| format!("{SOCKET}: {e}"))?.gid().to_string();
        let (socket, tls) = (format!("{SOCKET}:{SOCKET}"), format!("{}:{TLS}:ro", self.tls.display()));
        let mut words = vec!["run", "--detach", "--name", &self.name, "--network", &self.name];
        words.extend(["--network-alias", SERVER, "--group-add", &group, "--volume", &socket, "--volume", &tls]);
        let settings = [
            "WINDLASS_LISTEN=0.0.0.0:8443".to_owned(),
            format!("WINDLASS_PUBLIC_URL={URL}"),
            format!("WINDLASS_TLS_CERTIFICATE={TLS}/server.pem"),
            format!("WINDLASS_TLS_KEY={TLS}/server.key"),
        ];
        words.extend(settings.iter().flat_map(|setting| ["--env", setting]));
        words.extend(CONFINED);
        words.extend(["--health-interval", "1s", NAME, "serve", "--runner", "docker"]);
        docker(&words)?;
        let health = || docker(&["inspect", "--format", "{{.State.Health.Status}}", &self.name]);
        let healthy = wait_for("the server", || health().is_ok_and(|text| text == "healthy"));
        healthy.map_err(|reason| format!("{reason}\n{}", self.log()))
    }

    /// What the server has written, errors included.
    fn log(&self) -> String {
        let output = Command::new("docker").args(["logs", &self.name]).output();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        output.map(|output| text(output.stdout) + &text(output.stderr)).unwrap_or_default()
    }

    /// The token that the server has printed at its first start.
    fn token(&self) -> Result<String> {
        let log = self.log();
        let token = log.split("TOKEN=").nth(1).and_then(|rest| rest.split_whitespace().next());
        token.map(ToOwned::to_owned).ok_or_else(|| format!("the server has printed no token:\n{log}"))
    }

    /// Creates the registry, with the API, from outside of the containers.
    fn has_a_registry(&self, token: &str) -> Result<()> {
        let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address = docker(&["inspect", "--format", address, &self.name])?;
        let call = |path: &str, more: &[&str]| {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--show-error", "--fail", "--cacert"]).arg(self.tls.join("authority.pem"));
            curl.args(["--resolve", &format!("{SERVER}:8443:{address}")]);
            curl.args(["--header", &format!("Authorization: Token {token}"), &format!("{URL}{path}")]);
            read(curl.args(more))
        };
        let organizations = call("/organization", &[])?;
        let id = organizations.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let path = format!("/organization/{}/containerRegistry", id.ok_or("there is no organization")?);
        call(&path, &["--header", "Content-Type: application/json", "--data", REGISTRY]).map(drop)
    }

    /// Runs a command of the client in a container from the same image, with files that are mounted into it.
    fn client(&self, token: &str, files: &[String], words: &[&str]) -> Result<String> {
        let mut command = vec!["run", "--rm", "--network", &self.name, "--env"];
        let (url, token) = (format!("WINDLASS_URL={URL}"), format!("WINDLASS_TOKEN={token}"));
        command.extend([&url, "--env", &token]);
        command.extend(files.iter().flat_map(|file| ["--volume", file]));
        command.extend(CONFINED);
        command.push(NAME);
        command.extend(words);
        docker(&command)
    }

    fn is_used(&self, token: &str) -> Result<()> {
        // The name is resolved, and the certificates of the image do not vouch for the server.
        match self.client(token, &[], &["status"]) {
            Err(reason) if reason.contains("certificate") => {}
            other => return Err(format!("a certificate that nobody vouches for: {other:?}")),
        }
        let trusted = format!("{}:/{CERTIFICATES}:ro", self.tls.join("authority.pem").display());
        let job = root().join(FOLDER).join("job.yaml");
        fs::write(&job, JOB).map_err(|e| e.to_string())?;
        let files = [trusted, format!("{}:/job.yaml:ro", job.display())];
        let client = |words: &[&str]| self.client(token, &files, words);
        client(&["apply", "-f", "/job.yaml", "--deploy"])?;
        let log = client(&["job", "run", "hello", "--watch"])?;
        let next = client(&["job", "next", "hello", "-o", "json"])?;
        let version = client(&["--version"])?;
        for (text, part) in [(&log, "from a container"), (&next, "Europe/Lisbon"), (&version, "built in")] {
            if !text.contains(part) {
                return Err(format!("{part:?} is not in:\n{text}"));
            }
        }
        Ok(())
    }

    /// A server that is started again has the same database, and prints no second token.
    fn keeps_its_data(&self, token: &str) -> Result<()> {
        docker(&["stop", "--time", "30", &self.name])?;
        docker(&["start", &self.name])?;
        let trusted = format!("{}:/{CERTIFICATES}:ro", self.tls.join("authority.pem").display());
        let files = [trusted];
        let answers = || {
            self.client(token, &files, &["job", "logs", "hello"]).is_ok_and(|text| text.contains("from a container"))
        };
        wait_for("the server that was started again", answers)?;
        let printed = self.log().matches("TOKEN=").count();
        if printed == 1 { Ok(()) } else { Err(format!("the server has printed {printed} tokens")) }
    }
}

/// An authority, and a certificate of the server from it.
fn certificate(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let openssl = |words: &[&str]| read(Command::new("openssl").args(words).current_dir(folder)).map(drop);
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let authority = ["-x509", "-keyout", "authority.key", "-out", "authority.pem", "-subj", "/CN=Test authority"];
    openssl(&[&new[..], &authority].concat())?;
    let name = format!("subjectAltName=DNS:{SERVER}");
    let issued = ["-x509", "-CA", "authority.pem", "-CAkey", "authority.key", "-addext", &name, "-subj", "/CN=server"];
    let files = ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "server.key", "-out", "server.pem"];
    openssl(&[&new[..], &issued, &files].concat())?;
    // The server has a user of its own.
    read(Command::new("chmod").args(["0755", "."]).current_dir(folder))?;
    read(Command::new("chmod").args(["0644", "server.key", "server.pem", "authority.pem"]).current_dir(folder))
        .map(drop)
}

//! `cargo xtask clients`: third-party clients and generated SDKs call a live server.
//!
//! Each client is installed from its package registry, for a program of tests/clients that is built in target/clients.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::client_program::{copied, install, with};
use crate::command::{Result, find, read, root, run};
use crate::pages::{self, Engine};
use crate::server::{self, Server};
use crate::services::{self, Services};
use crate::{console, generators, opentofu, packages, process, sdk};

/// Programs that are needed beside those of the SDKs, and the Debian packages that contain them.
pub(crate) const PACKAGES: [(&str, &str); 2] = [("chromium", "chromium"), ("git", "git")];
/// The audience of the tokens that the OIDC provider issues.
const AUDIENCE: &str = "windlass-tests";

/// Starts the services, and runs every client.
pub(crate) fn run_all() -> Result<()> {
    let services = services::start()?;
    match missing(&services).as_slice() {
        [] => tour(),
        missing => Err(format!("missing:\n  {}", missing.join("\n  "))),
    }
}

/// The programs and services that the clients need and that could not be installed.
pub(crate) fn missing(services: &Services) -> Vec<String> {
    packages::install(&sdk::PACKAGES, &[]);
    packages::install(&generators::PACKAGES, &[]);
    packages::install(&PACKAGES, &[]);
    let programs = sdk::PACKAGES
        .iter()
        .chain(&generators::PACKAGES)
        .chain(&PACKAGES)
        .filter(|(program, _)| find(program).is_none());
    let mut missing: Vec<String> =
        programs.map(|(program, _)| format!("clients: {program} is not installed")).collect();
    if !services.variables.iter().any(|(name, _)| *name == "WINDLASS_TEST_DOCKER") {
        missing.push("clients: there is no Docker engine".into());
    }
    missing
}

/// Runs every client; a Docker engine has to be running.
pub(crate) fn tour() -> Result<()> {
    let folder = root().join("target/clients");
    let port = process::free_port()?;
    let issuer = format!("http://127.0.0.1:{port}");
    let tools = opentofu::provide()?.display().to_string();
    let mut words = vec!["--runner", "docker", "--log", "warn", "--tools", &tools];
    words.extend(pages::WORDS);
    let signs_in = [&words[..], &["--oidc-issuer", &issuer, "--oidc-audience", AUDIENCE]].concat();
    let server = server::start(&folder.join("server"), &signs_in)?;
    eprintln!("== a browser-based OIDC login");
    let mut provider = Provider::start(port, &server)?;
    // Meanwhile the provider waits until a session has expired.
    let tours = sdk::tours()?;
    let jwt = provider.token()?;
    eprintln!("== the API reference in a browser");
    let browser = find("chromium").ok_or("chromium is not installed")?;
    let program = root().join("target/clients/oidc/reference.mjs");
    run(with(&server, Command::new("node").arg(program).arg(&server.url).arg(&browser)))?;
    console::run_all(&browser)?;
    eprintln!("== Qovery's TypeScript SDK");
    let typescript = install("typescript")?;
    run(Command::new("npx").args(["tsc", "-p", "."]).current_dir(&typescript))?;
    run(with(&server, Command::new("node").arg(typescript.join("out/tour.js"))).env("WINDLASS_JWT", jwt))?;
    eprintln!("== SDKs generated from the API description");
    for mut tour in tours {
        run(with(&server, &mut tour))?;
    }
    generators::run_all(&server)?;
    eprintln!("== the calls that Terrakube's clients make");
    // Where nobody signs in, the first token may create tokens for teams.
    let without_issuer = server::start(&folder.join("server-without-issuer"), &words)?;
    run(with(&without_issuer, &mut jsonapi()?))?;
    drop(without_issuer);
    match pages::run(&server, Engine::Docker)?.as_slice() {
        [] => Ok(()),
        skipped => Err(format!("pages were skipped:\n  {}", skipped.join("\n  "))),
    }
}

/// The program that replays the calls of Terrakube's clients, with a git repository for a workspace.
fn jsonapi() -> Result<Command> {
    let folder = copied("jsonapi")?;
    let repository = folder.join("repository");
    let _old = fs::remove_dir_all(&repository);
    fs::create_dir_all(&repository).map_err(|e| format!("{}: {e}", repository.display()))?;
    let text = "resource \"terraform_data\" \"one\" {}\n";
    fs::write(repository.join("main.tf"), text).map_err(|e| format!("{}: {e}", repository.display()))?;
    let named = ["-c", "user.name=tour", "-c", "user.email=tour@example.com", "-c", "init.defaultBranch=main"];
    for words in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "first"]] {
        read(Command::new("git").args(named).args(words).current_dir(&repository))?;
    }
    let mut command = Command::new("go");
    command.args(["run", "."]).current_dir(&folder).env("GOFLAGS", "-mod=mod");
    command.env("WINDLASS_SOURCE", format!("file://{}", repository.display()));
    Ok(command)
}

/// The OIDC provider and the browser that logs in; stopped when dropped.
struct Provider(Child);

impl Drop for Provider {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

impl Provider {
    fn start(port: u16, server: &Server) -> Result<Self> {
        let folder = install("oidc")?;
        let browser = find("chromium").ok_or("chromium is not installed")?;
        let mut command = Command::new("node");
        command.arg(folder.join("main.mjs")).args([&port.to_string(), &server.url]).arg(browser);
        // The provider only warns that it is meant for tests.
        command.env("NODE_NO_WARNINGS", "1").stdout(Stdio::piped()).stdin(Stdio::null());
        let log = fs::File::create(folder.join("errors")).map_err(|e| e.to_string())?;
        command.stderr(log).spawn().map(Self).map_err(|e| format!("node: {e}"))
    }

    /// The token of the login, once every check of the program has passed.
    fn token(&mut self) -> Result<String> {
        let mut token = None;
        for line in
            self.0.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines).map_while(|line| line.ok())
        {
            if let Some(text) = line.strip_prefix("JWT=") {
                token = Some(text.to_owned());
            } else if line.starts_with("OIDC: ") {
                println!("{line}");
                return token.ok_or_else(|| "no token".into());
            }
        }
        let log = fs::read_to_string(root().join("target/clients/oidc/errors")).unwrap_or_default();
        Err(format!("the login failed:\n{log}"))
    }
}

//! The console in a browser, against a server that runs jobs as processes.

use std::path::Path;
use std::process::Command;

use crate::client_program::{install, with};
use crate::command::{Result, root, run};
use crate::{opentofu, pages, process, server};

/// The audience, the client and its secret, as in tests/clients/oidc/provider.mjs.
const PROVIDER: [&str; 6] =
    ["--oidc-audience", "windlass-tests", "--oidc-client-id", "console", "--oidc-client-secret", "not a secret either"];

/// Visits every page and does everything once, with every route of src/console.
pub(crate) fn run_all(browser: &Path) -> Result<()> {
    eprintln!("== the console in a browser");
    // Its program has the OIDC provider of that one.
    install("oidc")?;
    let folder = install("console")?;
    let port = process::free_port()?.to_string();
    let issuer = format!("http://127.0.0.1:{port}");
    let tools = opentofu::provide()?.display().to_string();
    let mut words = vec!["--runner", "process", "--log", "error", "--tools", &tools, "--oidc-issuer", &issuer];
    words.extend(PROVIDER);
    words.extend(pages::WORDS);
    let server = server::start(&folder.join("server"), &words)?;
    let mut command = Command::new("node");
    command.arg(folder.join("main.mjs")).arg(port).arg(root().join("src/console")).arg(browser);
    // The provider only warns that it is meant for tests.
    command.env("NODE_NO_WARNINGS", "1").env("WINDLASS_LINK", &server.link);
    run(with(&server, &mut command))
}

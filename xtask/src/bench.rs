//! `cargo xtask bench`: measures the release build, with a PostgreSQL server and a Docker engine of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, Result, read, root};
use crate::{go, services};

/// The module of supercronic, which is a program.
const SUPERCRONIC: &str = "github.com/aptible/supercronic@v0.2.48";

/// Prints one table. `--peers` measures other schedulers beside it, and `--only NAME` selects measures.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let (mut peers, mut names) = (false, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--peers" => peers = true,
            "--only" => names.push(*words.next().ok_or("--only needs the name of a measure")?),
            other => return Err(format!("{other}: the options of bench are --peers and --only NAME")),
        }
    }
    let services = services::start()?;
    for reason in &services.missing {
        eprintln!("{reason}");
    }
    let mut command = command::cargo();
    command.args(["bench", "--bench", "measures", "--"]).args(names);
    command.envs(services.variables.iter().map(|(name, value)| (*name, value)));
    if peers {
        command.env("WINDLASS_BENCH_PEERS", build_peers()?);
    }
    command::run(&mut command)
}

/// Builds the peers from their modules; says which could not be built.
fn build_peers() -> Result<PathBuf> {
    let folder = root().join("target/peers");
    let (river, supercronic) = (folder.join("river"), folder.join("supercronic"));
    for folder in [&river, &supercronic] {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let go = go::program(&folder)?;
    let built = [
        ("River", build_river(&go, &river)),
        ("supercronic", read(go_command(&go, &supercronic).args(["install", SUPERCRONIC]).env("GOBIN", &supercronic))),
    ];
    for (name, built) in built {
        if let Err(reason) = built {
            eprintln!("{name} cannot be built, and is not measured: {reason}");
        }
    }
    eprintln!("Dkron is not measured: the module proxy does not serve its modules");
    Ok(folder)
}

fn build_river(go: &Path, folder: &Path) -> Result<String> {
    let source = root().join("benches/measures/peers/river");
    for name in ["main.go", "go.mod", "go.sum"] {
        fs::copy(source.join(name), folder.join(name)).map_err(|e| format!("{name}: {e}"))?;
    }
    read(go_command(go, folder).args(["build", "-o", "river", "."]))
}

fn go_command(go: &Path, folder: &Path) -> Command {
    let mut command = Command::new(go);
    command.current_dir(folder).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local");
    command
}

//! Programs from crates, which cargo builds into target/tools, once for each version.

use std::path::PathBuf;

use crate::command::{self, Result, root, run};

/// Where the programs are kept, and built.
pub(crate) const TOOLS: &str = "target/tools";

/// The program of a crate, built where it is not there in this version.
pub(crate) fn installed((name, version): (&str, &str)) -> Result<PathBuf> {
    let tools = root().join(TOOLS);
    let folder = tools.join(format!("{name}-{version}"));
    let program = folder.join("bin").join(name);
    if program.is_file() {
        return Ok(program);
    }
    let mut install = command::cargo_for_others();
    // Unoptimized: it runs for seconds and would be built for minutes.
    install.args(["install", "--locked", "--debug", "--no-default-features", "--root"]).arg(&folder);
    install.arg(format!("{name}@{version}")).arg("--target-dir").arg(tools.join("build"));
    install.env("CARGO_PROFILE_DEV_DEBUG", "false");
    run(&mut install)?;
    Ok(program)
}

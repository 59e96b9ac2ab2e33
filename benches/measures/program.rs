//! Builds the static program.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `static_program.rs` into a folder.
pub(crate) fn build(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/measures/static_program.rs");
    let program = folder.join("static-program");
    let mut compiler = Command::new("rustc");
    compiler.args(["--edition", "2024", "-O", "-C", "panic=abort", "-C", "strip=symbols"]);
    compiler.args(["-C", "target-feature=+crt-static", "-C", "relocation-model=static", "-o"]).arg(&program);
    assert!(compiler.arg(source).status().unwrap().success());
    program
}

//! `cargo xtask`: the tasks of this repository. Nothing else knows how to start the services that tests need.

mod bench;
mod chart;
mod client_program;
mod clients;
mod command;
mod console;
mod docker;
mod fuzz;
mod generators;
mod go;
mod helm;
mod image;
mod keep;
mod kubernetes;
mod lint;
mod npm;
mod opentofu;
mod package;
mod packages;
mod pages;
mod postgres;
mod process;
mod python;
mod registry;
mod sbom;
mod screenshots;
mod sdk;
mod server;
mod services;
mod simulate;
mod statements;
mod static_program;
mod test;
mod test_provider;
mod timing;
mod tools;
mod torture;

use std::path::Path;
use std::process::ExitCode;

use command::Missing;
use lint::Clippy;
use static_program::Profile;

const USAGE: &str = "\
cargo xtask lint [--without-clippy]
                              check formatting, lints, documentation and dependencies
cargo xtask test [--strict]   run all tests; --strict fails where this machine would have to skip some
cargo xtask test --kubernetes [--strict]
                              build and start a Kubernetes cluster, and run the tests that need one (as root)
cargo xtask package           build the Debian package, and install, upgrade and remove it in a folder (as root)
cargo xtask image [--release] build the static program and the container image from scratch, and run it with a Docker engine
cargo xtask materials FILE    list every crate in the program with its version and its licence, as CycloneDX
cargo xtask chart             render the Helm chart with several files of values
cargo xtask docs              run the commands of the pages in docs, as printed
cargo xtask clients           run third-party clients and generated SDKs against a live server
cargo xtask screenshots [FOLDER]
                              write pictures of the main pages of the console, of a server with the demo
cargo xtask sdk               generate and build SDKs in four languages, in target/sdk
cargo xtask fuzz [SEED]       fuzz every operation of the API, with a fresh seed unless one is given
cargo xtask simulate [N] [F]  simulate the engine with N seeds from F (10000, from a number derived from the date)
cargo xtask torture [N]       kill servers N times (50) while containers run, and check that every run ran once
cargo xtask services [--kubernetes]
                              start the services, print their environment variables, and wait for Ctrl-C
cargo xtask record-statements record the SQL statements of this version; later versions must still support them
cargo xtask bench [--peers] [--only NAME]
                              measure the release build against floors, and against other schedulers; print a table";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["lint"] => lint::run_all(Clippy::Included),
        ["lint", "--without-clippy"] => lint::run_all(Clippy::Elsewhere),
        ["test"] => test::run(Missing::Skip),
        ["test", "--strict"] => test::run(Missing::Fail),
        ["test", "--kubernetes"] => kubernetes::test(Missing::Skip),
        ["test", "--kubernetes", "--strict"] | ["test", "--strict", "--kubernetes"] => kubernetes::test(Missing::Fail),
        ["package"] => package::run_all(),
        ["image"] => image::run_all(Profile::Debug),
        ["image", "--release"] => image::run_all(Profile::Release),
        ["materials", file] => sbom::write(Path::new(file)),
        ["chart"] => chart::run_all(),
        ["docs"] => pages::run_all(),
        ["clients"] => clients::run_all(),
        ["screenshots", words @ ..] => screenshots::write(words),
        ["sdk"] => sdk::run_all(),
        ["fuzz", words @ ..] => fuzz::run_all(words),
        ["simulate", words @ ..] => simulate::run(words),
        ["torture", words @ ..] => torture::run(words),
        ["services"] => keep::run(false),
        ["services", "--kubernetes"] => keep::run(true),
        ["record-statements"] => statements::run(),
        ["bench", words @ ..] => bench::run(words),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

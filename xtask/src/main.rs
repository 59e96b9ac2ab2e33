//! `cargo xtask lint | test | docs | clients | sdk | fuzz | simulate | torture | services | bench`: the only place that knows how to
//! start what tests need.

mod bench;
mod clients;
mod command;
mod fuzz;
mod go;
mod kubernetes;
mod lint;
mod opentofu;
mod packages;
mod pages;
mod python;
mod sdk;
mod server;
mod services;
mod simulate;
mod statements;
mod test;
mod timing;
mod torture;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask lint              check formatting, lints, documentation and dependencies
cargo xtask test [--strict]   run all tests; what this machine lacks is skipped and named, or a failure with --strict
cargo xtask test --kubernetes [--strict]
                              run the tests on a cluster of Kubernetes, which is built and started for them (as root)
cargo xtask docs              run the commands of the pages in docs, as they are printed
cargo xtask clients           let clients that others made, and generated ones, tour a real server
cargo xtask sdk               generate and build clients in four languages, in target/sdk
cargo xtask fuzz              fuzz every operation of the contract
cargo xtask simulate [N] [F]  run N seeds of the engine's simulation, from seed F (10000 from a number of today)
cargo xtask torture [N]       kill servers N times while real containers run, on both databases, and count (50)
cargo xtask services [--kubernetes]
                              start what the tests need, print its variables, and keep it until Ctrl-C
cargo xtask record-statements write down the SQL statements of this version, which later ones are held against
cargo xtask bench             measure, and print one table";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["lint"] => lint::run_all(),
        ["test"] => test::run(test::Missing::Skip),
        ["test", "--strict"] => test::run(test::Missing::Fail),
        ["test", "--kubernetes"] => kubernetes::test(test::Missing::Skip),
        ["test", "--kubernetes", "--strict"] | ["test", "--strict", "--kubernetes"] => {
            kubernetes::test(test::Missing::Fail)
        }
        ["docs"] => pages::run_all(),
        ["clients"] => clients::run_all(),
        ["sdk"] => sdk::run_all(),
        ["fuzz"] => fuzz::run_all(),
        ["simulate", words @ ..] => simulate::run(words),
        ["torture", words @ ..] => torture::run(words),
        ["services"] => services::keep(false),
        ["services", "--kubernetes"] => services::keep(true),
        ["record-statements"] => statements::run(),
        ["bench"] => bench::run(),
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

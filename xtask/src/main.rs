//! `cargo xtask test | clients | sdk | fuzz | simulate | torture | services | bench`: the only place that knows how to start what tests need.

mod bench;
mod clients;
mod command;
mod docker;
mod fuzz;
mod go;
mod keep;
mod kubernetes;
mod opentofu;
mod packages;
mod postgres;
mod process;
mod python;
mod registry;
mod sdk;
mod server;
mod services;
mod simulate;
mod test;
mod torture;

use std::process::ExitCode;

use command::Missing;

const USAGE: &str = "\
cargo xtask test [--strict]   run all tests; what this machine lacks is skipped and named, or a failure with --strict
cargo xtask test --kubernetes [--strict]
                              run the tests on a cluster of Kubernetes, which is built and started for them (as root)
cargo xtask clients           let clients that others made, and generated ones, tour a real server
cargo xtask sdk               generate and build clients in four languages, in target/sdk
cargo xtask fuzz              fuzz every operation of the contract
cargo xtask simulate [N] [F]  run N seeds of the engine's simulation, from seed F (10000 from a number of today)
cargo xtask torture [N]       kill servers N times while real containers run, on both databases, and count (50)
cargo xtask services [--kubernetes]
                              start what the tests need, print its variables, and keep it until Ctrl-C
cargo xtask bench             measure, and print one table";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::run(Missing::Skip),
        ["test", "--strict"] => test::run(Missing::Fail),
        ["test", "--kubernetes"] => kubernetes::test(Missing::Skip),
        ["test", "--kubernetes", "--strict"] | ["test", "--strict", "--kubernetes"] => kubernetes::test(Missing::Fail),
        ["clients"] => clients::run_all(),
        ["sdk"] => sdk::run_all(),
        ["fuzz"] => fuzz::run_all(),
        ["simulate", words @ ..] => simulate::run(words),
        ["torture", words @ ..] => torture::run(words),
        ["services"] => keep::run(false),
        ["services", "--kubernetes"] => keep::run(true),
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

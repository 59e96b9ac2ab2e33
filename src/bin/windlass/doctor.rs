//! `windlass doctor`: examines the settings and their surroundings.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use windlass::clock::Clock;
use windlass::config::Config;
use windlass::doctor::{Finding, Outcome, examine};

#[derive(Args)]
pub(crate) struct Arguments {
    /// How to print what was found.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    Table,
    Json,
}

/// The exit code is 1 if something is wrong; warnings do not count.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> ExitCode {
    let found = examine(config, &Clock::system()).await;
    match arguments.output {
        Output::Table => print!("{}", table(&found)),
        Output::Json => println!("{}", serde_json::json!({ "findings": found })),
    }
    let is_wrong = found.iter().any(|finding| finding.outcome == Outcome::Wrong);
    if is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn table(found: &[Finding]) -> String {
    let width = found.iter().map(|finding| finding.subject.len()).max().unwrap_or_default();
    let mut text = String::new();
    for finding in found {
        let word = word(finding.outcome);
        text.push_str(&format!("{word:<8} {:<width$}  {}\n", finding.subject, finding.detail));
        if let Some(remedy) = &finding.remedy {
            text.push_str(&format!("{:<8} {:<width$}  -> {remedy}\n", "", ""));
        }
    }
    let count = |outcome| found.iter().filter(|finding| finding.outcome == outcome).count();
    text.push_str(&format!("\n{} wrong, {} warnings\n", count(Outcome::Wrong), count(Outcome::Warning)));
    text
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Warning => "warning",
        Outcome::Wrong => "WRONG",
        Outcome::Skipped => "skipped",
    }
}

//! `windlass import`: schedules of other programs. Without `--apply`, it only says what would come of them, and needs no server.

mod as_file;
mod command;
mod create;
mod expression;
mod report;
mod settings;
mod zone;

pub(crate) use self::command::Command;
use self::create::{create, registry};
use self::report::{Outcome, report};
use crate::api::shown;
use crate::failure::Result;
use crate::names::Place;
use crate::rows::Job;
use crate::screen::{Screen, Tone};

/// Says what would come of a file.
pub(crate) fn preview(command: &Command, screen: &mut Screen) -> Result<()> {
    if let Command::Expression(expression) = command {
        return expression.run(screen);
    }
    let found = command.read()?;
    if let Some(target) = command.target().filter(|target| target.as_file) {
        return as_file::write(&found, target, screen);
    }
    let outcomes = found.jobs.iter().map(|_| Outcome { word: "job", tone: Tone::Plain, why: None }).collect();
    report(&found, outcomes, screen)
}

/// Creates the jobs of a file. One whose name is taken is left as it is, so that the command can be repeated.
pub(crate) async fn apply(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    // An expression is no job, and `preview` has said what it means.
    let Some(target) = command.target() else { return Ok(()) };
    let found = command.read()?;
    let environment = place.environment(target.env.as_deref().unwrap_or_default()).await?;
    let registry = registry(place, target.registry.as_deref()).await?;
    let known = place.jobs(None, None).await?.iter().map(shown).collect::<Result<Vec<Job>>>()?;
    let mut outcomes = Vec::new();
    for job in &found.jobs {
        let is_taken = |other: &Job| {
            other.place() == environment.full_name() && other.name.to_lowercase() == job.name.to_lowercase()
        };
        if known.iter().any(is_taken) {
            outcomes.push(Outcome { word: "exists", tone: Tone::Soft, why: None });
            continue;
        }
        outcomes.push(match create(place, &environment, job, (target, registry)).await {
            Ok(()) => Outcome { word: "created", tone: Tone::Good, why: None },
            Err(failure) => Outcome { word: "failed", tone: Tone::Bad, why: Some(failure.to_string()) },
        });
    }
    report(&found, outcomes, screen)
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;

//! Writes what was found in files, and what became of it.

use serde_json::{Value, json};
use windlass_import::{Imported, ImportedJob};

use super::settings::settings;
use crate::failure::{Failure, Result};
use crate::screen::{Cell, Screen, Tone};

/// What became of a job.
pub(super) struct Outcome {
    pub(super) word: &'static str,
    pub(super) tone: Tone,
    pub(super) why: Option<String>,
}

/// Writes what was found: jobs with their notes, and what was refused.
pub(super) fn report(found: &Imported, outcomes: Vec<Outcome>, screen: &mut Screen) -> Result<()> {
    let failed = outcomes.iter().filter(|outcome| outcome.why.is_some()).count();
    if screen.is_raw() {
        let jobs = found.jobs.iter().zip(&outcomes).map(|(job, outcome)| -> Result<Value> {
            Ok(json!({
                "result": outcome.word, "reason": outcome.why, "line": job.line, "name": job.name,
                "scheduled_at": job.schedules.join(" | "), "timezone": job.zone, "image": job.image, "command": job.command,
                "environment": job.environment, "settings": settings(job)?, "user": job.user, "notes": job.notes,
            }))
        });
        let jobs = jobs.collect::<Result<Vec<Value>>>()?;
        let refused = found.refused.iter().map(|row| json!({"line": row.line, "text": row.text, "reason": row.why}));
        screen.raw(&json!({"results": jobs, "refused": refused.collect::<Vec<_>>()}))?;
    } else {
        let mut rows: Vec<(usize, Vec<Cell>)> = Vec::new();
        for (job, Outcome { word, tone, why }) in found.jobs.iter().zip(outcomes) {
            let line = || Cell::from(job.line.to_string());
            let schedule = format!("{} ({})", job.schedules.join(" | "), job.zone);
            let shown = why.unwrap_or_else(|| what_runs(job));
            rows.push((
                job.line,
                vec![line(), Cell::new(word, tone), job.name.as_str().into(), schedule.into(), shown.into()],
            ));
            for note in &job.notes {
                let cells = vec![
                    line(),
                    Cell::new("note", Tone::Soft),
                    job.name.as_str().into(),
                    "".into(),
                    note.as_str().into(),
                ];
                rows.push((job.line, cells));
            }
        }
        for row in &found.refused {
            let cells = vec![
                row.line.to_string().into(),
                Cell::new("refused", Tone::Bad),
                "".into(),
                row.text.as_str().into(),
                row.why.as_str().into(),
            ];
            rows.push((row.line, cells));
        }
        rows.sort_by_key(|(line, _)| *line);
        let cells: Vec<Vec<Cell>> = rows.into_iter().map(|(_, cells)| cells).collect();
        screen.table(&["line", "what", "job", "schedule", "command"], &cells);
    }
    match (found.refused.len(), failed) {
        (0, 0) => Ok(()),
        (refused, failed) => Err(Failure::Unsuccessful(format!("{refused} refused, {failed} failed"))),
    }
}

/// What a job runs, as far as its file says it.
fn what_runs(job: &ImportedJob) -> String {
    match (job.command.last(), &job.image) {
        (Some(last), _) => last.clone(),
        (None, Some(image)) => image.clone(),
        (None, None) => "no command; give --command".into(),
    }
}

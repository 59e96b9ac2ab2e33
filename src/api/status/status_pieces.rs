//! Responses with the states of all jobs of an environment, written in pieces.
//!
//! All states are read at one moment, into as little memory as possible, before the first piece is written: a slow client neither
//! holds a connection to the database nor sees states of different moments, and whatever fails is reported as an error.

use std::collections::HashMap;

use entity::deployment;
use entity::environment;
use entity::id::{JobId, StageId};
use futures_util::{Stream, stream};
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use serde::Serialize;
use uuid::Uuid;

use super::official_state::StageStatusEnum;
use super::response::{
    DeploymentStageWithServicesStatuses, EnvironmentStatuses, EnvironmentStatusesWithStages, Stage, Status,
};
use super::status_response::{environment_status, status_among};
use crate::api::wire::Results;
use crate::engine::state::{Configuration, EnvironmentSnapshot, JobSnapshot, PartRuns};
use crate::error::{Error, Result};
use crate::store;
use crate::store::run::LastRun;

/// How many jobs one piece has.
const TOGETHER: usize = 500;

/// The state of a job, until it is written. Most jobs of a large environment are in no deployment.
enum Pending {
    Idle(JobId, Configuration, Option<Box<LastRun>>),
    Deployed(Box<Status>),
}

impl Pending {
    fn of(job: &JobSnapshot<'_>) -> Self {
        match job.part {
            None => Self::Idle(job.id, job.configuration, job.last_run.clone().map(Box::new)),
            Some(_) => Self::Deployed(Box::new(status_among(job))),
        }
    }

    fn write(self, same: &mut SameTexts, to: &mut Vec<u8>) -> Result<()> {
        let status = match self {
            Self::Idle(id, configuration, None) => return same.write(id, configuration, to),
            Self::Idle(id, configuration, last_run) => Box::new(idle(id, configuration, last_run.map(|run| *run))),
            Self::Deployed(status) => status,
        };
        serde_json::to_writer(to, &status).map_err(Error::internal)
    }
}

/// The state of a job in no deployment.
fn idle(id: JobId, configuration: Configuration, last_run: Option<LastRun>) -> Status {
    let newest: Option<&deployment::Model> = None;
    let (part, before, runs) = (None, None, PartRuns::default());
    status_among(&JobSnapshot { id, configuration, part, before, runs, last_run, newest })
}

/// The states of jobs in no deployment and without runs: per configuration, the text before and behind the id.
#[derive(Default)]
struct SameTexts(Vec<(Configuration, String, String)>);

impl SameTexts {
    fn write(&mut self, id: JobId, configuration: Configuration, to: &mut Vec<u8>) -> Result<()> {
        let is_known = self.0.iter().any(|(of, ..)| *of == configuration);
        if !is_known {
            let nobody = Uuid::nil();
            let (before, behind) = around(&idle(JobId(nobody), configuration, None), &nobody.to_string())?;
            self.0.push((configuration, before, behind));
        }
        for (_, before, behind) in self.0.iter().filter(|(of, ..)| *of == configuration) {
            to.extend_from_slice(before.as_bytes());
            to.extend_from_slice(id.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
            to.extend_from_slice(behind.as_bytes());
        }
        Ok(())
    }
}

/// A part of a response.
enum Piece {
    Text(String),
    /// Jobs, separated by commas.
    Jobs(Vec<Pending>),
}

/// A JSON response, not written yet.
#[derive(Default)]
pub(in crate::api) struct StatusPieces(Vec<Piece>);

impl StatusPieces {
    fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Piece::Text(before)) => before.push_str(text),
            _ => self.0.push(Piece::Text(text.to_owned())),
        }
    }

    /// The whole response.
    pub(in crate::api) fn into_text(self) -> Result<String> {
        let mut all = Vec::new();
        for piece in self.chunks() {
            all.extend(piece?);
        }
        String::from_utf8(all).map_err(Error::internal)
    }

    /// The response in chunks.
    pub(in crate::api) fn into_stream(self) -> impl Stream<Item = Result<Vec<u8>>> + Send + 'static {
        stream::iter(self.chunks())
    }

    fn chunks(self) -> impl Iterator<Item = Result<Vec<u8>>> + Send + 'static {
        self.0.into_iter().flat_map(|piece| {
            let mut same = SameTexts::default();
            let (text, jobs) = match piece {
                Piece::Text(text) => (Some(Ok(text.into_bytes())), Vec::new()),
                Piece::Jobs(jobs) => (None, jobs),
            };
            let mut jobs = jobs.into_iter();
            let mut separator: &[u8] = b"";
            let chunks = std::iter::from_fn(move || {
                let mut chunk = Vec::new();
                for job in jobs.by_ref().take(TOGETHER) {
                    chunk.extend_from_slice(separator);
                    separator = b",";
                    if let Err(error) = job.write(&mut same, &mut chunk) {
                        return Some(Err(error));
                    }
                }
                (!chunk.is_empty()).then_some(Ok(chunk))
            });
            text.into_iter().chain(chunks)
        })
    }
}

/// The text of a value before and behind the first place of a text in it.
fn around(value: &impl Serialize, part: &str) -> Result<(String, String)> {
    let text = serde_json::to_string(value).map_err(Error::internal)?;
    let (before, behind) = text.split_once(part).ok_or_else(|| Error::internal(format!("no {part} in {text}")))?;
    Ok((before.to_owned(), behind.to_owned()))
}

/// The text of a value before and behind the items of a list in it, which is empty. Quotes inside of texts are escaped.
fn around_items(value: &impl Serialize, list: &str) -> Result<(String, String)> {
    let key = format!("\"{list}\":[");
    let (before, behind) = around(value, &key)?;
    Ok((before + &key, behind))
}

async fn read_jobs(tx: &DatabaseTransaction, row: &environment::Model) -> Result<(EnvironmentSnapshot, Vec<Pending>)> {
    let mut jobs = Vec::new();
    let snapshot = EnvironmentSnapshot::read(tx, row.id, |job, _| jobs.push(Pending::of(job))).await?;
    Ok((snapshot, jobs))
}

fn with_jobs(frame: &impl Serialize, list: &str, jobs: Vec<Pending>) -> Result<StatusPieces> {
    let (before, behind) = around_items(frame, list)?;
    Ok(StatusPieces(vec![Piece::Text(before), Piece::Jobs(jobs), Piece::Text(behind)]))
}

/// The states of the jobs of an environment.
pub(in crate::api) async fn of_jobs(db: &DatabaseConnection, row: &environment::Model) -> Result<StatusPieces> {
    let (_, jobs) = store::snapshot(db, async |tx| read_jobs(tx, row).await).await?;
    with_jobs(&Results::<Status> { results: Vec::new() }, "results", jobs)
}

/// The state of an environment and of its jobs.
pub(in crate::api) async fn of_all(db: &DatabaseConnection, row: &environment::Model) -> Result<StatusPieces> {
    let (snapshot, jobs) = store::snapshot(db, async |tx| read_jobs(tx, row).await).await?;
    let frame = EnvironmentStatuses {
        environment: environment_status(&snapshot, row.id),
        applications: Vec::new(),
        containers: Vec::new(),
        jobs: Vec::new(),
        databases: Vec::new(),
        helms: Vec::new(),
        terraforms: Vec::new(),
    };
    with_jobs(&frame, "jobs", jobs)
}

/// The state of an environment and of its jobs, stage by stage.
pub(in crate::api) async fn with_stages(db: &DatabaseConnection, row: &environment::Model) -> Result<StatusPieces> {
    let mut jobs: HashMap<StageId, Vec<Pending>> = HashMap::new();
    let (snapshot, stages) = store::snapshot(db, async |tx| {
        let see = |job: &JobSnapshot<'_>, stage: Option<StageId>| {
            if let Some(stage) = stage {
                jobs.entry(stage).or_default().push(Pending::of(job));
            }
        };
        let snapshot = EnvironmentSnapshot::read(tx, row.id, see).await?;
        Ok::<_, Error>((snapshot, store::stage::list(tx, row.id).await?))
    })
    .await?;
    let frame =
        EnvironmentStatusesWithStages { environment: environment_status(&snapshot, row.id), stages: Vec::new() };
    let (before, behind) = around_items(&frame, "stages")?;
    let mut pieces = StatusPieces::default();
    pieces.text(&before);
    for (place, stage) in stages.into_iter().enumerate() {
        let frame = DeploymentStageWithServicesStatuses {
            applications: Vec::new(),
            containers: Vec::new(),
            jobs: Vec::new(),
            databases: Vec::new(),
            helms: Vec::new(),
            terraforms: Vec::new(),
            stage: Stage {
                id: stage.id.0,
                name: stage.name,
                description: stage.description,
                status: StageStatusEnum::of(snapshot.stage(stage.id)),
            },
        };
        let (before, behind) = around_items(&frame, "jobs")?;
        pieces.text(if place == 0 { "" } else { "," });
        pieces.text(&before);
        pieces.0.push(Piece::Jobs(jobs.remove(&stage.id).unwrap_or_default()));
        pieces.text(&behind);
    }
    pieces.text(&behind);
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use entity::id::JobId;
    use serde_json::{Value, json};

    use super::{Configuration, Pending, Piece, SameTexts, StatusPieces, TOGETHER, around_items, idle};

    #[test]
    fn jobs_are_written_in_chunks_with_commas_between_them() {
        let (before, behind) = around_items(&json!({"a": "\"jobs\":[1", "jobs": [], "b": []}), "jobs").unwrap();
        for count in [0, 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER] {
            let ids: Vec<JobId> = (0..count).map(|_| JobId::create()).collect();
            let jobs = ids.iter().map(|id| Pending::Idle(*id, Configuration::NotDeployed, None)).collect();
            let pieces =
                StatusPieces(vec![Piece::Text(before.clone()), Piece::Jobs(jobs), Piece::Text(behind.clone())]);
            let chunks: Vec<Vec<u8>> = pieces.chunks().map(|chunk| chunk.unwrap()).collect();
            assert_eq!(chunks.len(), 2 + count.div_ceil(TOGETHER));
            let all: Value = serde_json::from_slice(&chunks.concat()).unwrap();
            let found: Vec<&str> =
                all["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect();
            assert_eq!(found, ids.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!((&all["a"], &all["b"]), (&json!("\"jobs\":[1"), &json!([])));
        }
    }

    #[test]
    fn a_state_is_the_same_text_however_it_is_written() {
        let mut same = SameTexts::default();
        for configuration in [Configuration::NotDeployed, Configuration::Deployed, Configuration::Outdated] {
            for id in [JobId::create(), JobId::create()] {
                let mut text = Vec::new();
                same.write(id, configuration, &mut text).unwrap();
                assert_eq!(text, serde_json::to_vec(&idle(id, configuration, None)).unwrap());
            }
        }
    }
}

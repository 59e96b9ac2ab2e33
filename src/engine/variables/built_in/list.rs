//! Pure: the built-in variables in lists of the API.

use entity::id::{JobId, ProjectId};
use entity::run::Event;
use uuid::Uuid;

use super::environment::{EnvironmentContext, environment_pairs, tag_key};

/// A built-in variable in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltInVariable {
    pub id: Uuid,
    pub key: String,
    pub value: String,
    pub description: &'static str,
}

/// The source of the built-in variables of a list; without an environment, the list is that of a project.
#[derive(Clone, Debug)]
pub struct ListContext<'a> {
    pub project_id: ProjectId,
    pub environment: Option<EnvironmentContext<'a>>,
    pub job: Option<JobContext<'a>>,
}

/// The job that variables are derived from.
#[derive(Clone, Debug)]
pub struct JobContext<'a> {
    pub id: JobId,
    /// The events that the job has commands for.
    pub events: &'a [Event],
    pub image_tag: Option<&'a str>,
}

/// The built-in variables in a list.
#[must_use]
pub fn for_list(of: &ListContext<'_>) -> Vec<BuiltInVariable> {
    let mut found = Vec::new();
    let mut add = |owner: Uuid, key: String, value: String, description: &'static str| {
        found.push(BuiltInVariable { id: derived_id(owner, &key), key, value, description });
    };
    let Some(environment) = &of.environment else {
        // The official API returns this text, not an id, in the list of a project.
        add(of.project_id.0, "QOVERY_PROJECT_ID".into(), "||Q_PRJ_ID||".into(), "ID of the project");
        return found;
    };
    let id = environment.id.0;
    add(id, "QOVERY_PROJECT_ID".into(), of.project_id.to_string(), "ID of the project");
    for (key, value, description) in environment_pairs(environment) {
        add(id, key.into(), value, description);
    }
    if let Some(job) = &of.job {
        let events: Vec<_> = job.events.iter().map(|event| event.name()).collect();
        add(job.id.0, "QOVERY_JOB_ID".into(), job.id.to_string(), "ID of the job");
        add(job.id.0, "QOVERY_JOB_ACTION".into(), events.join(","), "The event whose command runs");
        if let Some(tag) = job.image_tag {
            add(job.id.0, tag_key(job.id), tag.to_owned(), "Currently deployed image tag");
        }
    }
    found
}

/// A stable id for a variable without a row, derived from its owner and key (FNV-1a over the key, UUID version 8).
fn derived_id(owner: Uuid, key: &str) -> Uuid {
    let seed = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128 ^ owner.as_u128();
    let mix = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    uuid::Builder::from_custom_bytes(key.bytes().fold(seed, mix).to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::derived_id;

    #[test]
    fn derived_ids_are_stable_and_different() {
        let owner = Uuid::from_u128(7);
        assert_eq!(derived_id(owner, "A"), derived_id(owner, "A"));
        assert_ne!(derived_id(owner, "A"), derived_id(owner, "B"));
        assert_ne!(derived_id(owner, "A"), derived_id(Uuid::from_u128(8), "A"));
        assert_eq!(derived_id(owner, "A").get_version_num(), 8);
    }
}
